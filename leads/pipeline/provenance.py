"""Where a contact field's value came from, and which may take the place of which."""

from collections.abc import Mapping
from enum import StrEnum

from accounts.core.text import plain_fields
from leads.models import Lead

CONTACT_FIELDS = (
    *("name", "first_name", "last_name", "email", "phone", "phone_e164", "title", "company", "company_size"),
    *("industry", "country", "state", "postal_code", "linkedin_url", "location"),
)


class Origin(StrEnum):
    """A form the person filled in; a provider's report; a profile; an enricher; somebody of the agency."""

    FORM = "form"
    PROVIDER = "provider"
    SCRAPE = "scrape"
    ENRICHMENT = "enrichment"
    PERSON = "person"


#: What people read of a lead.
NAMES = ("name", "first_name", "last_name", "title", "company", "location")
REPLACED_BY_A_FORM = (Origin.PROVIDER, Origin.SCRAPE, Origin.ENRICHMENT)


def fill(lead: Lead, values: Mapping[str, str], *, origin: Origin) -> list[str]:
    """Put values into a lead's contact fields, unsaved; the fields that changed.

    What people of the agency typed stays. A form's word, which is the person's own, takes the place of a provider's,
    a profile's and an enricher's; these fill only what is empty.
    """
    changed = []
    for name, value in plain_fields(values, *NAMES).items():
        if name == "phone_e164" and lead.phone != values.get("phone"):
            continue  # it belongs to a number that was not taken
        held, came_from = getattr(lead, name), lead.provenance.get(name)
        may = not held or (origin is Origin.FORM and came_from in REPLACED_BY_A_FORM)
        if value and may and value != held:
            setattr(lead, name, value)
            lead.provenance = {**lead.provenance, name: origin.value}
            changed.append(name)
    if "phone" in changed and "phone_e164" not in changed and lead.phone_e164:
        lead.phone_e164 = ""  # it was another number's
        changed.append("phone_e164")
    return changed


def typed(lead: Lead, names: object) -> None:
    """Say that somebody of the agency typed these fields; one that was emptied has no origin."""
    for name in names if isinstance(names, list | tuple | set | frozenset | dict) else ():
        if name in CONTACT_FIELDS:
            rest = {field: origin for field, origin in lead.provenance.items() if field != name}
            lead.provenance = {**rest, name: Origin.PERSON.value} if getattr(lead, name) else rest
