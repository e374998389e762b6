"""From an Event to what agencies receive: fan out, claim, carry, settle, in the order of the way of one event."""

from notifications.services.drain import drain
from notifications.services.fan_out import fan_out

__all__ = ["drain", "fan_out"]
