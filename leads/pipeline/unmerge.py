"""Part a record from the lead that it was merged into, as if the two had never been merged."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import F

from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.tenancy.audit import Actor
from leads.enums import furthest
from leads.models import Lead, LeadMerge, OwnValues
from leads.pipeline.children import return_children
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.merge import lock_root
from leads.pipeline.merge_history import record_undo
from leads.pipeline.own_values import free_key, keep_own_values, records_of, show_together
from leads.pipeline.values import read_values, to_json

#: Called with a lead whose rows changed because records were parted, before it is saved.
_hooks: list[Callable[[Lead], None]] = []


def on_unmerge(hook: Callable[[Lead], None]) -> Callable[[Lead], None]:
    """Register `hook` for what has to be computed anew of a lead from the rows that it has left, unsaved."""
    _hooks.append(hook)
    return hook


@transaction.atomic
def unmerge(agency: Agency, record_id: str, *, by: Actor | None = None) -> tuple[Lead, Lead]:
    """Undo the merge of a record. Return the lead that it was part of, and the record, which is a lead again.

    Records that were merged into the record stay with it. Raises FieldError if the record is no merged one.
    """
    root = lock_root(record_id, Lead.all_records.select_for_update().filter(agency=agency))
    record = Lead.all_records.select_for_update().filter(pk=record_id, merged_into__isnull=False).first()
    if root is None or record is None:
        raise FieldError("record", "No lead was merged under this id.")
    above = _records_above(record)
    for lead in above:
        keep_own_values(lead)
    merge = LeadMerge.objects.get(record=record)
    record_ids = [record.pk, *(below.pk for below in records_of(record))]
    merge.delete()
    Lead.all_records.filter(pk=record.pk).update(merged_into=None)
    return_children(root.pk, record_ids, record.pk)
    for lead in above:
        show_together(lead)
    root = above[-1]
    root.campaign_id = merge.replaced.get("campaign_id", root.campaign_id)
    record.merged_into = None
    record.linkedin_key = free_key(record, merge.linkedin_key)
    for lead in (root, record):
        _restate(lead)
        for hook in _hooks:
            hook(lead)
        lead.save()
        request_detail_reactions(lead)
    record_undo(root, record, by)
    if record.has_records:
        OwnValues.objects.filter(lead=record).update(shown=to_json(read_values(record)))
    return root, record


def _records_above(record: Lead) -> list[Lead]:
    """Return the records that a record was merged into, from its parent to the root."""
    above: list[Lead] = []
    while parent_id := (above[-1] if above else record).merged_into_id:
        above.append(Lead.all_records.select_related("agency").get(pk=parent_id))
    return above


def _restate(lead: Lead) -> None:
    """Set a lead's status, unsaved, to that of the latest change of its references, or a later one of its own."""
    rows = lead.references.values("status_since", "status_sequence", "pk", "status", "campaign_id")
    latest = max(rows, key=lambda row: (row["status_since"], row["status_sequence"], row["pk"]), default=None)
    own = (
        lead.changes.filter(reference=None, is_report=True, applied=True)
        .exclude(previous_status=F("new_status"))
        .order_by("-occurred_at", "-sequence", "-id")
        .values_list("occurred_at", "sequence", "new_status")
        .first()
    )
    if latest is not None:
        lead.status, lead.campaign_id = latest["status"], latest["campaign_id"]
        lead.status_since, lead.status_sequence = latest["status_since"], latest["status_sequence"]
    if own is not None and (latest is None or own[:2] > (lead.status_since, lead.status_sequence)):
        lead.status_since, lead.status_sequence, lead.status = own
    reported = lead.changes.filter(is_report=True).values_list("new_status", flat=True)
    lead.furthest_status = furthest(reported)
