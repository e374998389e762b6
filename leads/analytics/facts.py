"""Compute what reports count of leads anew from their history, while everything works."""

from collections import defaultdict
from collections.abc import Iterator

from django.db import transaction

from leads.enums import furthest
from leads.models import Lead, LeadChange

BATCH = 500


def rebuild_facts() -> int:
    """Compute the furthest status of every lead from its history. Return the number of leads."""
    return sum(map(_rebuild, _batches()))


def _batches() -> Iterator[list[str]]:
    leads, last = Lead.all_records.order_by("pk"), ""
    while pks := list(leads.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield pks
        last = pks[-1]


@transaction.atomic
def _rebuild(pks: list[str]) -> int:
    """Lock a batch of leads, in the order in which all lock them, and save what their history says."""
    reported = defaultdict(set)
    leads = list(Lead.all_records.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk"))
    rows = LeadChange.objects.filter(lead__in=pks, is_report=True).values_list("lead", "new_status").distinct()
    for pk, status in rows:
        reported[pk].add(status)
    for lead in leads:
        lead.furthest_status = furthest((lead.status, *reported[lead.pk]))
    Lead.all_records.bulk_update(leads, ["furthest_status"])
    return len(leads)
