"""Find the one lead of one person, by the provider's ids and by the LinkedIn profile."""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from accounts.campaigns.service import campaign_of
from accounts.core.provider_key import ProviderKey, group_by_provider
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events.ordering import Origin
from accounts.linkedin_identity import linkedin_key
from accounts.models import Account, Agency, Campaign
from leads.models import Lead, LeadChange, LeadMerge, LeadReference
from leads.pipeline.merge import (
    lock_root,
    may_merge,
    merge,
    names_several_people,
    record_that_brought_the_profile,
    root_ids,
)
from leads.pipeline.provenance import Origin as From

#: What a report changes of a reference.
WHERE_IT_STANDS = ("status", "status_since", "status_sequence", "reported_at", "reported_sequence")


def references_of(lead: Lead, work: UnitOfWork = AT_ONCE) -> list[LeadReference]:
    return work.look_up(REFERENCES, lead.pk)


def find_reference(
    lead: Lead, *, provider: str, external_id: str, campaign: Campaign | None, work: UnitOfWork = AT_ONCE
) -> LeadReference | None:
    """The reference with exactly this campaign."""
    wanted = (provider, external_id, campaign.pk if campaign else None)
    for reference in references_of(lead, work):
        if (reference.provider, reference.external_id, reference.campaign_id) == wanted:
            reference.campaign = campaign  # whose name may be new
            return reference
    return None


def keep(reference: LeadReference, work: UnitOfWork = AT_ONCE) -> None:
    """Save a reference, which may be new."""
    if reference.pk is not None:
        return work.update(reference, *WHERE_IT_STANDS)
    key = ProviderKey(reference.agency_id, reference.provider, reference.external_id)
    work.add(reference, now=True)
    if (known := work.known(REFERENCES, reference.lead_id)) is not None:
        work.remember(REFERENCES, {reference.lead_id: [*known, reference]})
    if (named := work.known(LEADS_NAMED, key)) is not None:
        work.remember(LEADS_NAMED, {key: named | {reference.lead_id}})
    return None


def leads_named(agency: Agency, provider: str, external_id: str, work: UnitOfWork = AT_ONCE) -> set[str]:
    """The ids of the leads that the provider has this id for."""
    return work.look_up(LEADS_NAMED, ProviderKey(agency.pk, provider, external_id))


def find_lead(
    agency: Agency,
    *,
    provider: str,
    external_id: str,
    url: str = "",
    known_as: Lead | None = None,
    work: UnitOfWork = AT_ONCE,
) -> Lead | None:
    """Return the one lead of this person, locked. Leads that turn out to be one person's are merged.

    The provider's id says who it is; a lead of the same LinkedIn profile is merged with that unless its own profile
    says that it is somebody else.
    """
    key = linkedin_key(url)
    named = {*leads_named(agency, provider, external_id, work)} | ({known_as.pk} if known_as else set())
    profile = work.look_up(PROFILES, (agency.pk, key)) if key else None
    alike = {profile.shown} if profile else set()
    leads = [lead for pk in sorted(named | alike) if (lead := work.look_up(LEADS, pk))]
    lead = _the_one_of(leads, named, work)
    if lead is None:
        return None
    lead.agency = agency
    if key and not alike and not lead.linkedin_key and not _names_several_people(lead, work):
        lead.linkedin_key = key
        if lead.provenance.get("linkedin_url") != From.PERSON:
            lead.linkedin_url = url[:500]
        work.update(lead, "linkedin_url", "linkedin_key", "updated_at")
        work.remember(PROFILES, {(agency.pk, key): Profile(lead.pk, lead.pk)})
    return lead


def merged_record_of(lead: Lead, url: str, work: UnitOfWork = AT_ONCE) -> str | None:
    """Return the record merged into a lead whose profile this is: what is new of it was born there."""
    key = linkedin_key(url)
    if key and key == lead.linkedin_key:
        work.flush(Lead)
        return record_that_brought_the_profile(lead)
    profile = work.look_up(PROFILES, (lead.agency_id, key)) if key else None
    return profile.record if profile and profile.record != profile.shown else None


