"""Each figure of the reports on leads equals a plain count over the rows, whatever happened to the leads."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from accounts.api.report import Question, Window
from accounts.models import Agency, Member
from leads.analytics.funnel_report import funnel_report
from leads.analytics.lead_report import lead_report
from leads.analytics.loss_report import loss_report
from leads.analytics.response_report import response_report
from leads.analytics.work_report import engagement_report, workload_report
from leads.enums import LeadStatus, LossCause
from leads.models import LeadFact, LeadStep
from tests.leads.analytics.playing import MONDAY, Play
from tests.reactions import react

DAY = timedelta(days=1)
ACCEPTED = ("CONNECTION_ACCEPTED", "MESSAGE_SENT", "REPLY_RECEIVED", "OPPORTUNITY", "MEETING_BOOKED")
REPLIED = ("REPLY_RECEIVED", "OPPORTUNITY", "MEETING_BOOKED")


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def asked(group_by: str = "day", zone: str = "UTC", days: int = 12, **more: Any) -> Question:
    end = timezone.now() + timedelta(seconds=1)
    window = Window(end - days * DAY, end, ZoneInfo(zone), group_by if group_by in ("week", "month") else "day")
    options = {"provider": "", "location_id": "", "include_inactive": True, "include_test": False}
    return Question(window=window, group_by=group_by, **{**options, **more})


def rank(values: Sequence[Any], share: int) -> Any:
    ordered = sorted(values)
    return ordered[(len(ordered) * share + 99) // 100 - 1] if ordered else None


def within(time: str, window: Window) -> list[LeadFact]:
    rows = LeadFact.objects.filter(is_test=False)
    return [row for row in rows if (at := getattr(row, time)) and window.begin <= at < window.end]


def bucket_of(row: LeadFact) -> str:
    if row.response_seconds is None:
        return "never" if row.asked_at else ""
    limits = {"5m": 300, "15m": 900, "60m": 3600, "24h": 86_400}
    return next((name for name, most in limits.items() if row.response_seconds <= most), "later")


def check_responses(agency: Agency, question: Question) -> None:
    found, waits = response_report(agency, question), within("asked_at", question.window)
    figures, seconds = found["figures"], [row.response_seconds for row in waits if row.response_seconds is not None]
    assert (figures["leads"], figures["answered"]) == (len(waits), len(seconds))
    assert (figures["median_seconds"], figures["p90_seconds"]) == (rank(seconds, 50), rank(seconds, 90))
    attempts = [row.attempt_working_seconds for row in waits if row.attempt_working_seconds is not None]
    assert figures["median_attempt_working_seconds"] == rank(attempts, 50)
    names = [bucket_of(row) for row in waits]
    assert figures["buckets"] == {name: names.count(name) for name in figures["buckets"]}
    assert figures["never"] == names.count("never")
    assert sum(row["leads"] for row in found["series"]) == len(waits)
    for group in response_report(agency, asked("weekday"))["groups"]:
        mine = [row for row in within("asked_at", question.window) if row.received_weekday == group["weekday"]]
        times = [row.response_seconds for row in mine if row.response_seconds is not None]
        assert (group["leads"], group["median_seconds"]) == (len(mine), rank(times, 50))


def check_funnel(agency: Agency, question: Question) -> None:
    found, came = funnel_report(agency, question), within("received_at", question.window)
    figures = found["figures"]
    assert figures["accepted"] == sum(row.furthest_status in ACCEPTED or row.converted_at is not None for row in came)
    assert figures["replied"] == sum(row.furthest_status in REPLIED or row.converted_at is not None for row in came)
    assert figures["converted"] == sum(row.converted_at is not None for row in came)
    took = [
        row.converted_at - row.replied_at
        for row in came
        if row.converted_at and row.replied_at and row.converted_at >= row.replied_at
    ]
    expected = rank(took, 50)
    assert figures["median_seconds"]["replied_to_converted"] == (expected and int(expected.total_seconds()))
    engaged = engagement_report(agency, asked("lead_type"))
    assert [row["replied"] for row in engaged["groups"]] == ([figures["replied"]] if came else [])


def check_losses(agency: Agency, question: Question) -> None:
    found, lost = loss_report(agency, question), within("lost_at", question.window)
    causes = [row.loss_cause for row in lost]
    expected = {cause.value: causes.count(cause.value) for cause in LossCause}
    assert found["figures"] == {"lost": len(lost), **expected}
    assert {name: sum(row[name] for row in found["series"]) for name in found["figures"]} == found["figures"]


def check_work(agency: Agency, question: Question) -> None:
    came = within("received_at", question.window)
    members = dict(Member.objects.filter(agency=agency).values_list("user", "pk"))
    owners = [members.get(row.assigned_to_id or 0) for row in came]
    found = {row["member"]: row["leads"] for row in workload_report(agency, question)["groups"]}
    assert found == {owner: owners.count(owner) for owner in set(owners)}


def check_leads(agency: Agency, question: Question) -> None:
    found, window = lead_report(agency, question), question.window
    steps = LeadStep.objects.filter(reached_at__gte=window.begin, reached_at__lt=window.end, lead__fact__is_test=False)
    reached = list(steps.values_list("status", flat=True))
    assert found["figures"]["changes"] == {status.value: reached.count(status) for status in LeadStatus}
    assert found["figures"]["leads"] == len(within("received_at", window))
    assert found["figures"]["conversions"] == len(within("converted_at", window))
    days = [row.received_at.astimezone(window.zone).date() for row in within("received_at", window)]
    series = {datetime.fromisoformat(row["start"]).astimezone(window.zone).date(): row for row in found["series"]}
    assert {day: row["leads"] for day, row in series.items()} == {day: days.count(day) for day in series}
    assert {day: sum(row["changes"].values()) for day, row in series.items()} != {} or not reached


CHECKS: list[Callable[[Agency, Question], None]] = [
    check_responses,
    check_funnel,
    check_losses,
    check_work,
    check_leads,
]


@pytest.mark.parametrize("seed", range(10, 13))
def test_figures_equal_a_plain_count(agency: Agency, clock: time_machine.Traveller, seed: int) -> None:
    play = Play(agency, seed)
    for _ in range(60):
        clock.shift(timedelta(minutes=play.chance.choice([1, 20, 200, 700])))
        play.step()
    react()
    for check in CHECKS:
        for zone, days in (("UTC", 12), ("America/New_York", 5)):
            question = asked(zone=zone, days=days)
            check(agency, question) if days == 12 else check_leads(agency, question)


def test_the_period_before_is_as_long(agency: Agency, clock: time_machine.Traveller) -> None:
    play = Play(agency, 1)
    react()
    clock.shift(3 * DAY)
    play.create()
    react()
    found = funnel_report(agency, asked(days=2))
    assert (found["figures"]["leads"], found["before"]["leads"]) == (1, 1)
    before = asked(days=2).before.window
    assert (before.end - before.begin, before.end) == (2 * DAY, asked(days=2).window.begin)


def test_only_the_leads_of_a_member_or_a_campaign_count(agency: Agency, stranger: Agency) -> None:
    play = Play(agency, 1)
    member, other = play.members
    play.some()
    LeadFact.objects.all().delete()
    react()
    LeadFact.objects.update(assigned_to=member.user)
    assert funnel_report(agency, asked(member=member.pk))["figures"]["leads"] == 1
    assert funnel_report(agency, asked(member=other.pk))["figures"]["leads"] == 0
    assert funnel_report(agency, asked(member="nobody"))["figures"]["leads"] == 0
    assert funnel_report(agency, asked(campaign="none"))["figures"]["leads"] == 0
    assert funnel_report(stranger, asked())["figures"]["leads"] == 0
