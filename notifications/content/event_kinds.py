"""Define what an event type has: a name, texts for people, the schema of the body, an example."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.core.enums import EventType
from notifications.content.payload_schemas import ALWAYS, Schema, in_documented_order

_HEADINGS = {  # prefix of an event type's name --> the heading that lists it
    "linkedin_": _("LinkedIn accounts"),
    "reauth_": _("LinkedIn accounts"),
    "accounts_": _("LinkedIn accounts"),
    "lead_": _("Leads"),
    "message_": _("Conversations"),
    "task_": _("Tasks"),
    "rule_": _("Rules"),
    "campaign_": _("Campaigns"),
    "source_": _("Sources"),
    "install": _("App and sub-accounts"),
    "uninstall": _("App and sub-accounts"),
}
_OTHERS = _("These notifications")
#: All headings in the order of display.
HEADINGS = tuple(dict.fromkeys((*_HEADINGS.values(), _OTHERS)))


@dataclass(frozen=True, slots=True)
class EventKind:
    """Describe one event type. `name_of_kind` and `meaning` are English; `title` and `description` are what they are in
    the language of the reader.

    `urgent` events wait for no digest and no quiet hours. `needs_action` marks events that somebody has to act on.
    """

    event_type: EventType
    name_of_kind: str
    meaning: str
    fields: Mapping[str, Schema]
    example_fields: Mapping[str, Any]
    urgent: bool = False
    needs_action: bool = False

    @property
    def title(self) -> str:
        return gettext(self.name_of_kind)

    @property
    def description(self) -> str:
        return gettext(self.meaning)

    @property
    def name(self) -> str:
        return self.event_type.value

    @property
    def heading(self) -> str:
        return next((title for start, title in _HEADINGS.items() if self.name.startswith(start)), _OTHERS)

    @property
    def schema(self) -> Schema:
        """Return the JSON Schema (2020-12) of the body."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name_of_kind,
            "description": self.meaning,
            "type": "object",
            "properties": {**ALWAYS, "event_type": {**ALWAYS["event_type"], "const": self.name}, **self.fields},
            "required": list(ALWAYS),
            "additionalProperties": False,
        }

    @property
    def example(self) -> dict[str, Any]:
        return in_documented_order(
            {
                "event_type": self.name,
                "event_id": "evt_01kqz4m3d8w5v9x2c7b6n1t0rs",
                "ghl_company_id": "fhRhvcLbntMZs3hVo5L4",
                "timestamp": "2026-03-21T00:22:16.000Z",
                **self.example_fields,
            }
        )
