"""Define each field of a channel once: its kinds, default, validation and purpose.

The services, the API, the portal's form and the back office read these definitions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from accounts.core.errors import FieldError
from notifications.channels import rules
from notifications.models import DEFAULT_DIGEST_TIME, ChannelKind, Mode

EVERY_KIND = frozenset(ChannelKind)
#: Kinds whose messages people read. Programs get every event at once, each in a message of its own.
READ_BY_PEOPLE = frozenset({ChannelKind.EMAIL, ChannelKind.SLACK})


@dataclass(frozen=True, slots=True)
class ChannelField:
    """Describe a field that may be set. `default` applies if it is not given; `purpose` is the API's help text."""

    check: Callable[[Any], Any]
    default: Any
    kinds: frozenset[ChannelKind] = EVERY_KIND
    purpose: str = ""


FIELDS: dict[str, ChannelField] = {
    "name": ChannelField(rules.name, ""),
    "email": ChannelField(rules.email, "", frozenset({ChannelKind.EMAIL})),
    "url": ChannelField(
        rules.url,
        "",
        frozenset({ChannelKind.WEBHOOK, ChannelKind.SLACK}),
        "Below the scope `admin` only its host.",
    ),
    "event_types": ChannelField(rules.event_types, [], purpose="Empty: all."),
    "locations": ChannelField(rules.locations, [], purpose="Empty: all."),
    "lead_statuses": ChannelField(rules.lead_statuses, [], purpose="Of leads, only changes to these; empty: all."),
    "creation_locales": ChannelField(
        rules.creation_locales,
        [],
        purpose="Of leads, only those of forms in these languages, such as `en_US`; empty: all.",
    ),
    "conditions": ChannelField(
        rules.conditions,
        {},
        purpose="A tree of conditions: of leads, only those that certainly fulfil it. Events that are not about a lead "
        "pass; {}: every lead.",
    ),
    "test_events": ChannelField(rules.test_events, False, purpose="Also what happens to test leads."),
    "mode": ChannelField(rules.mode, Mode.INSTANT.value, READ_BY_PEOPLE),
    "digest_at": ChannelField(
        rules.digest_at,
        DEFAULT_DIGEST_TIME,
        READ_BY_PEOPLE,
        "When a daily summary goes out, on a clock in the time zone: 08:00.",
    ),
    "quiet_hours": ChannelField(rules.quiet_hours, None, READ_BY_PEOPLE),
    "working_days": ChannelField(rules.working_days, [], READ_BY_PEOPLE, "Empty: all."),
    "timezone": ChannelField(rules.timezone, "", READ_BY_PEOPLE, "Null: the agency's."),
    "conflation_seconds": ChannelField(
        rules.conflation_seconds, 60, READ_BY_PEOPLE, "Changes of one lead within this time are one message."
    ),
    "urgent_event_types": ChannelField(
        rules.urgent_event_types,
        [],
        READ_BY_PEOPLE,
        "These wait for no digest and no quiet hours, as `linkedin_blocked` and `lead_opportunity` never do.",
    ),
    "headers": ChannelField(rules.headers, {}, frozenset({ChannelKind.WEBHOOK}), "Masked below the scope `admin`."),
    "rate_per_second": ChannelField(rules.rate_per_second, None, frozenset({ChannelKind.WEBHOOK}), "null: no limit."),
}
#: Fields that decide when people get a message.
TIMING_FIELDS = frozenset(name for name, field in FIELDS.items() if field.kinds == READ_BY_PEOPLE)


def has_field(kind: str, name: str) -> bool:
    """Return whether a channel of this kind has this field. Every channel has fields that cannot be set (`id`)."""
    return name not in FIELDS or kind in FIELDS[name].kinds


def fields_of(kind: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that a channel of this kind has."""
    return [name for name in names if has_field(kind, name)]


def validated_kind(kind: str) -> ChannelKind:
    if kind not in set(ChannelKind):
        raise FieldError("kind", gettext("Use one of %(ChannelKind)s.") % {"ChannelKind": ", ".join(ChannelKind)})
    return ChannelKind(kind)


def validated_fields(kind: ChannelKind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they are stored. Raises FieldError for the first invalid value."""
    result = {}
    for name, value in values.items():
        if name not in FIELDS:
            raise FieldError(name, gettext("A channel has no such field, or it cannot be changed."))
        if has_field(kind, name):
            result[name] = FIELDS[name].check(value)
        elif value not in (FIELDS[name].default, None, ""):
            raise FieldError(
                name, gettext("A channel of kind %(value)s has no %(name)s.") % {"value": kind.value, "name": name}
            )
    return result
