"""Find the one lead of one person, by the provider's ids and by the LinkedIn profile."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from accounts.campaigns.service import campaign_of, expect_named
from accounts.core import unit_of_work
from accounts.events.ordering import Origin
from accounts.linkedin_identity import linkedin_key
from accounts.models import Agency, Campaign
from leads.models import Lead, LeadReference
from leads.pipeline.dto import Identity
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


def expect_leads(agency: Agency, provider: str, identities: Collection[Identity]) -> None:
    """Fetch for a batch of reports the leads that they are about, locked, and what is known of them."""
    ids = {identity.external_id for identity in identities}
    keys = {linkedin_key(identity.linkedin_url) for identity in identities} - {""}
    by_id = LeadReference.objects.filter(agency=agency, provider=provider, external_id__in=ids)
    named: dict[str, set[str]] = {external_id: set() for external_id in ids}
    for external_id, pk in by_id.values_list("external_id", "lead"):
        named[external_id].add(pk)
    merged = _merged_records(agency, keys)
    roots = root_ids(set(merged.values()))
    wanted = Q(pk__in=set().union(*named.values(), roots.values())) | Q(agency=agency, linkedin_key__in=keys)
    leads = {lead.pk: lead for lead in _rows().filter(wanted, merged_into__isnull=True).order_by("id")}
    references = list(LeadReference.objects.filter(lead__in=leads))
    in_campaigns: list[Lead | LeadReference] = [*leads.values(), *references]
    campaigns = expect_named(
        agency,
        provider,
        {identity.campaign_id for identity in identities} - {""},
        also={row.campaign_id for row in in_campaigns if row.campaign_id},
    )
    for row in in_campaigns:
        row.campaign = campaigns.get(row.campaign_id or "")
    unit_of_work.remember(
        LeadReference, {(agency.pk, provider, external_id): named[external_id] for external_id in ids}
    )
    of_lead: dict[str, list[LeadReference]] = {pk: [] for pk in leads}
    for reference in references:
        of_lead[reference.lead_id].append(reference)
    unit_of_work.remember(LeadReference, of_lead)
    unit_of_work.remember(Lead, dict.fromkeys((agency.pk, key) for key in keys))
    unit_of_work.remember(Lead, leads)
    unit_of_work.remember(Lead, {(agency.pk, lead.linkedin_key): pk for pk, lead in leads.items() if lead.linkedin_key})
    unit_of_work.remember(Lead, {(agency.pk, key): roots[record] for key, record in merged.items()})
    unit_of_work.remember(Lead, {("merged", agency.pk, key): merged.get(key) for key in keys})


def references_of(lead: Lead) -> list[LeadReference]:
    return unit_of_work.recall(LeadReference, lead.pk, lambda: list(lead.references.select_related("campaign")))


def find_reference(lead: Lead, *, provider: str, external_id: str, campaign: Campaign | None) -> LeadReference | None:
    """The reference with exactly this campaign."""
    wanted = (provider, external_id, campaign.pk if campaign else None)
    for reference in references_of(lead):
        if (reference.provider, reference.external_id, reference.campaign_id) == wanted:
            reference.campaign = campaign  # whose name may be new
            return reference
    return None


def keep(reference: LeadReference) -> None:
    """Save a reference, which may be new."""
    if reference.pk is not None:
        return unit_of_work.change(reference, *WHERE_IT_STANDS)
    known = references_of(reference.lead)
    unit_of_work.insert(reference, now=True)
    unit_of_work.remember(LeadReference, {reference.lead_id: [*known, reference]})
    ids = leads_named(reference.agency, reference.provider, reference.external_id)
    key = (reference.agency_id, reference.provider, reference.external_id)
    unit_of_work.remember(LeadReference, {key: ids | {reference.lead_id}})
    return None


def leads_named(agency: Agency, provider: str, external_id: str) -> set[str]:
    """The ids of the leads that the provider has this id for."""

    def look() -> set[str]:
        references = LeadReference.objects.filter(agency=agency, provider=provider, external_id=external_id)
        return set(references.values_list("lead", flat=True))

    return unit_of_work.recall(LeadReference, (agency.pk, provider, external_id), look)


def find_lead(
    agency: Agency, *, provider: str, external_id: str, url: str = "", known_as: Lead | None = None
) -> Lead | None:
    """Return the one lead of this person, locked. Leads that turn out to be one person's are merged.

    The provider's id says who it is; a lead of the same LinkedIn profile is merged with that unless its own profile
    says that it is somebody else.
    """
    key = linkedin_key(url)
    named = {*leads_named(agency, provider, external_id)} | ({known_as.pk} if known_as else set())
    alike = {pk} if key and (pk := _lead_alike(agency, key)) else set()
    leads = [lead for pk in sorted(named | alike) if (lead := _locked(pk))]
    lead = _the_one_of(leads, named)
    if lead is None:
        return None
    lead.agency = agency
    if key and not alike and not lead.linkedin_key and not names_several_people(lead):
        lead.linkedin_key = key
        if lead.provenance.get("linkedin_url") != From.PERSON:
            lead.linkedin_url = url[:500]
        unit_of_work.change(lead, "linkedin_url", "linkedin_key", "updated_at")
        unit_of_work.remember(Lead, {(agency.pk, key): lead.pk})
    return lead


def merged_record_of(lead: Lead, url: str) -> str | None:
    """Return the record merged into a lead whose profile this is: what is new of it was born there."""
    key, agency = linkedin_key(url), lead.agency
    if key and key == lead.linkedin_key:
        return record_that_brought_the_profile(lead)
    return unit_of_work.recall(Lead, ("merged", agency.pk, key), lambda: _merged_records(agency, {key} - {""}).get(key))


def make_lead(agency: Agency, *, url: str, origin: Origin, **fields: object) -> Lead | None:
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
    if not unit_of_work.claim(lead):
        return None
    unit_of_work.remember(Lead, {lead.pk: lead, (agency.pk, lead.linkedin_key): lead.pk})
    unit_of_work.remember(LeadReference, {lead.pk: []})
    return lead


def campaign_for(agency: Agency, *, provider: str, external_id: str, name: str = "") -> Campaign | None:
    return campaign_of(agency, provider=provider, external_id=external_id, name=name) if external_id else None


def _the_one_of(leads: list[Lead], named: set[str]) -> Lead | None:
    """Merge these leads, locked and the oldest first, as far as they are one person's; return the one that is named."""
    leads = sorted({lead.pk: lead for lead in leads}.values(), key=lambda lead: (lead.pk not in named, lead.pk))
    if not leads:
        return None
    found = leads[0]
    for other in leads[1:]:
        if may_merge(found, other):
            found = merge(found, other)
    return found


def _lead_alike(agency: Agency, key: str) -> str | None:
    """The id of the lead with this profile, its own or that of a record merged into it."""

    def look() -> str | None:
        found = Lead.all_records.filter(agency=agency, linkedin_key=key).values_list("id", flat=True).first()
        return root_ids([found])[found] if found else None

    return unit_of_work.recall(Lead, (agency.pk, key), look)


def _merged_records(agency: Agency, keys: Collection[str]) -> dict[str, str]:
    """The merged records with these profiles, by key."""
    records = Lead.all_records.filter(agency=agency, linkedin_key__in=keys, merged_into__isnull=False)
    return dict(records.values_list("linkedin_key", "pk")) if keys else {}


def _locked(pk: str) -> Lead | None:
    return unit_of_work.recall(Lead, pk, lambda: lock_root(pk, _rows()))


def _rows() -> QuerySet[Lead]:
    return Lead.all_records.select_for_update(of=("self",)).select_related("account__sub_account")
