"""The fields of a channel, each once: which kinds have it, what it is where it is not given, how it is checked, what it
is for. The services, the API, the portal's form and the back office read this.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.core.errors import FieldError
from notifications.channels import rules
from notifications.models import MORNING, ChannelKind, Mode

EVERY_KIND = frozenset(ChannelKind)
#: What people read. Programs get every event, once, at once.
PEOPLES = frozenset({ChannelKind.EMAIL, ChannelKind.SLACK})


@dataclass(frozen=True, slots=True)
class ChannelField:
    """A field that may be set. `absent` is its value where it is not given, `purpose` what the API says of it."""

    check: Callable[[Any], Any]
    absent: Any
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
    "test_events": ChannelField(rules.test_events, False, purpose="Also what happens to test leads."),
    "mode": ChannelField(rules.mode, Mode.INSTANT.value, PEOPLES),
    "digest_at": ChannelField(
        rules.digest_at,
        MORNING,
        PEOPLES,
        "When a daily summary goes out, on a clock in the time zone: 08:00.",
    ),
    "quiet_hours": ChannelField(rules.quiet_hours, None, PEOPLES),
    "working_days": ChannelField(rules.working_days, [], PEOPLES, "Empty: all."),
    "timezone": ChannelField(rules.timezone, "", PEOPLES, "Null: the agency's."),
    "conflation_seconds": ChannelField(
        rules.conflation_seconds, 60, PEOPLES, "Changes of one lead within this time are one message."
    ),
    "urgent_event_types": ChannelField(
        rules.urgent_event_types,
        [],
        PEOPLES,
        "These wait for no digest and no quiet hours, as `linkedin_blocked` and `lead_opportunity` never do.",
    ),
    "headers": ChannelField(rules.headers, {}, frozenset({ChannelKind.WEBHOOK}), "Masked below the scope `admin`."),
    "rate_per_second": ChannelField(rules.rate_per_second, None, frozenset({ChannelKind.WEBHOOK}), "null: no limit."),
}
#: What decides when people get what they hear of.
TIMING = frozenset(name for name, field in FIELDS.items() if field.kinds == PEOPLES)


def has_field(kind: str, name: str) -> bool:
    """Return whether a channel of this kind has this field; what is no settable field (`id`), every channel has."""
    return name not in FIELDS or kind in FIELDS[name].kinds


def fields_of(kind: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that a channel of this kind has."""
    return [name for name in names if has_field(kind, name)]


def checked_kind(kind: str) -> ChannelKind:
    if kind not in set(ChannelKind):
        raise FieldError("kind", f"Use one of {', '.join(ChannelKind)}.")
    return ChannelKind(kind)


def checked(kind: ChannelKind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they are stored. Raises FieldError for the first that cannot be."""
    result = {}
    for name, value in values.items():
        if name not in FIELDS:
            raise FieldError(name, "A channel has no such field, or it cannot be changed.")
        if has_field(kind, name):
            result[name] = FIELDS[name].check(value)
        elif value not in (FIELDS[name].absent, None, ""):
            raise FieldError(name, f"A channel of kind {kind.value} has no {name}.")
    return result
