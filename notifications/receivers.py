"""The doorbell's wire: whoever records an Event wakes a delivery worker."""

from typing import Any

from accounts.events.signals import event_recorded
from notifications.tasks import ring


def connect() -> None:
    event_recorded.connect(_ring, dispatch_uid="notifications.ring")


def _ring(**_: Any) -> None:
    ring()
