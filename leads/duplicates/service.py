"""Decide on proposals, merge leads and undo merges for people and API clients."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.tenancy.audit import Actor, record_audit
from leads.duplicates.proposals import between, group_of
from leads.enums import ProposalDecision
from leads.models import DuplicateProposal, Lead
from leads.pipeline.merge_by_hand import merge_by_hand
from leads.pipeline.unmerge import unmerge


@transaction.atomic
def accept(proposal: DuplicateProposal, *, by: Actor | None = None) -> Lead:
    """Merge the two leads of a proposal. Return the lead that is shown. To accept twice is to accept once."""
    lead = merge_by_hand(proposal.agency, proposal.lead_id, proposal.other_id, by=by)
    _decide(proposal, ProposalDecision.MERGED, by)
    return lead


@transaction.atomic
def dismiss(proposal: DuplicateProposal, *, by: Actor | None = None) -> DuplicateProposal:
    """Store that the two leads are two people, so that they are not proposed again. Raises FieldError if they were
    merged."""
    list(Lead.all_records.select_for_update().filter(pk__in=[proposal.lead_id, proposal.other_id]).order_by("pk"))
    proposal.refresh_from_db()
    if proposal.decision == ProposalDecision.MERGED:
        raise FieldError("", gettext("These leads were merged already. Undo the merge on the lead's page."))
    if not proposal.decision:
        _decide(proposal, ProposalDecision.DISMISSED, by)
        record_audit(
            proposal.agency,
            by=by,
            action=gettext_noop("Duplicate dismissed"),
            detail=f"{proposal.lead_id}, {proposal.other_id}",
        )
    return proposal


@transaction.atomic
def undo_merge(agency: Agency, record_id: str, *, by: Actor | None = None) -> tuple[Lead, Lead]:
    """Undo the merge of a record, which says that the two are two people. Return the lead and the record.

    Raises FieldError if the record is no merged one.
    """
    root, record = unmerge(agency, record_id, by=by)
    ids, other_ids = ({one.pk for one in group_of(lead)} for lead in (root, record))
    first, second = sorted((root.pk, record.pk))
    proposal, _ = DuplicateProposal.objects.get_or_create(lead_id=first, other_id=second, defaults={"agency": agency})
    for one in {proposal, *between(ids, other_ids)}:
        _decide(one, ProposalDecision.DISMISSED, by)
    return root, record


def _decide(proposal: DuplicateProposal, decision: ProposalDecision, by: Actor | None) -> None:
    proposal.decision, proposal.decided_at = decision, timezone.now()
    proposal.decided_by = by if isinstance(by, User) else None
    proposal.save(update_fields=["decision", "decided_at", "decided_by"])
