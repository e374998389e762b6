"""What becomes of leads and their copies is looked at without what others do because of events."""

import pytest

from tests.reactions import silence_subscribers


@pytest.fixture(autouse=True)
def events_wait_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    silence_subscribers(monkeypatch)
