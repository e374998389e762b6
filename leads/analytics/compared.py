"""Count a report's leads of the period before, for each of its periods and groups."""

from typing import Any

from django.db.models import Count

from accounts.api.report import Question
from accounts.models import Agency
from leads.analytics.counting import Key, by_day, by_group, facts_in, named_groups, within
from leads.analytics.lead_report import label_of


def counts_before(agency: Agency, question: Question, time: str) -> list[int]:
    """Return for each of the question's periods how many leads the one in its place had in the period before."""
    earlier = question.before
    found = by_day(agency, facts_in(agency, earlier), time, earlier.window)
    keys = [label_of(begin, earlier.window) for begin, _end in earlier.window.periods()]
    counts = [found.get(key, {}).get("n", 0) for key in keys]
    return counts[: len(question.window.periods())]


def group_counts_before(agency: Agency, question: Question, group_by: str, time: str) -> dict[Key, int]:
    """Return how many leads of the period before each group had, by the key that reports give it."""
    earlier = question.before
    facts: Any = within(facts_in(agency, earlier), time, earlier.window)
    rows = named_groups(agency, group_by, by_group(facts, group_by, n=Count("*")), order="n")
    return {row[group_by]: row["n"] for row in rows}
