"""Define when a lead converted, for reports and for what learns from outcomes. Nothing else defines it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Min, Q

from leads.enums import DEFAULT_CONVERSIONS, LeadStatus
from leads.models import FigureSettings, LeadChange


def conversions_of(agency_ids: Collection[str]) -> dict[str, tuple[LeadStatus, ...]]:
    """Return what each of these agencies counts as a conversion."""
    chosen = dict(FigureSettings.objects.filter(agency__in=agency_ids).values_list("agency", "conversions"))
    return {pk: tuple(map(LeadStatus, chosen.get(pk, DEFAULT_CONVERSIONS))) for pk in agency_ids}


def reached_statuses(lead_ids: Collection[str]) -> Mapping[str, Mapping[str, datetime]]:
    """Return when each of these leads first had each status, whatever became of it since."""
    reached: dict[str, dict[str, datetime]] = defaultdict(dict)
    reports = LeadChange.objects.filter(Q(applied=True) | Q(stated=True), lead__in=lead_ids, is_report=True).order_by()
    for pk, status, at in reports.values_list("lead", "new_status").annotate(at=Min("occurred_at")):
        reached[pk][status] = at
    return reached


def converted_at(reached: Mapping[str, datetime], conversions: Collection[str]) -> datetime | None:
    """Return when a lead converted: when it first had one of the statuses, whatever became of it since."""
    return min((at for status, at in reached.items() if status in conversions), default=None)
