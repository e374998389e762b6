"""Wakes a worker that receipts are waiting."""

from accounts.core.wakeups import Doorbell

ring = Doorbell("webhooks.tasks.process_receipts", queue="receipts").ring
