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

from accounts.core.linkedin_identity import may_be_one_person
from accounts.models import Agency
from leads.enums import furthest
from leads.models import Lead, LeadMerge
from leads.pipeline.children import move_children
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.provenance import CONTACT_FIELDS, ValueOrigin

#: Fields that a merge never copies from one record to the other.
NEVER_COPIED = {
    *("id", "agency", "created_at", "updated_at", "merged_into", "provenance", "search_text", "furthest_status"),
    *("response_warn_at", "response_due_at"),
}
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


def records_of(lead: Lead) -> list[Lead]:
    """Return every record that was merged into a lead, directly or over others, without the lead itself."""
    found: list[Lead] = []
    level = [lead.pk]
    while level:
        records = list(Lead.all_records.filter(merged_into__in=level).order_by("pk"))
        found += records
        level = [record.pk for record in records]
    return found


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


def merge_leads(kept: Lead, other: Lead) -> Lead:
    """Merge two locked leads into the older one and return it. Values that people typed win, and no row is lost."""
    if other.pk < kept.pk:
        kept, other = other, kept
    for hook in _merge_hooks:
        hook(kept, other)
    move_children(other.pk, kept.pk)
    values = _merged_values(kept, other)
    replaced = {name: getattr(kept, name) for name in values}
    LeadMerge.objects.create(record=other, merged_at=timezone.now(), replaced=replaced)
    other.merged_into = kept
    if "linkedin_key" in values:
        other.linkedin_key = ""  # an agency has each key once
    other.save(update_fields=["merged_into", "linkedin_key"])
    for name, value in values.items():
        setattr(kept, name, value)
    kept.save()
    request_detail_reactions(kept)
    return kept


def _merged_values(kept: Lead, other: Lead) -> dict[str, Any]:
    """Return the values that the merge changes in `kept`, by attribute."""
    values: dict[str, Any] = {}
    provenance = dict(kept.provenance)
    for name in set(CONTACT_FIELDS) - {"phone_e164"}:
        if _is_better(kept, other, name):
            values[name] = getattr(other, name)
            provenance.pop(name, None)
            if name in other.provenance:
                provenance[name] = other.provenance[name]
    if "phone" in values:
        values["phone_e164"] = other.phone_e164
    if other.linkedin_key and not kept.linkedin_key:
        values["linkedin_key"] = other.linkedin_key
    if (other.status_since, other.status_sequence) > (kept.status_since, kept.status_sequence):
        values |= {name: getattr(other, name) for name in COPIED_STATUS_FIELDS}
    values |= {
        "provenance": provenance,
        "furthest_status": furthest((kept.furthest_status, other.furthest_status)),
        "tags": list(dict.fromkeys([*kept.tags, *other.tags])),
        "received_at": min(kept.received_at, other.received_at),
        "first_attempt_at": min(filter(None, [kept.first_attempt_at, other.first_attempt_at]), default=None),
        "first_response_at": min(filter(None, [kept.first_response_at, other.first_response_at]), default=None),
        "last_response_at": max(filter(None, [kept.last_response_at, other.last_response_at]), default=None),
        "first_contact_at": min(filter(None, [kept.first_contact_at, other.first_contact_at]), default=None),
        "is_test": kept.is_test and other.is_test,
        "recovered": kept.recovered and other.recovered,
        "details_pending": kept.details_pending or other.details_pending,
    }
    for field in Lead._meta.concrete_fields:
        empty = getattr(kept, field.attname) in (None, "", [])
        if empty and field.attname not in values and field.name not in {*NEVER_COPIED, *CONTACT_FIELDS}:
            values[field.attname] = getattr(other, field.attname)
    return {name: value for name, value in values.items() if value != getattr(kept, name)}


def _is_better(kept: Lead, other: Lead, name: str) -> bool:
    """Return whether `kept` takes a contact field from `other`.

    It does where `kept` has no value, or where only the value of `other` was typed by a person.
    """
    if name == "linkedin_url" and other.linkedin_key and not kept.linkedin_key:
        return bool(kept.provenance.get(name) != ValueOrigin.PERSON)
    typed = other.provenance.get(name) == ValueOrigin.PERSON != kept.provenance.get(name)
    return bool(getattr(other, name) and (typed or not getattr(kept, name)))
