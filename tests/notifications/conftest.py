"""Receivers on loopback are allowed here; the database stays with the test's own thread."""

import pytest

from accounts.models import Agency
from notifications.channels.service import create_channel
from notifications.models import Channel
from tests.reactions import silence_subscribers


@pytest.fixture(autouse=True)
def events_wait_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes of events is looked at alone: nobody reacts to them, so that none is held back until then."""
    silence_subscribers(monkeypatch)


@pytest.fixture
def mailbox_channel(agency: Agency) -> Channel:
    return create_channel(agency, kind="email", email="team@example.com", name="Team inbox", verified=True)[0]
