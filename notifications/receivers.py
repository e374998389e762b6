"""The doorbell's wire: whoever records an Event wakes a delivery worker."""

from typing import Any

from accounts.events.signals import event_recorded
from notifications.tasks import wake_up


def connect() -> None:
    event_recorded.connect(_wake_up, dispatch_uid="notifications.ring")


def _wake_up(**_: Any) -> None:
    wake_up()
