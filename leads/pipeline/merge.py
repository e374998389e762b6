"""Merge the records of one person. The younger record stays, hidden and unchanged, so that the merge can be undone.

A merged record points to the older record with `merged_into`, perhaps over several steps; the last one is the root,
which pages and API show. The rows of a lead (`leads.pipeline.children`) move to the root and keep the record that they
were created for in `origin`. `LeadMerge` stores the values that the merge replaced in the root.
"""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.linkedin_identity import may_be_one_person
from accounts.events import outbox as events
from accounts.models import Agency
from accounts.tenancy.audit import Actor
from leads.enums import furthest
from leads.models import Lead, LeadMerge
from leads.pipeline import values
from leads.pipeline.children import move_children
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.merge_history import record_merge
from leads.pipeline.own_values import keep_own_values, records_of, show_together

COPIED_STATUS_FIELDS = ("status", "campaign_id", "status_since", "status_sequence")


#: Called with the older and the younger record before the younger one's rows move.
_merge_hooks: list[Callable[[Lead, Lead], None]] = []


def on_merge(hook: Callable[[Lead, Lead], None]) -> Callable[[Lead, Lead], None]:
    """Register `hook` for what has to be settled between two records before they are merged."""
    _merge_hooks.append(hook)
    return hook


def root_ids(pks: Collection[str]) -> dict[str, str]:
    """Return the id of the root record for each of these records."""
    roots = {pk: pk for pk in pks}
    while roots:
        merged = Lead.all_records.filter(pk__in=set(roots.values()), merged_into__isnull=False)
        above = {pk: root for pk, root in merged.values_list("pk", "merged_into") if root}
        if not above:
            break
        roots = {pk: above.get(root, root) for pk, root in roots.items()}
    return roots


def root_id(pk: str, agency: Agency | None = None) -> str:
    """Return the id of the root record for a record of this agency, or the same id if it was not merged."""
    records = Lead.all_records.filter(pk=pk, merged_into__isnull=False)
    merged = records if agency is None else records.filter(agency=agency)
    return root_ids([pk])[pk] if merged.exists() else pk


def lock_root(pk: str, rows: QuerySet[Lead] | None = None) -> Lead | None:
    """Lock and return the root record for a record. Return None if it was erased."""
    rows = Lead.all_records.select_for_update() if rows is None else rows
    lead = rows.filter(pk=pk).first()
    while lead is not None and lead.merged_into_id:
        lead = rows.filter(pk=lead.merged_into_id).first()
    return lead


def merged_record_with_profile(lead: Lead) -> str | None:
    """Return the merged record whose LinkedIn key the lead took over. None if the key is the lead's own."""
    found = None
    records = Lead.all_records.filter(merge__replaced__linkedin_key="").values_list("pk", flat=True)
    while record := records.filter(merged_into=found or lead.pk).first():
        found = record
    return found


def may_merge(one: Lead, other: Lead) -> bool:
    """Return whether two records that a report links may be merged without a person's decision."""
    may_match = may_be_one_person(one.linkedin_key, other.linkedin_key)
    return may_match and not (names_several_people(one) or names_several_people(other))


def names_several_people(lead: Lead) -> bool:
    """Return whether the lead may stand for several people, because its URL names nobody in particular."""
    if not lead.linkedin_url or lead.linkedin_key:
        return False
    ids = set(lead.references.values_list("provider", "external_id"))
    return any(count > 1 for count in Counter(provider for provider, _ in ids).values())


def merge_leads(kept: Lead, other: Lead, *, by: Actor | None = None) -> Lead:
    """Merge two locked leads into the older one and return it. Values that people typed win, and no row is lost.

    `by` is who says that they are one person, if it is not a report that proves it.
    """
    if other.pk < kept.pk:
        kept, other = other, kept
    for hook in _merge_hooks:
        hook(kept, other)
    before = snapshot(kept)
    move_children(other.pk, kept.pk)
    if other.has_records:
        keep_own_values(other)
    if not kept.has_records:
        keep_own_values(kept)
    merge = LeadMerge(record=other, merged_at=timezone.now(), linkedin_key=other.linkedin_key, replaced={})
    other.merged_into = kept
    other.save(update_fields=["merged_into"])
    merge.save(force_insert=True)
    if (other.status_since, other.status_sequence) > (kept.status_since, kept.status_sequence):
        for name in COPIED_STATUS_FIELDS:
            setattr(kept, name, getattr(other, name))
    kept.furthest_status = furthest((kept.furthest_status, other.furthest_status))
    show_together(kept)
    merge.replaced = {name: value for name, value in before.items() if value != getattr(kept, name)}
    merge.save(update_fields=["replaced"])
    record_merge(kept, other, by)
    request_detail_reactions(kept)
    events.record_event(
        kept.agency,
        EventType.LEAD_MERGED,
        subject=kept.pk,
        is_test=kept.is_test,
        lead_id=kept.pk,
        lead_name=kept.display_name,
        linkedin_url=kept.linkedin_url,
        status=kept.status,
        status_label=kept.status_label,
        merged_lead_ids=[record.pk for record in records_of(kept)],
    )
    return kept


def snapshot(lead: Lead) -> dict[str, Any]:
    """Return what the columns of a lead hold that a merge may replace."""
    names = [*values.value_names(), *COPIED_STATUS_FIELDS, "furthest_status", "provenance"]
    return {name: getattr(lead, name) for name in names}
