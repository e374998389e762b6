"""Count an agency's leads by day: those that came, and those that replied or converted. Test leads never count."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import Count

from accounts.api.report import Window
from accounts.models import Agency
from leads.analytics.counting import Facts, by_day, first_day, within
from leads.models import LeadFact


class Reached(NamedTuple):
    """How many leads replied and converted, now and before."""

    replies: tuple[int, int]
    conversions: tuple[int, int]


def counted_leads(agency: Agency) -> Facts:
    return LeadFact.objects.filter(agency=agency, is_test=False)


def leads_by_day(agency: Agency, window: Window, time: str) -> Mapping[str, int]:
    """Return the number of leads that `received`, `replied` or `converted` in the window, by the day."""
    return {day: row["n"] for day, row in by_day(agency, counted_leads(agency), time, window).items()}


def received_by_source(agency: Agency, window: Window) -> Mapping[tuple[str, str | None], int]:
    """Return the number of leads that came, by the period and the id of the source."""
    found: dict[tuple[str, str | None], int] = {}
    rows = within(counted_leads(agency), "received", window).values_list("received_on", "source")
    for day, source, number in rows.annotate(n=Count("*")):
        key = (first_day(day, window), source)
        found[key] = found.get(key, 0) + number
    return found


def reached(agency: Agency, now: Window, before: Window) -> Reached:
    """Return how many leads replied and converted within a window, and within the one before it."""
    leads = counted_leads(agency)

    def counts(time: str) -> tuple[int, int]:
        return within(leads, time, now).count(), within(leads, time, before).count()

    return Reached(counts("replied"), counts("converted"))
