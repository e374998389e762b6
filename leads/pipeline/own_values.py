"""Keep the values that each record of a group has by itself apart from those that the lead shows.

A record without records below it holds its own values in its row. `OwnValues` has those of a record that others were
merged into: its row shows what they hold together. So parting records is to combine again what is left, and exact
whatever was merged, written or parted between.

What is written on the row as it is shown (a person's change, an enricher's value, an assignment) is found by comparison
with what was shown last. It belongs to that row's record and wins over what is combined. What a provider reports of
one record is written with `write_to_record`.
"""

from collections.abc import Callable
from typing import Any

from leads.models import Lead, LeadMerge, OwnValues
from leads.pipeline.values import (
    changed_values,
    combine,
    from_json,
    read_values,
    to_json,
    write_values,
)


def records_of(lead: Lead) -> list[Lead]:
    """Return every record that was merged into a lead, directly or over others, without the lead itself."""
    found: list[Lead] = []
    level = [lead.pk]
    while level:
        records = list(Lead.all_records.filter(merged_into__in=level).select_related("merge").order_by("pk"))
        found += records
        level = [record.pk for record in records]
    return found


def keep_own_values(lead: Lead) -> OwnValues:
    """Store what a lead holds by itself, before the first record is merged into it, and what was written since."""
    stored = OwnValues.objects.filter(lead=lead).first()
    now = to_json(read_values(lead))
    if stored is None:
        return OwnValues.objects.create(lead=lead, own=_before_older_merges(lead), shown=now)
    if not lead.merged_into_id:  # what is hidden is written to by `write_to_record` only
        stored.later, stored.shown = {**stored.later, **changed_values(stored.shown, now)}, now
        stored.save(update_fields=["later", "shown"])
    return stored


def show_together(lead: Lead) -> None:
    """Combine anew what a lead and the records below it hold, and save it."""
    stored = keep_own_values(lead)
    below = list(Lead.all_records.filter(merged_into=lead).select_related("merge").order_by("pk"))
    each = ({**read_values(record), "linkedin_key": record.merge.linkedin_key} for record in below)
    shown = {**combine(from_json(stored.own), each), **from_json(stored.later)}
    key = shown.pop("linkedin_key")
    write_values(lead, shown)
    lead.has_records = bool(below)
    lead.save()
    if lead.merged_into_id:
        LeadMerge.objects.filter(record=lead).update(linkedin_key=key)
    else:
        _give_keys(lead, key)
    if below:
        OwnValues.objects.filter(lead=lead).update(shown=to_json(read_values(lead)))
    else:
        stored.delete()


def _give_keys(root: Lead, key: str) -> None:
    """Give each LinkedIn key of a group to the record nearest to the root: an agency has each key once."""
    wanted, seen = {root.pk: key}, {key}
    below = records_of(root)
    for record in below:
        own = record.merge.linkedin_key
        wanted[record.pk] = "" if own in seen else own
        seen.add(own)
    changed = [lead for lead in (root, *below) if lead.linkedin_key != wanted[lead.pk]]
    Lead.all_records.filter(pk__in=[lead.pk for lead in changed]).update(linkedin_key="")
    for lead in changed:
        lead.linkedin_key = free_key(lead, wanted[lead.pk])
        lead.save(update_fields=["linkedin_key"])


def free_key(lead: Lead, key: str) -> str:
    """Return the LinkedIn key, or "" if another lead of the agency has it."""
    others = Lead.all_records.filter(agency=lead.agency_id, linkedin_key=key).exclude(pk=lead.pk)
    return "" if key and others.exists() else key


def _before_older_merges(lead: Lead) -> dict[str, Any]:
    """Return what a lead held before merges that were made when its own values were not kept yet."""
    alone = Lead.all_records.get(pk=lead.pk)
    fields = {field.attname: field for field in Lead._meta.concrete_fields}
    merges = LeadMerge.objects.filter(record__merged_into=lead).select_related("record")
    for merge in merges.order_by("-merged_at", "-pk"):
        merge.linkedin_key = merge.linkedin_key or merge.record.linkedin_key
        if merge.replaced.get("linkedin_key") == "":
            merge.linkedin_key = alone.linkedin_key
        merge.save(update_fields=["linkedin_key"])
        for name, value in merge.replaced.items():
            setattr(alone, name, fields[name].to_python(value))
    return to_json(read_values(alone))


def write_to_record(lead: Lead, record_id: str, write: Callable[[Lead], object]) -> None:
    """Have `write` change the values of one record of a locked lead, and show the lead anew."""
    if record_id == lead.pk:
        _write_to_root(lead, write)
        return show_together(lead)
    record = Lead.all_records.get(pk=record_id)
    if record.has_records:
        _write_to_root(record, write)
        show_together(record)
    else:
        write(record)
        record.save()
    above = record.merged_into_id
    while above and above != lead.pk:
        middle = Lead.all_records.get(pk=above)
        show_together(middle)
        above = middle.merged_into_id
    return show_together(lead)


def _write_to_root(lead: Lead, write: Callable[[Lead], object]) -> None:
    """Have `write` change what a record holds by itself, while its row shows more than that."""
    stored = keep_own_values(lead)
    alone = Lead(pk=lead.pk, agency_id=lead.agency_id, provenance={})
    write_values(alone, {**from_json(stored.own), **from_json(stored.later)})
    before = to_json(read_values(alone))
    write(alone)
    changed = changed_values(before, to_json(read_values(alone)))
    stored.own = {**stored.own, **changed}
    stored.later = {name: value for name, value in stored.later.items() if name not in changed}
    stored.save(update_fields=["own", "later"])
