"""Report how people answer campaigns, and how work is spread over members."""

from typing import Any

from django.db.models import Count, Q, Sum

from accounts.api.report import Question
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency
from leads.analytics.counting import GROUPS, Facts, by_day, by_group, facts_in, named_groups, percentiles, within
from leads.analytics.funnel_report import COUNTS as STAGE_COUNTS
from leads.analytics.funnel_report import with_rates
from leads.analytics.lead_report import label_of
from leads.analytics.response_report import UNANSWERED, WAITING
from leads.enums import ENDED
from leads.models import PoolMember
from leads.pipeline.assigning import LEAD

WORK_COUNTS: dict[str, Any] = {
    "leads": Count("*"),
    "open": Count("agency", filter=~Q(status__in=ENDED)),
    "waiting": Count("agency", filter=WAITING),
    "answered": Count("response_seconds"),
    "never": Count("agency", filter=UNANSWERED),
    "converted": Count("converted_at"),
    "lost": Count("lost_at"),
}


def engagement_report(agency: Agency, question: Question) -> dict[str, Any]:
    """Report on the leads that came within the window: how many accepted and replied, by campaign unless by another
    group."""
    facts, window = facts_in(agency, question), question.window
    came = within(facts, "received", window)
    group_by = question.group_by if question.group_by in GROUPS else "campaign"
    replies = by_day(agency, facts, "replied", window)
    leads = by_day(agency, facts, "received", window)
    groups = {key: with_rates(row) for key, row in by_group(came, group_by, **STAGE_COUNTS).items()}
    return {
        "figures": with_rates(came.aggregate(**STAGE_COUNTS)),
        "series": [
            {
                "start": iso_timestamp(begin),
                "end": iso_timestamp(end),
                "leads": leads.get(label_of(begin, window), {}).get("n", 0),
                "replies": replies.get(label_of(begin, window), {}).get("n", 0),
            }
            for begin, end in window.periods()
        ],
        "groups": named_groups(agency, group_by, groups),
        "before": with_rates(within(facts, "received", question.before.window).aggregate(**STAGE_COUNTS)),
    }


def workload_report(agency: Agency, question: Question) -> dict[str, Any]:
    """Report on the leads that came within the window, by the member who has them unless by another group.

    `share` is a group's share of all of them. `behind` says of a member how many leads the pools owe them.
    """
    facts, window = facts_in(agency, question), question.window
    came = within(facts, "received", window)
    group_by = question.group_by if question.group_by in GROUPS else "member"
    found = by_day(agency, facts, "received", window, **WORK_COUNTS)
    none = dict.fromkeys(WORK_COUNTS, 0)
    return {
        "figures": _figures(came),
        "series": [
            {"start": iso_timestamp(begin), "end": iso_timestamp(end), **found.get(label_of(begin, window), none)}
            for begin, end in window.periods()
        ],
        "groups": _groups(agency, came, group_by),
        "before": _figures(within(facts, "received", question.before.window)),
    }


def _figures(came: Facts) -> dict[str, Any]:
    counts = came.aggregate(**WORK_COUNTS, unassigned=Count("agency", filter=Q(assigned_to__isnull=True)))
    median = percentiles(came, "response_working_seconds").get("", [None])[0]
    return {**counts, "median_working_seconds": median}


def _groups(agency: Agency, came: Facts, group_by: str) -> list[dict[str, Any]]:
    counts: dict[Any, dict[str, Any]] = dict(by_group(came, group_by, **WORK_COUNTS))
    medians = percentiles(came, "response_working_seconds", group_by)
    everything = sum(row["leads"] for row in counts.values())
    owed = _owed_by_pools(agency) if group_by == "member" else {}
    for key, row in counts.items():
        row["median_working_seconds"] = medians.get(key, [None])[0]
        row["share"] = round(row["leads"] / everything, 4) if everything else None
        if group_by == "member":
            row["behind"] = owed.get(key)
    return named_groups(agency, group_by, counts)


def _owed_by_pools(agency: Agency) -> dict[int, float]:
    """Return by user how many leads the agency's pools owe each member; less than nothing: they are ahead."""
    rows = PoolMember.objects.filter(pool__agency=agency).values_list("member__user").annotate(behind=Sum("behind"))
    return {user: round(behind / LEAD, 1) for user, behind in rows}
