"""Pictures that the server draws: what they show, and what those hear who see none."""

import random
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Template

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.linkedin.uptime import Measure, Span, measure, measure_periods
from accounts.models import Account, Agency
from accounts.services import report_status
from accounts.web.portal.pictures import Bar, Segment, Trend, last_days, percent, uptime_strip_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)  # two days after the clocks went forward in Berlin
DAY = timedelta(days=1)


def draw(template: str, **context: object) -> str:
    return Template("{% load pictures %}" + template).render(Context(context))


def status(agency: Agency, status: AccountStatus, at: datetime) -> Account:
    with time_machine.travel(at, tick=False):
        identity = AccountIdentity(external_id="1", name="Ada Lovelace")
        return report_status(
            agency, provider="salesflow", identity=identity, status=status, origin=Origin(by="salesflow", at=at)
        )


@pytest.mark.django_db
def test_a_strip_shows_each_day_of_an_account_and_says_its_uptime(agency: Agency) -> None:
    status(agency, AccountStatus.ACTIVE, datetime(2026, 3, 28, 10, tzinfo=UTC))
    status(agency, AccountStatus.DISCONNECTED, datetime(2026, 3, 30, 6, tzinfo=UTC))
    account = status(agency, AccountStatus.ACTIVE, datetime(2026, 3, 30, 7, tzinfo=UTC))
    with time_machine.travel(NOW, tick=False):
        strip = uptime_strip_of(account, BERLIN, days=5)
    assert [(segment.tone, segment.title) for segment in strip.segments] == [
        ("quiet", "Fri 27 Mar: no data"),
        ("good", "Sat 28 Mar: active"),
        ("good", "Sun 29 Mar: active"),
        ("warn", "Mon 30 Mar: down for 1 hour"),
        ("good", "Tue 31 Mar: active"),
    ]
    assert strip.label == "98.6% uptime in 5 days, down once"
    drawn = draw("{% uptime_strip strip %}", strip=strip)
    assert 'role="img" aria-label="98.6% uptime in 5 days, down once"' in drawn
    assert drawn.count("<rect") == drawn.count("<title>") == 5
    assert "style" not in drawn


def test_days_begin_at_midnight_where_the_agency_is() -> None:
    periods = last_days(NOW, BERLIN, 4)
    assert [begin.astimezone(UTC).hour for begin, _ in periods] == [23, 23, 22, 22]
    assert periods[-1][1] == NOW
    measures = measure_periods([Span("a", "active", NOW - 9 * DAY, NOW)], periods)
    assert [found.active / 3600 for found in measures] == [24, 23, 24, 14]


def test_measuring_periods_at_once_is_measuring_each() -> None:
    begin = NOW - 6 * DAY
    times = [begin, begin + DAY / 2, begin + 2 * DAY, begin + 2.25 * DAY, begin + 4.5 * DAY, NOW]
    words = ("active", "disconnected", "auth_error", "active", "blocked")
    spans = [Span("a", word, *ends) for word, *ends in zip(words, times, times[1:], strict=False)]
    spans += [Span("b", "active", begin + 3 * DAY, NOW), Span("b", "deleted", NOW - DAY, NOW)]
    periods = [(begin + n * DAY, begin + (n + 1) * DAY) for n in range(6)]
    together = measure_periods(spans, periods)
    assert together == [measure(spans, *period) for period in periods]
    assert [found.outages for found in together] == [1, 0, 0, 0, 1, 0]
    assert together[0] == Measure(active=43_200, down=43_200, outages=1)
    assert measure(spans, begin, NOW).outages == 2


def test_accounts_with_the_same_times_are_each_measured() -> None:
    spans = [Span(name, "active", NOW - DAY, NOW) for name in "abc"]
    spans += [Span(name, "blocked", NOW - DAY / 2, NOW) for name in "de"]
    assert measure(spans, NOW - DAY, NOW) == Measure(active=3 * 86_400, down=86_400, outages=2)


def test_a_share_is_never_rounded_to_all() -> None:
    assert [percent(share, 1) for share in (1, 0.99999, 0.5, 0)] == ["100%", "99.9%", "50.0%", "0.0%"]


