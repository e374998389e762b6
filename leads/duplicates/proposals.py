"""Keep the proposals that leads are one person up to date. Each pair has at most one, whoever looks at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.core.unit_of_work import UnitOfWork
from accounts.models import Agency, Reaction
from leads.duplicates.likeness import similar_leads
from leads.enums import ProposalDecision
from leads.models import DuplicateProposal, Lead
from leads.pipeline.merge import on_merge, root_ids
from leads.pipeline.own_values import records_of

SUBSCRIBER = "duplicates"
Pair = tuple[str, str]


def react_to_leads(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Propose for leads that were created, or whose details changed."""
    update_proposals({reaction.subject for reaction in reactions})


@transaction.atomic
def update_proposals(lead_ids: Collection[str]) -> None:
    """Propose the leads that look like these, and withdraw open proposals that no longer hold."""
    roots = set(root_ids(sorted(lead_ids)).values())
    by_agency: dict[str, dict[str, list[Lead]]] = defaultdict(dict)
    for lead in Lead.objects.without_tests().filter(pk__in=roots).order_by("pk"):
        by_agency[lead.agency_id][lead.pk] = group_of(lead)
    for agency_id, groups in by_agency.items():
        _update(agency_id, groups)


def open_proposals(agency: Agency) -> QuerySet[DuplicateProposal]:
    """Return the proposals that nobody decided. Those of records that were merged meanwhile are left out."""
    rows = DuplicateProposal.objects.filter(agency=agency, decision="")
    return rows.filter(lead__merged_into__isnull=True, other__merged_into__isnull=True)


def between(ids: Collection[str], other_ids: Collection[str]) -> QuerySet[DuplicateProposal]:
    """Return the proposals of a record of one group with a record of another."""
    one, other = Q(lead__in=ids, other__in=other_ids), Q(lead__in=other_ids, other__in=ids)
    return DuplicateProposal.objects.filter(one | other)


def group_of(lead: Lead) -> list[Lead]:
    """Return a lead with the records that were merged into it."""
    return [lead, *(records_of(lead) if lead.has_records else ())]


@on_merge
def close_proposals(kept: Lead, other: Lead) -> None:
    """Mark the proposals between two leads as merged, however they come to be merged."""
    ids, other_ids = ({record.pk for record in group_of(lead)} for lead in (kept, other))
    undecided = between(ids, other_ids).exclude(decision=ProposalDecision.MERGED)
    undecided.update(decision=ProposalDecision.MERGED, decided_at=timezone.now())


def _update(agency_id: str, groups: Mapping[str, Sequence[Lead]]) -> None:
    found = {
        _in_order(pk, other): [str(reason) for reason in reasons]
        for pk, others in similar_leads(agency_id, groups).items()
        for other, reasons in others.items()
    }
    ids = {record.pk for records in groups.values() for record in records}
    known = list(DuplicateProposal.objects.filter(Q(lead__in=ids) | Q(other__in=ids))) if groups else []
    refused = _root_pairs(one for one in known if one.decision == ProposalDecision.DISMISSED)
    undecided = {(one.lead_id, one.other_id): one for one in known if not one.decision}
    stale = [one.pk for pair, one in undecided.items() if groups.keys() & set(pair) and pair not in found]
    if stale:
        DuplicateProposal.objects.filter(pk__in=stale, decision="").delete()
    for pair, reasons in found.items():
        if pair in undecided and undecided[pair].reasons != reasons:
            DuplicateProposal.objects.filter(pk=undecided[pair].pk).update(reasons=reasons)
    rows = [
        DuplicateProposal(agency_id=agency_id, lead_id=pair[0], other_id=pair[1], reasons=reasons)
        for pair, reasons in sorted(found.items())
        if pair not in undecided and pair not in refused
    ]
    if rows:
        DuplicateProposal.objects.bulk_create(rows, ignore_conflicts=True)


def _root_pairs(proposals: Iterable[DuplicateProposal]) -> set[Pair]:
    """Return the pairs of leads that proposals of their records are about now."""
    pairs = [(one.lead_id, one.other_id) for one in proposals]
    roots = root_ids({pk for pair in pairs for pk in pair}) if pairs else {}
    return {_in_order(roots[one], roots[other]) for one, other in pairs}


def _in_order(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)
