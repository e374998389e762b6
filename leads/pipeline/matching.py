"""Find the one lead of a person by the providers' ids and the LinkedIn profile, or the tombstone of an erased lead."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from accounts.core.linkedin_identity import linkedin_key
from accounts.core.provider_key import ProviderKey, group_by_provider
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events.ordering import Origin
from accounts.models import Account, Agency, Campaign, Event
from leads.models import Lead, LeadMerge, LeadReference, Tombstone
from leads.pipeline.children import registered_children
from leads.pipeline.merge import (
    lock_root,
    may_merge,
    merge_leads,
    merged_record_with_profile,
    names_several_people,
    root_ids,
)
from leads.pipeline.provenance import ValueOrigin

#: Fields of a reference that a report changes.
REFERENCE_STATUS_FIELDS = ("status", "status_since", "status_sequence", "reported_at", "reported_sequence")


def is_erased(agency: Agency, *, provider: str, external_id: str, at: datetime, work: UnitOfWork = AT_ONCE) -> bool:
    """Return whether a report at this time is about a lead that was erased since."""
    erased_at = work.look_up(ERASURE_TIMES, ProviderKey(agency.pk, provider, external_id))
    return erased_at is not None and at <= erased_at


def references_of(lead: Lead, work: UnitOfWork = AT_ONCE) -> list[LeadReference]:
    return work.look_up(REFERENCES_BY_LEAD, lead.pk)


def find_reference(
    references: Iterable[LeadReference], *, provider: str, external_id: str, campaign: Campaign | None
) -> LeadReference | None:
    """Return which of a lead's references has this provider's id in exactly this campaign."""
    wanted = (provider, external_id, campaign.pk if campaign else None)
    for reference in references:
        if (reference.provider, reference.external_id, reference.campaign_id) == wanted:
            reference.campaign = campaign  # with a name that may have changed
            return reference
    return None


def save_reference(reference: LeadReference, work: UnitOfWork = AT_ONCE) -> None:
    """Save a reference, new or changed, and update what the unit of work has prefetched."""
    if reference.pk is not None:
        return work.update(reference, *REFERENCE_STATUS_FIELDS)
    key = ProviderKey(reference.agency_id, reference.provider, reference.external_id)
    work.add(reference, now=True)
    work.amend(REFERENCES_BY_LEAD, reference.lead_id, lambda known: [*known, reference])
    work.amend(LEAD_IDS_BY_EXTERNAL_ID, key, lambda known: known | {reference.lead_id})
    return None


def lead_ids_named(agency: Agency, provider: str, external_id: str, work: UnitOfWork = AT_ONCE) -> set[str]:
    """Return the ids of the leads that the provider knows by this id."""
    return work.look_up(LEAD_IDS_BY_EXTERNAL_ID, ProviderKey(agency.pk, provider, external_id))


def find_lead(
    agency: Agency,
    *,
    provider: str,
    external_id: str,
    url: str = "",
    known_lead: Lead | None = None,
    work: UnitOfWork = AT_ONCE,
) -> Lead | None:
    """Return the one lead of this person, locked. Merge leads that prove to be the same person.

    The provider's id identifies the lead. A lead with the same LinkedIn profile is merged with it, unless their
    profiles name different people.
    """
    key = linkedin_key(url)
    named = {*lead_ids_named(agency, provider, external_id, work)} | ({known_lead.pk} if known_lead else set())
    profile = work.look_up(RECORDS_BY_PROFILE, (agency.pk, key)) if key else None
    alike = {profile.root_id} if profile else set()
    leads = [lead for pk in sorted(named | alike) if (lead := work.look_up(LEADS_BY_ID, pk))]
    lead = _merge_leads_of_one_person(leads, named, work)
    if lead is None:
        return None
    lead.agency = agency
    if key and not alike and not lead.linkedin_key and not _names_several_people(lead, work):
        lead.linkedin_key = key
        if lead.provenance.get("linkedin_url") != ValueOrigin.PERSON:
            lead.linkedin_url = url[:500]
        work.update(lead, "linkedin_url", "linkedin_key", "updated_at")
        work.remember(RECORDS_BY_PROFILE, {(agency.pk, key): ProfileRecord(lead.pk, lead.pk)})
    return lead


def merged_record_of(lead: Lead, url: str, work: UnitOfWork = AT_ONCE) -> str | None:
    """Return the merged record that has this profile, for which new references are created."""
    key = linkedin_key(url)
    if key and key == lead.linkedin_key:
        work.flush(Lead)
        return merged_record_with_profile(lead)
    profile = work.look_up(RECORDS_BY_PROFILE, (lead.agency_id, key)) if key else None
    return profile.record_id if profile and profile.record_id != profile.root_id else None


def try_create_lead(
    agency: Agency, *, url: str, origin: Origin, work: UnitOfWork = AT_ONCE, **fields: object
) -> Lead | None:
    """Create a lead and return it. Return None if a concurrent transaction created the same person's lead."""
    lead = Lead(
        agency=agency,
        linkedin_url=url[:500],
        linkedin_key=linkedin_key(url),
        source=origin.source,
        status_since=origin.at,
        status_sequence=origin.sequence,
        received_at=origin.at,
        is_test=origin.is_test,
        **fields,
    )
    if not work.try_add(lead):
        return None
    work.remember(LEADS_BY_ID, {lead.pk: lead})
    work.remember(RECORDS_BY_PROFILE, {(agency.pk, lead.linkedin_key): ProfileRecord(lead.pk, lead.pk)})
    work.remember(REFERENCES_BY_LEAD, {lead.pk: []})
    return lead


