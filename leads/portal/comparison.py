"""Put two leads beside each other, to see whether they are one person."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.core.derived_fields import fold
from leads.enums import LeadStatus
from leads.labels import STATUSES
from leads.models import Lead
from leads.portal.assignees import name_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

FIELDS: "dict[str, _StrPromise]" = {
    "title": _("Role"),
    "company": _("Company"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "linkedin_url": _("LinkedIn"),
    "location": _("Location"),
    "industry": _("Industry"),
    "country": _("Country"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a comparison."""

    label: "str | _StrPromise"
    one: str
    other: str

    @property
    def differs(self) -> bool:
        return bool(self.one and self.other) and fold(self.one) != fold(self.other)


def compare(one: Lead, other: Lead) -> list[Row]:
    """Return what two leads say, line by line. Lines that neither has are left out."""
    rows = [Row(_("Name"), one.display_name, other.display_name)]
    rows += [Row(label, getattr(one, name), getattr(other, name)) for name, label in FIELDS.items()]
    rows += [
        Row(_("Status"), _status(one), _status(other)),
        Row(_("Campaign"), str(one.campaign or ""), str(other.campaign or "")),
        Row(_("Assigned to"), _owner(one), _owner(other)),
        Row(_("Tags"), ", ".join(map(str, one.tags)), ", ".join(map(str, other.tags))),
    ]
    return [row for row in rows if row.one or row.other]


def _status(lead: Lead) -> str:
    return str(STATUSES[LeadStatus(lead.status)].text)


def _owner(lead: Lead) -> str:
    return name_of(lead.assigned_to) if lead.assigned_to else ""