def test_a_sparkline_says_its_values() -> None:
    drawn = draw("{% sparkline values label before=2 %}", values=[1, 2, 4, 0], label="Leads <a day>")
    assert 'aria-label="Leads &lt;a day&gt;: 1, 2, 4, 0"' in drawn
    assert re.findall(r'class="(spark-\w+)" d="(.*?)"', drawn)[1:] == [
        ("spark-before", "M0.0 23.0L40.0 16.0"),
        ("spark-now", "M40.0 16.0L80.0 2.0L120.0 30.0"),
    ]
    assert "no data" in draw("{% sparkline values 'Leads' %}", values=[])


def test_a_trend_says_by_how_much() -> None:
    found = [Trend(12, 10, ()), Trend(5, 10, ()), Trend(3, 3, ()), Trend(3, 0, ()), Trend(0, 0, ())]
    drawn = [" ".join(re.sub(r"<.*?>", "", draw("{% trend found %}", found=one)).split()) for one in found]
    assert drawn == ["▲ +20%", "▼ -50%", "– ±0%", "▲ new", "– none"]
    assert "trend-quiet" in draw("{% trend found tone=False %}", found=found[0])


def test_stacked_bars_lead_to_what_they_count_and_are_silent() -> None:
    bars = [Bar("1 May", [3, 1], "/leads?day=1&more"), Bar("2 May", [0, 0])]
    drawn = draw("{% stacked_bars bars series line=line name='Before' %}", bars=bars, series=["A&B", "C"], line=[8, 0])
    assert 'aria-hidden="true"' in drawn
    assert re.findall(r'href="(.*?)" tabindex="-1"', drawn) == ["/leads?day=1&amp;more"]
    assert re.findall(r"<title>(.*?)</title>", drawn) == ["1 May: 4 (A&amp;B 3, C 1)", "2 May: 0"]
    assert re.findall(r'<rect class="series-(\d)" x="1" y="(.*?)" width="8" height="(.*?)"', drawn) == [
        ("1", "62.50", "37.50"),
        ("2", "50.00", "12.50"),
    ]
    assert 'd="M5.0 0.0L15.0 100.0"' in drawn


def test_bars_may_say_what_their_sum_means() -> None:
    bars = [Bar("11:00", [1500], text="1.5 s"), Bar("12:00", [0], text="–")]
    drawn = draw("{% stacked_bars bars series %}", bars=bars, series=["Mean"])
    assert re.findall(r"<title>(.*?)</title>", drawn) == ["11:00: 1.5 s", "12:00: –"]
    assert '<p class="bars-most">1.5 s</p>' in drawn


def test_segments_are_as_wide_as_their_weights() -> None:
    segments = [Segment("good", "up", 3), Segment("bad", "down", 1)]
    drawn = draw("{% uptime_strip segments 'A week' begin='Mon' end='Sun' %}", segments=segments)
    assert re.findall(r' x="([\d.]+)" y="\d+" width="(.*?)"', drawn) == [("0.00", "90.00"), ("90.00", "30.00")]
    assert re.findall(r"<span>(.*?)</span>", drawn) == ["Mon", "A week", "Sun"]
    assert '<svg viewBox="0 0 120 20" preserveAspectRatio="none" aria-hidden="true">' in draw(
        "{% uptime_strip segments %}", segments=segments
    )


@pytest.mark.parametrize("seed", range(20))
def test_periods_have_of_many_spans_what_a_slow_sum_says(seed: int) -> None:
    chance = random.Random(seed)
    zone = ZoneInfo("Europe/Berlin")  # its clocks are set forward within these days
    first = datetime(2026, 3, 20, tzinfo=zone)
    begins = [first + day * DAY for day in range(chance.choice([1, 2, 14]))]
    periods = list(zip(begins, [*begins[1:], begins[-1] + chance.random() * DAY], strict=True))
    spans = []
    for account in range(30):
        at = first.astimezone(UTC) + timedelta(days=chance.uniform(-3, 10))
        for _ in range(chance.randrange(6)):
            end = at + timedelta(seconds=chance.choice([1, 3600, 86_400, 400_000]) * chance.random())
            spans.append(Span(str(account), chance.choice(["active", "blocked", "deleted", "auth_error"]), at, end))
            at = end
    for (begin, end), measured in zip(periods, measure_periods(spans, periods), strict=True):
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
        for statuses, seconds in ((["active"], measured.active), (["blocked", "auth_error"], measured.down)):
            parts = [min(span.end, end) - max(span.begin, begin) for span in spans if span.status in statuses]
            slow = sum(part.total_seconds() for part in parts if part > timedelta())
            assert seconds == pytest.approx(slow, abs=1e-3)
