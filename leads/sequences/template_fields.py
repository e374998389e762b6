"""List the fields of templates, and read a lead's values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.core.text import plain
from leads.models import Lead

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A field that a template can name. `read` returns "" for a missing value."""

    name: str
    label: "_StrPromise"
    read: Callable[[Lead], str]


def _column(name: str, label: "_StrPromise") -> TemplateField:
    return TemplateField(name, label, lambda lead: str(getattr(lead, name)))


def _first_name(lead: Lead) -> str:
    return lead.first_name or (lead.name.split()[0] if len(lead.name.split()) > 1 else "")


def _owner_name(lead: Lead) -> str:
    return lead.assigned_to.get_full_name() if lead.assigned_to else ""


FIELDS: Mapping[str, TemplateField] = {
    field.name: field
    for field in (
        TemplateField("first_name", _("First name"), _first_name),
        _column("last_name", _("Last name")),
        TemplateField("name", _("Full name"), lambda lead: lead.display_name),
        _column("company", _("Company")),
        _column("title", _("Role")),
        _column("industry", _("Industry")),
        _column("location", _("Location")),
        _column("state", _("State")),
        _column("country", _("Country")),
        TemplateField("owner_name", _("Name of whom the lead is assigned to"), _owner_name),
        TemplateField("agency_name", _("Name of the agency"), lambda lead: lead.agency.name),
    )
}


def values_for(lead: Lead) -> dict[str, str]:
    """Return what a lead says for each field, on one line. Braces are taken out: providers read them as fields."""
    return {name: _line(field.read(lead)) for name, field in FIELDS.items()}


def _line(text: str) -> str:
    return " ".join(plain(text).replace("{", "").replace("}", "").split())
