"""Report which leads were lost, and why, as far as history proves it."""

from typing import Any

from django.db.models import Count, Q

from accounts.api.report import Question
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency
from leads.analytics.counting import GROUPS, Facts, by_day, by_group, facts_in, named_groups, within
from leads.analytics.lead_report import label_of
from leads.enums import LossCause

COUNTS: dict[str, Any] = {
    "lost": Count("*"),
    **{cause.value: Count("agency", filter=Q(loss_cause=cause.value)) for cause in LossCause},
}


def loss_report(agency: Agency, question: Question) -> dict[str, Any]:
    """Report on the leads that are lost since some time within the window."""
    facts, window = facts_in(agency, question), question.window
    found = by_day(agency, facts, "lost", window, **COUNTS)
    none = dict.fromkeys(COUNTS, 0)
    lost = within(facts, "lost", window)
    groups = by_group(lost, question.group_by, **COUNTS) if question.group_by in GROUPS else {}
    return {
        "figures": _figures(lost),
        "series": [
            {"start": iso_timestamp(begin), "end": iso_timestamp(end), **found.get(label_of(begin, window), none)}
            for begin, end in window.periods()
        ],
        "groups": named_groups(agency, question.group_by, groups, order="lost"),
        "before": _figures(within(facts, "lost", question.before.window)),
    }


def _figures(lost: Facts) -> dict[str, Any]:
    return lost.aggregate(**COUNTS)