def digest_of(agency_id: str, external_id: str) -> str:
    """Return the keyed hash that a tombstone stores. The hash reveals no id."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"{agency_id}/{external_id}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _merge_leads_of_one_person(leads: list[Lead], named: set[str], work: UnitOfWork) -> Lead | None:
    """Merge these locked leads, as far as they may be one person. Return the lead that the provider's id names."""
    leads = sorted({lead.pk: lead for lead in leads}.values(), key=lambda lead: (lead.pk not in named, lead.pk))
    if not leads:
        return None
    found = leads[0]
    for other in leads[1:]:
        work.flush(LeadReference)
        if may_merge(found, other):
            work.bypass(Lead, LeadMerge, Event, *(child.model for child in registered_children()))
            found = merge_leads(found, other)
    return found


def _names_several_people(lead: Lead, work: UnitOfWork) -> bool:
    work.flush(LeadReference)
    return names_several_people(lead)


class ProfileRecord(NamedTuple):
    """Pair the record that has a LinkedIn profile with the root record that is shown for it."""

    record_id: str
    root_id: str


def _load_leads(pks: Collection[str]) -> dict[str, Lead | None]:
    rows = Lead.all_records.select_for_update(of=("self",)).select_related("account__sub_account", "campaign")
    found = {lead.pk: lead for lead in rows.filter(pk__in=pks).order_by("id")}
    merged = {pk: lock_root(pk, rows) for pk, lead in found.items() if lead.merged_into_id}
    return {**dict.fromkeys(pks), **found, **merged}


def _load_profiles(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], ProfileRecord | None]:
    by_agency = defaultdict(list)
    for agency_id, key in keys:
        by_agency[agency_id].append(key)
    found: dict[tuple[str, str], ProfileRecord | None] = dict.fromkeys(keys)
    for agency_id, linkedin_keys in by_agency.items():
        records = Lead.all_records.filter(agency=agency_id, linkedin_key__in=linkedin_keys)
        rows = list(records.values_list("pk", "linkedin_key", "merged_into"))
        merged = [pk for pk, _, merged_into in rows if merged_into]
        roots = root_ids(merged) if merged else {}
        found |= {(agency_id, key): ProfileRecord(pk, roots.get(pk, pk)) for pk, key, _ in rows}
    return found


def _load_references(pks: Collection[str]) -> dict[str, list[LeadReference]]:
    found: dict[str, list[LeadReference]] = {pk: [] for pk in pks}
    for reference in LeadReference.objects.filter(lead__in=pks).select_related("campaign"):
        found[reference.lead_id].append(reference)
    return found


def _load_named(keys: Collection[ProviderKey]) -> dict[ProviderKey, set[str]]:
    found: dict[ProviderKey, set[str]] = {key: set() for key in keys}
    for (agency_id, provider), external_ids in group_by_provider(keys).items():
        named = LeadReference.objects.filter(agency=agency_id, provider=provider, external_id__in=external_ids)
        for external_id, pk in named.values_list("external_id", "lead"):
            found[ProviderKey(agency_id, provider, external_id)].add(pk)
    return found


def _load_erasure_times(keys: Collection[ProviderKey]) -> dict[ProviderKey, datetime | None]:
    found: dict[ProviderKey, datetime | None] = dict.fromkeys(keys)
    for (agency_id, provider), external_ids in group_by_provider(keys).items():
        ids = {digest_of(agency_id, external_id): external_id for external_id in external_ids}
        tombstones = Tombstone.objects.filter(agency=agency_id, provider=provider, digest__in=list(ids))
        for digest, erased_at in tombstones.values_list("digest", "erased_at"):
            found[ProviderKey(agency_id, provider, ids[digest])] = erased_at
    return found


#: Record id --> its root record, locked; None if it was erased.
LEADS_BY_ID: Lookup[str, Lead | None] = Lookup(_load_leads, Lead, Account, Campaign)
#: Agency id and LinkedIn key --> the record with that profile.
RECORDS_BY_PROFILE: Lookup[tuple[str, str], ProfileRecord | None] = Lookup(_load_profiles, Lead)
#: Lead id --> its references.
REFERENCES_BY_LEAD: Lookup[str, list[LeadReference]] = Lookup(_load_references, LeadReference, Campaign)
#: Provider's id --> ids of the leads that it names.
LEAD_IDS_BY_EXTERNAL_ID: Lookup[ProviderKey, set[str]] = Lookup(_load_named, LeadReference)
#: Provider's id of a lead --> time up to which reports about it are ignored.
ERASURE_TIMES: Lookup[ProviderKey, datetime | None] = Lookup(_load_erasure_times, Tombstone)
