"""Wake a delivery worker when an event is recorded."""

from typing import Any

from accounts.events.signals import event_recorded
from notifications.tasks import wake_up


def connect_wake_up() -> None:
    event_recorded.connect(_wake_up, dispatch_uid="notifications.wake_up")


def _wake_up(**_: Any) -> None:
    wake_up()
