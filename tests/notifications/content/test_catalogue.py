"""The catalogue is total, and what agencies receive is what it says."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from jsonschema import Draft202012Validator, ValidationError

from accounts.core.enums import AGENCY_EVENTS, PERSONAL_EVENTS, EventType
from accounts.events.outbox import record_event
from accounts.models import Agency
from notifications.content.catalogue import CATALOGUE
from notifications.content.payload_schemas import in_documented_order

SEED = {  # the published examples, to the letter
    "install": {
        "event_type": "install",
        "ghl_company_id": "fhRhvcLbntMZs3hVo5L4",
        "ghl_location_id": "tdIePnL9kWCtdO7z6Md5",
        "installer_name": "Daniel Marr",
        "installer_email": "daniel@example.com",
        "ghl_user_id": "bHclZxQvtmD5wT7SYwsc",
        "timestamp": "2026-03-21T00:22:16.000Z",
    },
    "uninstall": {
        "event_type": "uninstall",
        "ghl_company_id": "fhRhvcLbntMZs3hVo5L4",
        "ghl_location_id": "tdIePnL9kWCtdO7z6Md5",
        "timestamp": "2026-03-21T00:22:16.000Z",
    },
    **{
        name: {
            "event_type": name,
            "ghl_company_id": "fhRhvcLbntMZs3hVo5L4",
            "ghl_location_id": "tdIePnL9kWCtdO7z6Md5",
            "linkedin_account_name": "John Doe",
            **more,
            "timestamp": "2026-03-21T00:22:16.000Z",
        }
        for name, more in {
            "linkedin_disconnected": {},
            "linkedin_deleted": {},
            "linkedin_blocked": {},
            "linkedin_auth_error": {"error_detail": "Token expired"},
            "linkedin_reconnected": {},
            "linkedin_rate_limit": {
                "limit_type": "Daily",
                "api_name": "Search People",
                "resets_at": "2026-03-22T00:00:00.000Z",
            },
        }.items()
    },
}


def test_every_event_type_has_an_entry_and_nothing_else_has() -> None:
    assert list(CATALOGUE) == list(EventType)


def test_services_name_every_event_type() -> None:
    root = Path(settings.BASE_DIR)
    paths = {path for app in ("accounts", "leads", "webhooks", "notifications") for path in (root / app).rglob("*.py")}
    lists = {root / "accounts/core/enums.py", *(root / "notifications/content").glob("*.py")}
    named = {name for path in paths - lists for name in re.findall(r"\bEventType\.([A-Z_]+)\b", path.read_text())}
    assert {event_type.name for event_type in EventType} - named == set()


@pytest.mark.parametrize("event_type", EventType)
def test_every_entry_is_complete_and_its_example_is_valid(event_type: EventType) -> None:
    kind = CATALOGUE[event_type]
    assert kind.name == event_type
    assert kind.title
    assert kind.description.endswith(".")
    Draft202012Validator.check_schema(kind.schema)
    Draft202012Validator(kind.schema).validate(kind.example)
    folder = Path(settings.BASE_DIR) / "templates" / "email"
    assert (folder / f"{event_type}.subject.txt").is_file()
    assert (folder / f"{event_type}.txt").is_file()


@pytest.mark.parametrize("name", SEED)
def test_the_eight_published_examples_are_kept_to_the_letter(name: str) -> None:
    example = dict(CATALOGUE[EventType(name)].example)
    assert example.pop("event_id").startswith("evt_")
    assert json.dumps(example) == json.dumps(SEED[name])


@pytest.mark.parametrize("event_type", EventType)
@pytest.mark.parametrize(
    "spoilt", [{"surprise": "x"}, {"provider": None}, {"timestamp": "yesterday"}, {"event_id": ""}]
)
def test_a_body_with_anything_else_in_it_is_not_valid(event_type: EventType, spoilt: dict[str, str]) -> None:
    kind = CATALOGUE[event_type]
    with pytest.raises(ValidationError):
        Draft202012Validator(kind.schema).validate({**kind.example, **spoilt})


def test_a_recorded_event_is_valid_and_leaves_out_what_has_no_value(agency: Agency) -> None:
    event = record_event(
        agency, EventType.LEAD_CREATED, lead_id="lead_1", lead_name="", linkedin_url=None, status="PENDING"
    )
    Draft202012Validator(CATALOGUE[EventType.LEAD_CREATED].schema).validate(event.payload)
    assert list(in_documented_order(event.payload)) == [
        "event_type",
        "event_id",
        "ghl_company_id",
        "lead_id",
        "status",
        "timestamp",
    ]


def test_only_what_cannot_wait_till_morning_is_urgent() -> None:
    """What merely needs somebody says `asks`; an agency marks as urgent what else it wants at night."""
    urgent = {kind.name for kind in CATALOGUE.values() if kind.urgent} - set(PERSONAL_EVENTS)
    assert urgent - {"channel_verification", "test"} <= {"linkedin_blocked", "lead_opportunity", "lead_high_priority"}
    always = {"linkedin_blocked", "lead_opportunity", "lead_high_priority"} & set(AGENCY_EVENTS)
    assert always <= urgent
