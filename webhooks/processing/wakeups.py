"""Wakes a worker that receipts are waiting."""

from accounts.core.wakeups import WakeUp

wake_up = WakeUp("webhooks.tasks.process_receipts", queue="receipts").wake_up
