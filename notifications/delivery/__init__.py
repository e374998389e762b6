"""From an Event to what agencies receive: fan out, claim, carry, settle, in the order of the way of one event."""

from notifications.delivery.fan_out import fan_out, hears
from notifications.delivery.worker import drain

__all__ = ["drain", "fan_out", "hears"]
