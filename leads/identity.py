"""Who a lead is: LinkedIn URLs as they are compared, and the search for the one lead of one person."""

import re
from functools import reduce
from urllib.parse import unquote, urlsplit

from django.db import IntegrityError, transaction

from accounts.campaigns import campaign_of
from accounts.models import Agency, Campaign
from accounts.reports import Origin
from leads.models import Lead, LeadChange, LeadReference

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def linkedin_key(url: str) -> str:
    """A LinkedIn URL without scheme, `www.`, query, trailing slash and case; empty if there is none.

    `https://www.LinkedIn.com/in/John-Doe/?trk=x` and `linkedin.com/in/john-doe` are the same person.
    """
    url = url.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url if _SCHEME.match(url) else f"https://{url.lstrip('/')}")
    except ValueError:
        return url.casefold()[:500]
    host = parts.netloc.rpartition("@")[2].casefold().removesuffix(":443").removeprefix("www.")
    return f"{host}{unquote(parts.path).rstrip('/')}".casefold()[:500]


def find_reference(
    agency: Agency, *, provider: str, external_id: str, campaign: Campaign | None
) -> LeadReference | None:
    """The reference with exactly this campaign."""
    return LeadReference.objects.filter(
        agency=agency, provider=provider, external_id=external_id, campaign=campaign
    ).first()


def find_lead(
    agency: Agency, *, provider: str, external_id: str, url: str = "", known_as: Lead | None = None
) -> Lead | None:
    """The one lead of this person, locked. Leads that turn out to be one person become one, the oldest."""
    key = linkedin_key(url)
    references = LeadReference.objects.filter(agency=agency, provider=provider, external_id=external_id)
    wanted = set(references.values_list("lead_id", flat=True))
    if known_as:
        wanted.add(known_as.pk)
    if key:
        wanted |= set(Lead.objects.filter(agency=agency, linkedin_key=key).values_list("id", flat=True))
    leads = list(Lead.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("id"))
    lead = reduce(_merge, leads) if leads else None
    if lead and key and not lead.linkedin_key:
        lead.linkedin_url, lead.linkedin_key = url[:500], key
        lead.save(update_fields=["linkedin_url", "linkedin_key", "updated_at"])
    return lead


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
    try:
        with transaction.atomic():
            lead.save(force_insert=True)
    except IntegrityError:
        return None
    return lead


def campaign_for(agency: Agency, *, provider: str, external_id: str, name: str = "") -> Campaign | None:
    return campaign_of(agency, provider=provider, external_id=external_id, name=name) if external_id else None


def _merge(kept: Lead, other: Lead) -> Lead:
    """Fold `other` (the younger row) into `kept`: references and history move, empty fields are filled."""
    LeadReference.objects.filter(lead=other).update(lead=kept)
    LeadChange.objects.filter(lead=other).update(lead=kept)
    for field in Lead._meta.concrete_fields:
        if field.name in {"id", "agency", "created_at", "updated_at", "linkedin_key"}:
            continue
        if getattr(kept, field.attname) in (None, "", [], False):
            setattr(kept, field.attname, getattr(other, field.attname))
    if (other.status_since, other.status_sequence) > (kept.status_since, kept.status_sequence):
        kept.status, kept.campaign_id = other.status, other.campaign_id
        kept.status_since, kept.status_sequence = other.status_since, other.status_sequence
    kept.received_at = min(kept.received_at, other.received_at)
    other.delete()
    kept.linkedin_key = linkedin_key(kept.linkedin_url)
    kept.save()
    return kept
