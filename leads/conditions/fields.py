"""List the fields that conditions can ask about, and read a lead's values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.core.derived_fields import fold
from leads.conditions.operators import UNBOUNDED, FieldType, Place
from leads.enums import LeadStatus
from leads.facts.companies import host_of
from leads.facts.titles import Seniority
from leads.models import Lead, TargetListEntry

#: Columns of leads that no condition reads.
UNREAD_COLUMNS = ("search_text", "provenance", "consents", "hidden_fields")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of leads. `label` is English. `read` returns None for a missing
    value. `personal` values stay out of logs and figures."""

    name: str
    label: str
    type: FieldType
    read: Callable[[Lead], Any]
    personal: bool = False
    choices: tuple[str, ...] = ()

    @property
    def short_label(self) -> str:
        """Return the label in the reader's language, without its article, for a choice of fields."""
        label = gettext(self.label)
        article, _space, rest = label.partition(" ")
        return rest if article in ("the", "der", "die", "das") else label


class LeadValues(dict[str, Any]):
    """Hold a lead's values by field name. Each is read and folded once, whatever the number of rules."""

    def __init__(self, lead: Lead, fields: Mapping[str, Field] | None = None) -> None:
        super().__init__()
        self._lead, self._fields = lead, FIELDS if fields is None else fields

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._fields[name].read(self._lead)
        return value


def _text(name: str, label: str, *, column: str = "", personal: bool = False, choices: Iterable[str] = ()) -> Field:
    attribute = column or name

    def read(lead: Lead) -> str | None:
        return fold(str(getattr(lead, attribute) or "")) or None

    return Field(name, label, FieldType.TEXT, read, personal, tuple(choices))


def _size(lead: Lead) -> tuple[int, int] | None:
    return None if lead.size_min is None else (lead.size_min, UNBOUNDED if lead.size_max is None else lead.size_max)


def _place(lead: Lead) -> Place | None:
    place = Place(lead.country_code, lead.state_code, "".join(lead.postal_code.upper().split()))
    return None if place == Place() else place


def _tags(lead: Lead) -> frozenset[str]:
    return frozenset(fold(str(tag)) for tag in lead.tags)


def _answers(lead: Lead) -> frozenset[str] | None:
    """Return the folded answers to the form's questions; None where there are none."""
    given = (answer.get("value") for answer in lead.answers if isinstance(answer, dict))
    return frozenset(fold(str(value)) for value in given if value) or None


def company_keys(lead: Lead) -> frozenset[str]:
    """Return the keys by which a target list may name the lead's company."""
    hosts = {lead.domain if lead.is_free_mail is False else "", host_of(lead.company)} - {""}
    return frozenset({lead.company_key, *(part for host in hosts for part in _with_parents(host))} - {""})


def _target_lists(lead: Lead) -> frozenset[str] | None:
    """Return the ids of the target lists that name the lead's company. One query; None if the company is unknown."""
    keys = company_keys(lead)
    if not keys:
        return None
    entries = TargetListEntry.objects.filter(key__in=sorted(keys), target_list__agency_id=lead.agency_id)
    return frozenset(entries.values_list("target_list_id", flat=True))


def _with_parents(host: str) -> list[str]:
    """Return a host and the domains above it: `eu.acme.com`, `acme.com`."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        _text("title", _("the role")),
        _text("seniority", _("the seniority"), choices=Seniority),
        _text("job_function", _("the function")),
        _text("company", _("the company")),
        _text("industry", _("the industry")),
        Field("company_size", _("the company's size"), FieldType.RANGE, _size),
        Field("place", _("the place"), FieldType.PLACE, _place),
        _text("state", _("the state"), column="state_code"),
        _text("country", _("the country"), column="country_code"),
        _text("location", _("the location")),
        _text("domain", _("the e-mail's domain")),
        Field("is_free_mail", _("free mail"), FieldType.FLAG, lambda lead: lead.is_free_mail),
        Field("target_list", _("the target lists"), FieldType.LIST, _target_lists),
        _text("email", _("the e-mail address"), personal=True),
        _text("phone", _("the phone number"), personal=True),
        _text("linkedin_url", _("the LinkedIn profile"), column="linkedin_key", personal=True),
        _text("language", _("the form's language"), column="creation_locale"),
        _text("lead_type", _("the lead type")),
        _text("form", _("the form")),
        _text("status", _("the status"), choices=LeadStatus),
        _text("source", _("the source"), column="source_id"),
        _text("campaign", _("the campaign"), column="campaign_id"),
        _text("account", _("the account"), column="account_id"),
        Field("tags", _("the tags"), FieldType.SET, _tags),
        Field("answers", _("the answers"), FieldType.SET, _answers, personal=True),
        Field("received", _("the lead arrived"), FieldType.DATE, lambda lead: lead.received_at),
    )
}
