"""Receivers on loopback are allowed here; the database stays with the test's own thread."""

from dataclasses import replace

import pytest

from accounts.events import reactions
from accounts.models import Agency
from notifications.channels.service import create_channel
from notifications.models import Channel


@pytest.fixture(autouse=True)
def events_wait_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes of events is looked at alone: nobody reacts to them, so that none is held back until then."""
    silent = {name: replace(one, event_types=frozenset()) for name, one in reactions._subscriptions.items()}
    monkeypatch.setattr(reactions, "_subscriptions", silent)


@pytest.fixture
def mailbox_channel(agency: Agency) -> Channel:
    return create_channel(agency, kind="email", email="team@example.com", name="Team inbox", verified=True)[0]
