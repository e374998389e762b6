"""Write what rows say into leads, and take it back.

Leads that come from a file start no clock and alert nobody: they are marked as back-filled and no event reports them.
"""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.core.linkedin_identity import linkedin_key
from accounts.core.unit_of_work import AT_ONCE
from accounts.core.wording import Sentence
from accounts.events.reactions import request_reaction
from leads.enums import ChangedBy, LeadStatus, RowOutcome, RowReason
from leads.imports.decisions import Decision, missing_values
from leads.models import ImportRow, Lead, LeadChange, LeadImport
from leads.pipeline.children import registered_children
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.history import FIGURES
from leads.pipeline.merge import lock_root
from leads.pipeline.phones import e164
from leads.pipeline.provenance import CONTACT_FIELDS, ValueOrigin, fill_contact_fields
from leads.sentences import COMPLETED_BY_IMPORT, IMPORT_UNDONE, IMPORTED

#: Who looks at a new lead of a file. Nobody is given it, and no clock starts.
SUBSCRIBERS = ("scoring", "duplicates", FIGURES)


class AlreadyHere(Exception):
    """Say that a lead of this person came while the row was decided."""


def create_lead_of(found: LeadImport, decision: Decision) -> tuple[Lead, dict[str, str]]:
    """Create the lead of a row. Return it with what the row gave it. Raises AlreadyHere."""
    now, read = timezone.now(), decision.read
    lead = Lead(
        agency_id=found.agency_id,
        status_since=now,
        received_at=now,
        recovered=True,
        linkedin_key=read.profile_key,
        tags=list(read.tags),
    )
    fill_contact_fields(lead, read.values, origin=ValueOrigin.IMPORT)
    lead.phone_e164 = read.phone_key
    try:
        with transaction.atomic():
            lead.save(force_insert=True)
    except IntegrityError:
        raise AlreadyHere from None
    _add_history(found, lead, IMPORTED(name=found.name), is_first=True)
    for name in SUBSCRIBERS:
        request_reaction(name, subject=lead.pk, work=AT_ONCE)
    return lead, {**read.values, **({"tags": ", ".join(read.tags)} if read.tags else {})}


def complete_lead(found: LeadImport, decision: Decision) -> tuple[Lead | None, dict[str, str]]:
    """Fill what a lead lacks. Return it with what the row gave it; None if the lead is gone."""
    lead = lock_root(decision.lead.pk) if decision.lead else None
    if lead is None:
        return None, {}
    missing = missing_values(lead, decision.read)
    if key := linkedin_key(missing.get("linkedin_url", "")):
        if Lead.all_records.filter(agency=lead.agency_id, linkedin_key=key).exists():
            del missing["linkedin_url"]
        else:
            lead.linkedin_key = key
    if not missing:
        return lead, {}
    fill_contact_fields(lead, {name: missing[name] for name in missing if name != "tags"}, origin=ValueOrigin.IMPORT)
    if "phone" in missing:
        lead.phone_e164 = e164(lead.phone, country=lead.country)
    lead.tags = list(dict.fromkeys([*lead.tags, *(decision.read.tags if "tags" in missing else ())]))
    lead.save()
    _add_history(found, lead, COMPLETED_BY_IMPORT(name=found.name))
    request_detail_reactions(lead)
    return lead, missing


def take_back(found: LeadImport, row: ImportRow) -> RowReason:
    """Undo what a row did, as far as nobody worked on the lead since. Return what that was."""
    lead = Lead.all_records.select_for_update().filter(pk=row.lead_id).first()
    if lead is None or lead.merged_into_id or lead.has_records:
        return RowReason.KEPT
    if row.outcome == RowOutcome.NEW:
        if not _is_untouched(lead, row):
            return RowReason.KEPT
        ImportRow.objects.filter(pk=row.pk).update(lead=None)  # it says what was done when the lead is gone
        lead.delete()
        return RowReason.REMOVED
    return _restore(found, lead, row)


def _restore(found: LeadImport, lead: Lead, row: ImportRow) -> RowReason:
    """Empty the fields that still hold what a row gave the lead."""
    written = {name: value for name, value in row.written.items() if name != "tags"}
    still = [name for name, value in written.items() if _still_holds(lead, name, value)]
    added = [tag for tag in row.written.get("tags", "").split(", ") if tag and tag in lead.tags]
    if not still and not added:
        return RowReason.KEPT
    for name in still:
        setattr(lead, name, "")
    if "phone" in still:
        lead.phone_e164 = ""
    if "linkedin_url" in still:
        lead.linkedin_key = ""
    lead.provenance = {name: origin for name, origin in lead.provenance.items() if name not in still}
    lead.tags = [tag for tag in lead.tags if tag not in added]
    lead.save()
    _add_history(found, lead, IMPORT_UNDONE(name=found.name))
    request_detail_reactions(lead)
    return RowReason.RESTORED


def _still_holds(lead: Lead, name: str, value: str) -> bool:
    origin = lead.provenance.get(name, ValueOrigin.IMPORT)
    return bool(getattr(lead, name) == value and origin == ValueOrigin.IMPORT)


def _is_untouched(lead: Lead, row: ImportRow) -> bool:
    """Return whether a lead is as its row made it: nobody wrote, changed, took, noted or reported anything."""
    values = {name: getattr(lead, name) for name in CONTACT_FIELDS if name != "phone_e164" and getattr(lead, name)}
    written = {name: value for name, value in row.written.items() if name != "tags"}
    if values != written or ", ".join(lead.tags) != row.written.get("tags", ""):
        return False
    if lead.status != LeadStatus.PENDING or lead.assigned_to_id or lead.priority or lead.campaign_id:
        return False
    rows = (child.model._base_manager.filter(**{child.lead_field: lead}) for child in registered_children())
    return not any(each.count() > (1 if each.model is LeadChange else 0) for each in rows)  # one says that it was made


def _add_history(found: LeadImport, lead: Lead, sentence: Sentence, *, is_first: bool = False) -> None:
    LeadChange.objects.create(
        lead=lead,
        previous_status="" if is_first else lead.status,
        new_status=lead.status,
        stated=False,
        is_report=is_first,
        applied=is_first,
        changed_by=ChangedBy.USER if found.by_user_id else ChangedBy.API,
        user_id=found.by_user_id,
        occurred_at=timezone.now(),
        note=sentence,
        sentence=sentence.stored,
    )
