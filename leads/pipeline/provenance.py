"""Track the origin of each contact field's value, and decide which origin may replace which."""

from collections.abc import Mapping
from enum import StrEnum

from accounts.core.text import plain_fields
from leads.models import Lead

CONTACT_FIELDS = (
    *("name", "first_name", "last_name", "email", "phone", "phone_e164", "title", "company", "company_size"),
    *("industry", "country", "state", "postal_code", "linkedin_url", "location"),
)


class ValueOrigin(StrEnum):
    """List the origins of a value: a form, a provider, a profile, an enricher, a file, a person of the agency."""

    FORM = "form"
    PROVIDER = "provider"
    SCRAPE = "scrape"
    ENRICHMENT = "enrichment"
    IMPORT = "import"
    PERSON = "person"


#: Fields of free text, from which control characters are removed.
TEXT_FIELDS = ("name", "first_name", "last_name", "title", "company", "location")
REPLACED_BY_FORM = (ValueOrigin.PROVIDER, ValueOrigin.SCRAPE, ValueOrigin.ENRICHMENT, ValueOrigin.IMPORT)


def fill_contact_fields(lead: Lead, values: Mapping[str, str], *, origin: ValueOrigin) -> list[str]:
    """Set contact fields of a lead without saving it. Return the names of the fields that changed.

    A value that a person of the agency typed stays. A form's answer replaces a provider's, a profile's, an
    enricher's and a file's value. All other origins fill only empty fields.
    """
    changed = []
    for name, value in plain_fields(values, *TEXT_FIELDS).items():
        if name == "phone_e164" and lead.phone != values.get("phone"):
            continue  # belongs to a phone number that was not taken over
        previous_value, current_origin = getattr(lead, name), lead.provenance.get(name)
        is_replaceable = not previous_value or (origin is ValueOrigin.FORM and current_origin in REPLACED_BY_FORM)
        if value and is_replaceable and value != previous_value:
            setattr(lead, name, value)
            lead.provenance = {**lead.provenance, name: origin.value}
            changed.append(name)
    if "phone" in changed and "phone_e164" not in changed and lead.phone_e164:
        lead.phone_e164 = ""  # belongs to the phone number that was replaced
        changed.append("phone_e164")
    return changed


def mark_as_typed(lead: Lead, names: object) -> None:
    """Mark these fields as typed by a person of the agency. An emptied field has no origin."""
    for name in names if isinstance(names, list | tuple | set | frozenset | dict) else ():
        if name in CONTACT_FIELDS:
            other_origins = {field: origin for field, origin in lead.provenance.items() if field != name}
            lead.provenance = (
                {**other_origins, name: ValueOrigin.PERSON.value} if getattr(lead, name) else other_origins
            )
