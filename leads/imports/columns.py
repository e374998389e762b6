"""Say which columns of a file stand for which fields of leads."""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.derived_fields import fold
from accounts.core.errors import FieldError

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: What may be imported, in the order in which people choose.
FIELDS: "dict[str, _StrPromise]" = {
    "name": _("Full name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "linkedin_url": _("LinkedIn URL"),
    "title": _("Role"),
    "company": _("Company"),
    "company_size": _("Company size"),
    "industry": _("Industry"),
    "location": _("Location"),
    "country": _("Country"),
    "state": _("State"),
    "postal_code": _("Postal code"),
    "tags": _("Tags"),
}
#: One of these says whom a row is about.
IDENTIFYING = ("linkedin_url", "email", "phone")
MAX_COLUMNS = 200
MAX_HEADING_LENGTH = 200
#: Field --> what columns of it are called, folded.
_HEADINGS = {
    "name": ("name", "full name", "fullname", "contact", "contact name", "lead name", "vollstandiger name"),
    "first_name": ("first name", "firstname", "given name", "vorname"),
    "last_name": ("last name", "lastname", "surname", "family name", "nachname", "familienname"),
    "email": ("email", "e-mail", "mail", "email address", "e-mail address", "work email", "e-mail-adresse"),
    "phone": ("phone", "phone number", "telephone", "mobile", "mobile phone", "cell", "telefon", "telefonnummer"),
    "linkedin_url": (
        *("linkedin", "linkedin url", "linkedin profile", "linkedin profile url", "profile url", "person linkedin url"),
        *("linkedin-url", "linkedin-profil", "url", "profile", "profil"),
    ),
    "title": ("title", "job title", "role", "position", "headline", "occupation", "jobtitel", "funktion"),
    "company": (
        "company",
        "company name",
        "organization",
        "organisation",
        "account",
        "employer",
        "firma",
        "unternehmen",
    ),
    "company_size": ("company size", "employees", "# employees", "number of employees", "mitarbeiter", "firmengrosse"),
    "industry": ("industry", "sector", "branche"),
    "location": ("location", "city", "ort", "stadt", "standort"),
    "country": ("country", "land"),
    "state": ("state", "region", "province", "bundesland"),
    "postal_code": ("postal code", "zip", "zip code", "postcode", "plz", "postleitzahl"),
    "tags": ("tags", "tag", "labels", "label", "schlagworte"),
}
_FIELD_OF = {heading: field for field, headings in _HEADINGS.items() for heading in headings}
_VALUE = re.compile(r"@|linkedin\.com/|^\+?[\d ()/.-]{6,}$")


def guess_mapping(headings: Sequence[str]) -> list[str]:
    """Return a field for each heading, "" where none is known. Of two columns of one field the first is taken."""
    mapping: list[str] = []
    for heading in headings:
        field = _FIELD_OF.get(_plain(heading), "")
        mapping.append("" if field in mapping else field)
    return mapping


def names_known_columns(cells: Sequence[str]) -> bool:
    """Return whether a line is a heading with a column that is known."""
    return any(guess_mapping(cells)) and is_heading(cells)


def is_heading(cells: Sequence[str]) -> bool:
    """Return whether a line is a heading: none of its cells is an address or a number."""
    return not any(map(_VALUE.search, cells))


def check_mapping(mapping: Sequence[str], columns: int) -> list[str]:
    """Return a valid mapping of so many columns. Raises FieldError for `mapping`."""
    if len(mapping) != columns:
        raise FieldError("mapping", gettext("Say for each of the %(n)d columns what it is.") % {"n": columns})
    for field in mapping:
        if field and field not in FIELDS:
            raise FieldError("mapping", gettext("There is no field “%(field)s”.") % {"field": field[:50]})
        if field and list(mapping).count(field) > 1:
            text = gettext("Two columns are “%(field)s”. Choose one of them.")
            raise FieldError("mapping", text % {"field": FIELDS[field]})
    if not identifies(mapping):
        raise FieldError(
            "mapping", gettext("One column must be the LinkedIn URL, the e-mail address or the telephone.")
        )
    return list(mapping)


def identifies(mapping: Sequence[str]) -> bool:
    """Return whether a column says whom a row is about."""
    return any(field in mapping for field in IDENTIFYING)


def digest_of(headings: Sequence[str]) -> str:
    """Return what files with the same columns have in common."""
    return hashlib.sha256("\x1f".join(map(_plain, headings)).encode("utf-8", "replace")).hexdigest()


def _plain(heading: str) -> str:
    return fold(heading.replace("_", " ").replace("ö", "o").replace("ä", "a"))
