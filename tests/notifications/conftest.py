"""Receivers on loopback are allowed here; the database stays with the test's own thread."""

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from accounts.core.enums import EventType
from accounts.events.outbox import record
from accounts.models import Agency, Event
from notifications.channels.service import create_channel
from notifications.models import Channel


@pytest.fixture
def loopback(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def webhook(agency: Agency, loopback: None) -> Callable[..., Channel]:
    """Make a webhook channel of the agency for a receiver's URL."""
    return lambda url, **fields: create_channel(agency, kind="webhook", url=url, **fields)[0]


@pytest.fixture
def mailbox_channel(agency: Agency) -> Channel:
    return create_channel(agency, kind="email", email="team@example.com", name="Team inbox", verified=True)[0]


@pytest.fixture
def happen(agency: Agency) -> Callable[..., Event]:
    """Let something happen at the agency."""

    def happen(event_type: EventType = EventType.LINKEDIN_DISCONNECTED, **fields: str) -> Event:
        return record(agency, event_type, **({"linkedin_account_name": "John Doe"} | fields))

    return happen
