"""A wake-up that the broker does not take costs nothing, and is logged once."""

import threading
from typing import Any

import pytest

from accounts.core import wakeups
from accounts.core.wakeups import WakeUp


def test_a_broker_that_is_away_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = threading.Semaphore(0)

    class Broker:
        def send_task(self, *_: Any, **__: Any) -> None:
            tried.release()
            raise ConnectionError

    monkeypatch.setattr(wakeups, "current_app", Broker())
    monkeypatch.setattr(wakeups, "PAUSE_SECONDS", 0.0)
    waker = WakeUp("webhooks.tasks.process_receipts", queue="receipts")
    for _ in range(5):
        waker.wake_up()
        assert tried.acquire(timeout=10)
    waker.wake_up()
    assert tried.acquire(timeout=10)
    warnings = [record for record in caplog.records if "takes no wake-ups" in record.getMessage()]
    assert len(warnings) == 1
