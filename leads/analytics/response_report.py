"""Report how long leads waited for a person's first answer, and how many never got one."""

from typing import Any

from django.db.models import Count, Min, Q

from accounts.api.report import Question
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency
from leads.analytics.counting import (
    GROUPS,
    Facts,
    bucket,
    by_day,
    by_group,
    facts_in,
    named_groups,
    percentiles,
    within,
)
from leads.analytics.definitions import BUCKETS, NEVER
from leads.analytics.lead_report import label_of
from leads.enums import ENDED

UNANSWERED = Q(asked_at__isnull=False, response_seconds__isnull=True)
WAITING = UNANSWERED & ~Q(status__in=ENDED)
COUNTS: dict[str, Any] = {
    "leads": Count("*"),
    "answered": Count("response_seconds"),
    "within_5m": Count("agency", filter=Q(response_seconds__lte=BUCKETS["5m"])),
    "within_15m": Count("agency", filter=Q(response_seconds__lte=BUCKETS["15m"])),
    "within_60m": Count("agency", filter=Q(response_seconds__lte=BUCKETS["60m"])),
    "within_24h": Count("agency", filter=Q(response_seconds__lte=BUCKETS["24h"])),
    "never": Count("agency", filter=UNANSWERED),
}


def response_report(agency: Agency, question: Question) -> dict[str, Any]:
    """Report on the leads that first had to wait for a person within the window."""
    facts, window = facts_in(agency, question), question.window
    found = by_day(agency, facts, "asked", window, **COUNTS)
    none = dict.fromkeys(COUNTS, 0)
    return {
        "figures": figures_of(within(facts, "asked", window)),
        "series": [
            {"start": iso_timestamp(begin), "end": iso_timestamp(end), **found.get(label_of(begin, window), none)}
            for begin, end in window.periods()
        ],
        "groups": _groups(agency, within(facts, "asked", window), question.group_by),
        "before": figures_of(within(facts, "asked", question.before.window)),
    }


def figures_of(waits: Facts) -> dict[str, Any]:
    """Return the figures of leads that had to wait, in seconds. `waiting` are those that somebody may answer yet."""
    counts = waits.aggregate(**COUNTS, waiting=Count("agency", filter=WAITING), since=Min("asked_at", filter=WAITING))
    since = counts.pop("since")
    found = {name: percentiles(waits, name).get("", [None, None]) for name in MEASURES.values()}
    buckets = dict(waits.annotate(bucket=bucket()).values_list("bucket").annotate(n=Count("*")))
    return {
        **counts,
        "waiting_since": iso_timestamp(since) if since else None,
        "buckets": {name: buckets.get(name, 0) for name in (*BUCKETS, NEVER)},
        **{f"median_{name}": found[column][0] for name, column in MEASURES.items()},
        **{f"p90_{name}": found[column][1] for name, column in MEASURES.items()},
    }


#: The figure's name --> the column of the fact.
MEASURES = {
    "seconds": "response_seconds",
    "working_seconds": "response_working_seconds",
    "attempt_seconds": "attempt_seconds",
    "attempt_working_seconds": "attempt_working_seconds",
}


def _groups(agency: Agency, waits: Facts, group_by: str) -> list[dict[str, Any]]:
    if group_by not in GROUPS:
        return []
    times = percentiles(waits, "response_seconds", group_by)
    counts = by_group(waits, group_by, **COUNTS)
    for key, row in counts.items():
        row["median_seconds"], row["p90_seconds"] = times.get(key, (None, None))
    return named_groups(agency, group_by, counts)
