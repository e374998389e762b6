"""The days on which leads came, as the bars of reports lead to them: from one midnight to before another."""

from collections.abc import Mapping

from django.utils.dateparse import parse_date

from accounts.api.report import midnight
from accounts.models import Agency
from accounts.tenancy.localtime import get_zone
from leads.models import LeadQuerySet

#: In the address --> how the time at which a lead came compares with the beginning of that day.
DAYS = {"received_after": "received_at__gte", "received_before": "received_at__lt"}


def received_between(query: Mapping[str, str], agency: Agency, leads: LeadQuerySet) -> LeadQuerySet:
    """Return the leads that came within the days that the address names. A day that is none is ignored."""
    for name, lookup in DAYS.items():
        try:
            day = parse_date(query.get(name, ""))
        except ValueError:
            continue
        if day and day.year > 1:
            leads = leads.filter(**{lookup: midnight(day, get_zone(agency.timezone))})
    return leads
