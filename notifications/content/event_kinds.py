"""Define what an event type has: a name, texts for people, the schema of the body, an example."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.core.enums import EventType
from notifications.content.payload_schemas import ALWAYS, Schema, in_documented_order

_HEADINGS = {  # prefix of an event type's name --> the heading that lists it
    "linkedin_": "LinkedIn accounts",
    "reauth_": "LinkedIn accounts",
    "accounts_": "LinkedIn accounts",
    "lead_": "Leads",
    "task_": "Tasks",
    "campaign_": "Campaigns",
    "source_": "Sources",
    "install": "App and sub-accounts",
    "uninstall": "App and sub-accounts",
}
_OTHERS = "These notifications"
#: All headings in the order of display.
HEADINGS = tuple(dict.fromkeys((*_HEADINGS.values(), _OTHERS)))


@dataclass(frozen=True, slots=True)
class EventKind:
    """Describe one event type. `title` and `description` are for people.

    `urgent` events wait for no digest and no quiet hours. `needs_action` marks events that somebody has to act on.
    """

    event_type: EventType
    title: str
    description: str
    fields: Mapping[str, Schema]
    example_fields: Mapping[str, Any]
    urgent: bool = False
    needs_action: bool = False

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
            "title": self.title,
            "description": self.description,
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