def make_lead(agency: Agency, *, url: str, origin: Origin, work: UnitOfWork = AT_ONCE, **fields: object) -> Lead | None:
    """A new lead; None if somebody else made the same person's a moment ago (look again)."""
    lead = Lead(
        agency=agency,
        linkedin_url=url[:500],
        linkedin_key=linkedin_key(url),
        source=origin.source,
        status_since=origin.at,
        status_sequence=origin.sequence,
        received_at=origin.at,
        **fields,
    )
    if not work.try_add(lead):
        return None
    work.remember(LEADS, {lead.pk: lead})
    work.remember(PROFILES, {(agency.pk, lead.linkedin_key): Profile(lead.pk, lead.pk)})
    work.remember(REFERENCES, {lead.pk: []})
    return lead


def campaign_for(
    agency: Agency, *, provider: str, external_id: str, name: str = "", work: UnitOfWork = AT_ONCE
) -> Campaign | None:
    named = {"provider": provider, "external_id": external_id, "name": name}
    return campaign_of(agency, **named, work=work) if external_id else None


def _the_one_of(leads: list[Lead], named: set[str], work: UnitOfWork) -> Lead | None:
    """Merge these leads, locked and the oldest first, as far as they are one person's; return the one that is named."""
    leads = sorted({lead.pk: lead for lead in leads}.values(), key=lambda lead: (lead.pk not in named, lead.pk))
    if not leads:
        return None
    found = leads[0]
    for other in leads[1:]:
        work.flush(LeadReference)
        if may_merge(found, other):
            work.bypass(Lead, LeadReference, LeadChange, LeadMerge)
            found = merge(found, other)
    return found


def _names_several_people(lead: Lead, work: UnitOfWork) -> bool:
    work.flush(LeadReference)
    return names_several_people(lead)


class Profile(NamedTuple):
    """The record with a LinkedIn profile, and the lead that is shown for it."""

    record: str
    shown: str


def _load_leads(pks: Collection[str]) -> dict[str, Lead | None]:
    rows = Lead.all_records.select_for_update(of=("self",)).select_related("account__sub_account", "campaign")
    found = {lead.pk: lead for lead in rows.filter(pk__in=pks).order_by("id")}
    merged = {pk: lock_root(pk, rows) for pk, lead in found.items() if lead.merged_into_id}
    return {**dict.fromkeys(pks), **found, **merged}


def _load_profiles(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Profile | None]:
    by_agency = defaultdict(list)
    for agency_id, key in keys:
        by_agency[agency_id].append(key)
    found: dict[tuple[str, str], Profile | None] = dict.fromkeys(keys)
    for agency_id, linkedin_keys in by_agency.items():
        records = Lead.all_records.filter(agency=agency_id, linkedin_key__in=linkedin_keys)
        rows = list(records.values_list("pk", "linkedin_key", "merged_into"))
        roots = root_ids([pk for pk, _, merged_into in rows if merged_into])
        found |= {(agency_id, key): Profile(pk, roots.get(pk, pk)) for pk, key, _ in rows}
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


#: By a record's id the lead that is shown for it, locked; None: it is gone.
LEADS: Lookup[str, Lead | None] = Lookup(_load_leads, Lead, Account, Campaign)
#: By agency and LinkedIn key.
PROFILES: Lookup[tuple[str, str], Profile | None] = Lookup(_load_profiles, Lead)
#: By lead.
REFERENCES: Lookup[str, list[LeadReference]] = Lookup(_load_references, LeadReference, Campaign)
#: By the provider's id the ids of the leads that it names.
LEADS_NAMED: Lookup[ProviderKey, set[str]] = Lookup(_load_named, LeadReference)
