"""Count an agency's leads by day: those that came, and those that reached a status. Test leads never count."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import Count, F, Q, QuerySet

from accounts.api.report import Window
from accounts.models import Agency
from leads.analytics.lead_report import by_period, period_key
from leads.enums import CONVERTED, REPLIED, LeadStatus
from leads.models import Lead, LeadChange


class Reached(NamedTuple):
    """How many leads replied and converted, now and before."""

    replies: tuple[int, int]
    conversions: tuple[int, int]


def received_leads(agency: Agency, window: Window) -> QuerySet[Lead]:
    """Return the leads that came within the window."""
    return agency.leads.without_tests().filter(received_at__gte=window.begin, received_at__lt=window.end)


def moves(agency: Agency, window: Window, *statuses: LeadStatus) -> QuerySet[LeadChange]:
    """Return the reports by which a lead got one of the statuses within the window, as `lead_report` counts them.

    Each of the statuses is one of `REPLIED`: only leads that ever replied are looked at, which have an index.
    """
    changes = LeadChange.objects.filter(
        new_status__in=statuses, applied=True, is_report=True, occurred_at__gte=window.begin, occurred_at__lt=window.end
    )
    ours = changes.filter(
        lead__agency=agency,
        lead__is_test=False,
        lead__merged_into__isnull=True,
        lead__furthest_status__in=REPLIED,
    )
    return ours.exclude(previous_status=F("new_status")).order_by()


def received_by_day(agency: Agency, window: Window) -> Mapping[str, int]:
    """Return the number of leads that came, by the day."""
    found = by_period(received_leads(agency, window), "received_at", window).values("period").annotate(n=Count("pk"))
    return {period_key(row["period"], window): row["n"] for row in found}


def moved_by_day(agency: Agency, window: Window, *statuses: LeadStatus) -> Mapping[str, int]:
    """Return the number of leads that got one of the statuses, by the day."""
    rows = by_period(moves(agency, window, *statuses), "occurred_at", window).values("period")
    return {period_key(row["period"], window): row["n"] for row in rows.annotate(n=Count("lead", distinct=True))}


def received_by_source(agency: Agency, window: Window) -> Mapping[tuple[str, str | None], int]:
    """Return the number of leads that came, by the period and the id of the source."""
    rows = by_period(received_leads(agency, window), "received_at", window).values("period", "source")
    return {(period_key(row["period"], window), row["source"]): row["n"] for row in rows.annotate(n=Count("*"))}


def reached(agency: Agency, now: Window, before: Window) -> Reached:
    """Return how many leads replied and converted within a window, and within the one before it."""
    whole = Window(before.begin, now.end, now.zone, now.period)
    in_window = {"now": Q(occurred_at__gte=now.begin), "before": Q(occurred_at__lt=before.end)}
    statuses = {"replies": (LeadStatus.REPLY_RECEIVED,), "conversions": CONVERTED}
    counts = {
        f"{what}_{when}": Count("lead", distinct=True, filter=Q(new_status__in=wanted) & condition)
        for what, wanted in statuses.items()
        for when, condition in in_window.items()
    }
    found = moves(agency, whole, *sum(statuses.values(), ())).aggregate(**counts)
    return Reached(
        (found["replies_now"], found["replies_before"]), (found["conversions_now"], found["conversions_before"])
    )
