"""Receivers on loopback are allowed here; the database stays with the test's own thread."""

import pytest

from accounts.models import Agency
from notifications.channels.service import create_channel
from notifications.models import Channel


@pytest.fixture
def mailbox_channel(agency: Agency) -> Channel:
    return create_channel(agency, kind="email", email="team@example.com", name="Team inbox", verified=True)[0]
