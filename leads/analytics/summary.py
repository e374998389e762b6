"""Sum up an agency's leads, campaigns and accounts in a period, for the page of reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import formats
from django.utils.translation import gettext as _

from accounts.core.enums import AccountStatus
from accounts.core.markup import Tone, duration
from accounts.linkedin import uptime
from accounts.linkedin.uptime import Measure, Span
from accounts.models import Account, Agency, Campaign, Source
from accounts.web.portal.pictures import Segment, Strip, Trend, percent
from leads.analytics.daily import reached, received_by_source
from leads.analytics.lead_report import label_of
from leads.analytics.outcomes import Outcomes, outcomes_by_campaign
from leads.analytics.periods import Comparison

MAX_SOURCES = 5  # of a chart; the rest is one series
MAX_CAMPAIGNS, MAX_ACCOUNTS = 15, 10  # of the page; the rest is in the CSV files
#: Of fewer leads no rate is compared: one lucky lead would win.
ENOUGH_LEADS = 10
#: Shares of all accounts' time that are good and fair.
GOOD, FAIR = 0.98, 0.9


@dataclass(frozen=True, slots=True)
class LeadSummary:
    """Leads by period and source, beside the period before. `values` has a row a source."""

    periods: list[tuple[datetime, datetime]]
    sources: list[str]
    values: list[list[int]]
    before_values: list[int]
    leads: Trend
    replies: Trend
    conversions: Trend


@dataclass(frozen=True, slots=True)
class CampaignRow:
    campaign: Campaign
    outcomes: Outcomes

    @property
    def rate(self) -> str:
        return "" if self.outcomes.conversion is None else percent(self.outcomes.conversion, 1)


@dataclass(frozen=True, slots=True)
class CampaignSummary:
    """Campaigns with leads in the period, what converts best first. `best` is None where too few leads came."""

    rows: list[CampaignRow]
    best: CampaignRow | None
    more: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    account: Account
    measured: Measure
    strip: Strip

    @property
    def share(self) -> str:
        return "" if self.measured.uptime is None else percent(self.measured.uptime, 1)

    @property
    def down(self) -> str:
        return duration(timedelta(seconds=self.measured.down))


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """The uptime of all accounts, by period and as a whole, and those that were down longest."""

    strip: Strip
    share: str
    outages: Trend
    rows: list[AccountRow]
    accounts: int
    without_outage: int


def lead_summary(agency: Agency, compared: Comparison) -> LeadSummary:
    now, before = compared.now, compared.before
    found = received_by_source(agency, compared.whole)
    totals: dict[str | None, int] = {}
    for (key, source), number in found.items():
        if key >= label_of(now.begin, now):
            totals[source] = totals.get(source, 0) + number
    ranked = sorted(totals, key=lambda source: (-totals[source], source or ""))
    shown, rest = ranked[:MAX_SOURCES], ranked[MAX_SOURCES:]
    names = {source.pk: str(source) for source in Source.objects.filter(pk__in=[pk for pk in shown if pk])}
    periods = now.periods()
    keys = [label_of(begin, now) for begin, _end in periods]
    values = [[found.get((key, source), 0) for key in keys] for source in shown]
    if rest:
        values.append([sum(found.get((key, source), 0) for source in rest) for key in keys])
    by_key: dict[str, int] = {}
    for (key, _source), number in found.items():
        by_key[key] = by_key.get(key, 0) + number
    earlier = [by_key.get(label_of(begin, before), 0) for begin, _end in before.periods()][: len(keys)]
    daily = [sum(row[number] for row in values) for number in range(len(keys))]
    whole_before = sum(by_key.get(label_of(begin, before), 0) for begin, _end in before.periods())
    moved = reached(agency, now, before)
    return LeadSummary(
        periods=periods,
        sources=[names.get(source, _("Other")) if source else _("No source") for source in shown]
        + ([_("Other sources")] if rest else []),
        values=values,
        before_values=earlier,
        leads=Trend(sum(daily), whole_before, daily),
        replies=Trend(*moved.replies, ()),
        conversions=Trend(*moved.conversions, ()),
    )


def campaign_summary(agency: Agency, compared: Comparison) -> CampaignSummary:
    """Sum up the leads that came within the period, by campaign, as far as each has come by now."""
    found = outcomes_by_campaign(agency, received=(compared.now.begin, compared.now.end))
    ranked = sorted(found.items(), key=lambda item: _rank(item[1]))
    campaigns = Campaign.objects.in_bulk([pk for pk, _outcomes in ranked[:MAX_CAMPAIGNS]])
    rows = [CampaignRow(campaigns[pk], outcomes) for pk, outcomes in ranked[:MAX_CAMPAIGNS] if pk in campaigns]
    best = rows[0] if rows and rows[0].outcomes.leads >= ENOUGH_LEADS and rows[0].outcomes.converted else None
    return CampaignSummary(rows, best, more=max(len(ranked) - MAX_CAMPAIGNS, 0))


def account_summary(agency: Agency, compared: Comparison, most: int | None = MAX_ACCOUNTS) -> AccountSummary:
    now, before = compared.now, compared.before
    accounts = uptime.watched(agency.accounts.exclude(status=AccountStatus.DELETED).order_by("id"))
    spans = uptime.account_spans(accounts, before.begin, now.end, agency=agency)
    by_account: dict[str, list[Span]] = {}
    for span in spans:
        by_account.setdefault(span.account_id, []).append(span)
    seconds = {key: uptime.seconds_down(found, now.begin, now.end) for key, found in by_account.items()}
    down = sorted((key for key in seconds if seconds[key]), key=lambda key: -seconds[key])
    shown = Account.objects.in_bulk(down[:most])
    periods = now.periods()
    days = uptime.measure_periods(spans, periods)
    whole = uptime.measure(spans, now.begin, now.end)
    share = "" if whole.uptime is None else percent(whole.uptime, 1)
    return AccountSummary(
        strip=Strip(
            [_segment_of_all(begin, day) for (begin, _end), day in zip(periods, days, strict=True)],
            _("%(share)s uptime of all accounts") % {"share": share} if share else _("No data yet"),
        ),
        share=share,
        outages=Trend(whole.outages, uptime.measure(spans, before.begin, before.end).outages, ()),
        rows=[
            AccountRow(
                shown[key],
                uptime.measure(by_account[key], now.begin, now.end),
                _strip_of(by_account[key], now.begin),
            )
            for key in down[:most]
            if key in shown
        ],
        accounts=len(accounts),
        without_outage=len(accounts) - len(down),
    )


def _rank(outcomes: Outcomes) -> tuple[bool, float, int]:
    """Return what sorts campaigns: those with enough leads first, by their rate, then by their leads."""
    return (outcomes.leads < ENOUGH_LEADS, -(outcomes.conversion or 0), -outcomes.leads)


def _segment_of_all(begin: datetime, measured: Measure) -> Segment:
    """Return what the strip of all accounts shows of a day or a week: of many accounts some are always down."""
    date = formats.date_format(begin, "D j M")
    if measured.uptime is None:
        return Segment("quiet", _("%(date)s: no data") % {"date": date})
    tone: Tone = "good" if measured.uptime >= GOOD else "warn" if measured.uptime >= FAIR else "bad"
    return Segment(tone, f"{date}: {percent(measured.uptime, 1)}")


def _strip_of(spans: Sequence[Span], begin: datetime) -> Strip:
    """Return the strip of one account: as long as each of its states lasted."""
    parts: list[Segment] = []
    for span in spans:
        seconds = (span.end - max(span.begin, begin)).total_seconds()
        if seconds > 0:
            parts.append(Segment("bad", _("Down"), seconds) if span.is_down else Segment("good", _("Active"), seconds))
    return Strip(parts, "")
