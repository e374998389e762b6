"""Describe the pages of reports: which numbers each shows, what its chart stacks, and how it counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.api.account_report import GROUPS as ACCOUNT_GROUPS
from accounts.api.account_report import account_report
from accounts.api.report import Question
from accounts.models import Agency
from leads.analytics.counting import GROUPS
from leads.analytics.funnel_report import funnel_report
from leads.analytics.lead_report import lead_report
from leads.analytics.loss_report import loss_report
from leads.analytics.response_report import response_report
from leads.analytics.work_report import engagement_report, workload_report
from leads.portal.figures.explained import EXPLAINED

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A number of a report: its name there, what people call it, and whether it is a count, a share or seconds."""

    name: str
    title: Promise
    kind: str = "count"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of each bar of a chart."""

    title: Promise
    of: Callable[[Values], int]


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A page of one report. `time` is when a lead counts; "" is a report on accounts. `by` is how it is grouped first.

    `good` says whether more of the first number is good, None where it is neither.
    """

    title: Promise
    intro: Promise
    build: Callable[[Agency, Question], dict[str, Any]]
    time: str
    columns: Sequence[Column]
    parts: Sequence[Part]
    tiles: Sequence[str]
    explained: Sequence[Promise]
    by: str = ""
    size: str = "leads"
    groups: Sequence[str] = field(default_factory=lambda: tuple(GROUPS))
    good: frozenset[str] = frozenset({"leads", "conversions", "converted", "answered", "replied", "accepted"})


def _number(name: str) -> Callable[[Values], int]:
    return lambda row: row[name]


LEADS, CONVERSION, LOST = _("Leads"), _("Converted"), _("Lost")

PAGES: Mapping[str, ReportPage] = {
    "leads": ReportPage(
        _("Leads"),
        _("How many leads came, and how many converted."),
        lead_report,
        "received",
        (Column("leads", LEADS), Column("conversions", _("Conversions"))),
        (Part(LEADS, _number("leads")),),
        ("leads", "conversions"),
        EXPLAINED["leads"],
    ),
    "response-times": ReportPage(
        _("Response times"),
        _("How long leads waited for a person's first answer."),
        response_report,
        "asked",
        (
            Column("leads", _("Had to wait")),
            Column("answered", _("Answered")),
            Column("within_5m", _("≤ 5 min")),
            Column("within_15m", _("≤ 15 min")),
            Column("within_60m", _("≤ 60 min")),
            Column("within_24h", _("≤ 24 h")),
            Column("never", _("Not answered")),
            Column("median_seconds", _("Median"), "seconds"),
            Column("p90_seconds", _("90th percentile"), "seconds"),
        ),
        (
            Part(_("Within 5 minutes"), _number("within_5m")),
            Part(_("Within 60 minutes"), lambda row: row["within_60m"] - row["within_5m"]),
            Part(_("Within 24 hours"), lambda row: row["within_24h"] - row["within_60m"]),
            Part(_("Later than 24 hours"), lambda row: row["answered"] - row["within_24h"]),
            Part(_("Not answered"), _number("never")),
        ),
        ("median_seconds", "median_working_seconds", "within_15m", "never"),
        EXPLAINED["response-times"],
    ),
    "funnel": ReportPage(
        _("Funnel"),
        _("How far leads came, and where they stopped."),
        funnel_report,
        "received",
        (
            Column("leads", LEADS),
            Column("invited", _("Invited")),
            Column("accepted", _("Accepted")),
            Column("replied", _("Replied")),
            Column("converted", CONVERSION),
            Column("lost", LOST),
            Column("conversion_rate", _("Conversion"), "share"),
        ),
        (
            Part(CONVERSION, _number("converted")),
            Part(LOST, _number("lost")),
            Part(_("Open or done"), lambda row: max(row["leads"] - row["converted"] - row["lost"], 0)),
        ),
        ("leads", "accepted", "replied", "converted"),
        EXPLAINED["funnel"],
    ),
    "losses": ReportPage(
        _("Losses"),
        _("Which leads were lost, and why, as far as history proves it."),
        loss_report,
        "lost",
        (
            Column("lost", LOST),
            Column("account_down", _("Account down")),
            Column("no_owner", _("No owner")),
            Column("never_answered", _("Never answered")),
            Column("late", _("Answered late")),
            Column("other", _("Other")),
        ),
        (
            Part(_("Account down"), _number("account_down")),
            Part(_("No owner"), _number("no_owner")),
            Part(_("Never answered"), _number("never_answered")),
            Part(_("Answered late"), _number("late")),
            Part(_("Other"), _number("other")),
        ),
        ("lost", "never_answered", "late", "account_down"),
        EXPLAINED["losses"],
        size="lost",
        good=frozenset(),
    ),
    "engagement": ReportPage(
        _("Engagement"),
        _("How many leads accepted and replied."),
        engagement_report,
        "received",
        (
            Column("leads", LEADS),
            Column("invited", _("Invited")),
            Column("accepted", _("Accepted")),
            Column("acceptance_rate", _("Acceptance"), "share"),
            Column("replied", _("Replied")),
            Column("replies", _("First replies")),
            Column("reply_rate", _("Reply rate"), "share"),
            Column("converted", CONVERSION),
        ),
        (
            Part(_("Replied"), lambda row: row.get("replied", row.get("replies", 0))),
            Part(_("No reply"), lambda row: max(row["leads"] - row.get("replied", row.get("replies", 0)), 0)),
        ),
        ("leads", "acceptance_rate", "reply_rate", "replied"),
        EXPLAINED["engagement"],
        by="campaign",
    ),
    "workload": ReportPage(
        _("Workload"),
        _("Who has the leads, and what became of them."),
        workload_report,
        "received",
        (
            Column("leads", LEADS),
            Column("share", _("Share"), "share"),
            Column("open", _("Open")),
            Column("waiting", _("Awaiting reply")),
            Column("answered", _("Answered")),
            Column("never", _("Not answered")),
            Column("converted", CONVERSION),
            Column("lost", LOST),
            Column("median_working_seconds", _("Median answer"), "seconds"),
            Column("behind", _("Owed by pools"), "number"),
        ),
        (
            Part(_("Open"), _number("open")),
            Part(_("Closed"), lambda row: row["leads"] - row["open"]),
        ),
        ("leads", "open", "waiting", "unassigned"),
        EXPLAINED["workload"],
        by="member",
    ),
    "accounts": ReportPage(
        _("Accounts"),
        _("How long accounts were active, and how often they went down."),
        account_report,
        "",
        (
            Column("accounts", _("Accounts")),
            Column("uptime", _("Uptime"), "share"),
            Column("active_account_days", _("Active account-days"), "number"),
            Column("downtime_seconds", _("Down for"), "seconds"),
            Column("drops", _("Outages")),
        ),
        (Part(_("Hours down"), lambda row: round(row["downtime_seconds"] / 3600)),),
        ("accounts", "uptime", "drops", "downtime_seconds"),
        EXPLAINED["accounts"],
        size="downtime_seconds",
        groups=ACCOUNT_GROUPS,
        good=frozenset(),
    ),
}
#: Tiles of numbers that no column has.
TILES: Mapping[str, Column] = {
    "median_seconds": Column("median_seconds", _("median response"), "seconds"),
    "median_working_seconds": Column("median_working_seconds", _("median in working time"), "seconds"),
    "unassigned": Column("unassigned", _("unassigned")),
}
