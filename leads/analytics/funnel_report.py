"""Report how far leads came, and how long they took from step to step; and how campaigns engage people."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q

from accounts.api.report import Question
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency
from leads.analytics.counting import GROUPS, Facts, by_day, by_group, facts_in, named_groups, percentiles, within
from leads.analytics.lead_report import label_of
from leads.analytics.outcomes import STAGES

_CAME = {name: Q(furthest_status__in=statuses) | Q(converted_at__isnull=False) for name, statuses in STAGES.items()}
COUNTS: dict[str, Any] = {
    "leads": Count("*"),
    **{name: Count("agency", filter=condition) for name, condition in _CAME.items()},
    "converted": Count("converted_at"),
    "lost": Count("lost_at"),
}
#: Steps whose time both ends of are known: name --> the columns of its ends.
STEPS = {
    "received_to_invited": ("received_at", "invited_at"),
    "invited_to_accepted": ("invited_at", "accepted_at"),
    "accepted_to_replied": ("accepted_at", "replied_at"),
    "replied_to_converted": ("replied_at", "converted_at"),
    "received_to_converted": ("received_at", "converted_at"),
}


def funnel_report(agency: Agency, question: Question) -> dict[str, Any]:
    """Report on the leads that came within the window, as far as each has come by now."""
    facts, window = facts_in(agency, question), question.window
    found = by_day(agency, facts, "received", window, **COUNTS)
    none = dict.fromkeys(COUNTS, 0)
    came = within(facts, "received", window)
    groups = {}
    if question.group_by in GROUPS:
        groups = {key: with_rates(row) for key, row in by_group(came, question.group_by, **COUNTS).items()}
    return {
        "figures": _figures(came),
        "series": [
            {"start": iso_timestamp(begin), "end": iso_timestamp(end), **found.get(label_of(begin, window), none)}
            for begin, end in window.periods()
        ],
        "groups": named_groups(agency, question.group_by, groups),
        "before": _figures(within(facts, "received", question.before.window)),
    }


def with_rates(row: dict[str, int]) -> dict[str, Any]:
    """Return counts with the shares of one step in the step before."""
    return {
        **row,
        "acceptance_rate": _share(row["accepted"], row["invited"]),
        "reply_rate": _share(row["replied"], row["accepted"]),
        "conversion_rate": _share(row["converted"], row["leads"]),
    }


def _figures(came: Facts) -> dict[str, Any]:
    times = {name: _step_times(came, *ends) for name, ends in STEPS.items()}
    return {
        **with_rates(came.aggregate(**COUNTS)),
        "median_seconds": {name: _seconds(found[0]) for name, found in times.items()},
        "p90_seconds": {name: _seconds(found[1]) for name, found in times.items()},
    }


def _step_times(came: Facts, begin: str, end: str) -> list[timedelta | None]:
    """Return the median and the 90th percentile of the time between two steps, of leads that took them in order."""
    both = came.filter(**{f"{begin}__isnull": False, f"{end}__gte": F(begin)})
    took = both.annotate(took=ExpressionWrapper(F(end) - F(begin), output_field=DurationField()))
    return percentiles(took, "took").get("", [None, None])


def _seconds(took: timedelta | None) -> int | None:
    return None if took is None else int(took.total_seconds())


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
