"""Deliver events to agencies: fan out, build digests, claim, send, save results."""

from notifications.delivery.fan_out import fan_out_due_events, is_interested
from notifications.delivery.worker import drain_deliveries

__all__ = ["drain_deliveries", "fan_out_due_events", "is_interested"]
