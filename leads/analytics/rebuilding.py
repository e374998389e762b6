"""Compute what reports count anew: of all leads by command, and of an agency's when its days or its words change."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import transaction

from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.reactions import request_reaction
from accounts.models import Agency, Reaction
from accounts.tenancy.agencies import on_time_zone_change
from leads.analytics.facts import write_facts
from leads.enums import furthest
from leads.models import Lead, LeadChange, LeadQuerySet

SUBSCRIBER = "figures of agencies"
BATCH = 500


@on_time_zone_change
def request_rebuild(agency: Agency) -> None:
    """Have the facts of all of an agency's leads computed anew shortly."""
    if Lead.objects.filter(agency=agency).exists():
        request_reaction(SUBSCRIBER, subject=agency.pk, facts={"after": ""}, work=AT_ONCE)


def react_to_agencies(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Compute the facts of each agency's next leads, in the order of their keys, and request the rest."""
    for reaction in reactions:
        leads = Lead.objects.filter(agency=reaction.subject, pk__gt=reaction.facts["after"]).order_by("pk")
        pks = list(leads.values_list("pk", flat=True)[:BATCH])
        write_facts(pks, work=work)
        if len(pks) == BATCH:
            request_reaction(SUBSCRIBER, subject=reaction.subject, facts={"after": pks[-1]}, work=work)


def rebuild_facts(agency: Agency | None = None) -> int:
    """Compute the furthest status and the facts of every lead, or of an agency's, from its history.

    Return the number of leads.
    """
    leads = Lead.all_records.order_by("pk")
    return sum(map(_rebuild, _batches(leads.filter(agency=agency) if agency else leads)))


def _batches(leads: LeadQuerySet) -> Iterator[list[str]]:
    last = ""
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
    write_facts([lead.pk for lead in leads if lead.merged_into_id is None])
    return len(leads)
