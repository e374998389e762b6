"""Combine the values of records that are one person. Pure: values come in and go out, nothing is saved.

A contact field's value stands beside its origin (`leads.pipeline.provenance`). The lead's status is no value: it comes
from its references and changes.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField

from accounts.core.derived_fields import DerivedField
from leads.models import Lead
from leads.pipeline.provenance import CONTACT_FIELDS, ValueOrigin

Values = dict[str, Any]

#: Columns that are computed from a lead's clocks and by its score: they are computed anew.
COMPUTED_FIELDS = ("response_warn_at", "response_due_at", "score", "grade")
STATUS_FIELDS = ("status", "campaign_id", "status_since", "status_sequence", "furthest_status")
_NO_VALUES = {
    *STATUS_FIELDS,
    *COMPUTED_FIELDS,
    "id",
    "agency_id",
    "created_at",
    "updated_at",
    "merged_into_id",
    "provenance",
    "has_records",
}
#: Fields whose values belong to one another: a change of one is a change of all.
_TOGETHER = (("phone", "phone_e164"), ("linkedin_url", "linkedin_key"))
_FIRST_TIMES = ("first_attempt_at", "first_response_at", "first_contact_at")
EMPTY: tuple[Any, ...] = (None, "", [])


def value_names() -> list[str]:
    """Return the names of the columns of a lead that hold values of its own."""
    fields = (field for field in Lead._meta.concrete_fields if not isinstance(field, DerivedField))
    return [field.attname for field in fields if field.attname not in _NO_VALUES]


def read_values(lead: Lead) -> Values:
    """Return the values of a lead by column. A contact field's value is a pair with its origin, "" if it has none."""
    return {
        name: [getattr(lead, name), lead.provenance.get(name, "")] if name in CONTACT_FIELDS else getattr(lead, name)
        for name in value_names()
    }


def write_values(lead: Lead, values: Values) -> None:
    """Set values in a lead, unsaved."""
    provenance = dict(lead.provenance)
    for name, value in values.items():
        if name in CONTACT_FIELDS:
            value, provenance[name] = value
        setattr(lead, name, value)
    lead.provenance = {name: origin for name, origin in provenance.items() if origin}


def changed_values(before: Values, now: Values) -> Values:
    """Return the values of `now` that differ from `before`, with those that belong to them."""
    changed = {name for name in now if now[name] != before.get(name)}
    for names in _TOGETHER:
        if changed.intersection(names):
            changed.update(names)
    return {name: now[name] for name in now if name in changed}


def combine(own: Values, others: Iterable[Values]) -> Values:
    """Return what is shown of one person: the first record's values, completed by those of the others in order."""
    shown = dict(own)
    for other in others:
        shown |= _taken(shown, other)
    return shown


def _taken(kept: Values, other: Values) -> Values:
    """Return the values that a record takes from another one of the same person."""
    values = {name: other[name] for name in CONTACT_FIELDS if name != "phone_e164" and _is_better(kept, other, name)}
    if "phone" in values:
        values["phone_e164"] = other["phone_e164"]
    values |= {
        "linkedin_key": kept["linkedin_key"] or other["linkedin_key"],
        "tags": list(dict.fromkeys([*kept["tags"], *other["tags"]])),
        "received_at": min(kept["received_at"], other["received_at"]),
        **{name: _choose(min, kept[name], other[name]) for name in _FIRST_TIMES},
        "last_response_at": _choose(max, kept["last_response_at"], other["last_response_at"]),
        "is_test": kept["is_test"] and other["is_test"],
        "recovered": kept["recovered"] and other["recovered"],
        "details_pending": kept["details_pending"] or other["details_pending"],
    }
    empty = (name for name in kept if name not in values and name not in CONTACT_FIELDS and kept[name] in EMPTY)
    return {**{name: other[name] for name in empty}, **values}


def _choose(choose: Callable[..., datetime], *times: datetime | None) -> datetime | None:
    """Return the one of the known times that `choose` picks. None if none is known."""
    known = [time for time in times if time]
    return choose(known) if known else None


def _is_better(kept: Values, other: Values, name: str) -> bool:
    """Return whether a contact field is taken from `other`.

    It is where `kept` has no value, or where only the value of `other` was typed by a person.
    """
    (value, origin), (other_value, other_origin) = kept[name], other[name]
    if name == "linkedin_url" and other["linkedin_key"] and not kept["linkedin_key"]:
        return bool(origin != ValueOrigin.PERSON)
    typed = other_origin == ValueOrigin.PERSON != origin
    return bool(other_value and (typed or not value))


def to_json(values: Values) -> Values:
    """Return values as JSON stores them. Times keep their microseconds."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def from_json(stored: Values) -> Values:
    """Return values as a lead holds them."""
    times = {field.attname for field in Lead._meta.concrete_fields if isinstance(field, DateTimeField)}
    return {name: datetime.fromisoformat(value) if name in times and value else value for name, value in stored.items()}
