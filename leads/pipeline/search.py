"""Find leads by id, LinkedIn profile, e-mail or provider's id."""

from django.db.models import Q
from django.db.models.functions import Lower

from accounts.core.derived_fields import fold
from accounts.core.enums import ProviderSlug
from accounts.core.linkedin_identity import linkedin_key
from accounts.core.search import matching
from leads.models import Lead, LeadReference
from leads.pipeline.merge import root_ids

MAX_FOUND = 200


def leads_matching(agency_id: str, word: str) -> Q:
    """Return the condition of an agency's leads that a word finds.

    It is part of a name, an e-mail address, a company, a title, a URL or the id; or it is a whole id at a provider, or
    names the profile in another spelling, or is what a merged record is known by.
    """
    condition = matching(Lead, word)
    word = word.strip()
    ids = find_lead_ids(agency_id, word) if word and len(word.split()) == 1 else set()
    return condition | Q(pk__in=ids) if ids else condition


def find_lead_ids(agency_id: str, word: str) -> set[str]:
    """Return the ids of the agency's leads with this id, LinkedIn profile, e-mail or provider's id.

    A merged record counts for its root. Every query uses an index.
    """
    records = Lead.all_records.filter(agency=agency_id)
    found = {*records.filter(pk=word).values_list("pk", flat=True)}
    if key := linkedin_key(word):
        found |= {*records.filter(linkedin_key=key).values_list("pk", flat=True)}
    if "@" in word:
        found |= _with_email(agency_id, word)
    references = LeadReference.objects.filter(agency=agency_id, provider__in=list(ProviderSlug), external_id=word)
    return {*root_ids(found).values(), *references.values_list("lead_id", flat=True)[:MAX_FOUND]}


def _with_email(agency_id: str, word: str) -> set[str]:
    leads, address = Lead.objects.filter(agency=agency_id), fold(word)
    if address.isascii():
        leads = leads.annotate(lower=Lower("email")).filter(lower=address)
    else:
        leads = leads.filter(matching(Lead, word))
    return {pk for pk, email in leads.values_list("pk", "email")[:MAX_FOUND] if fold(email) == address}
