"""Wake a worker for waiting receipts."""

from accounts.core.wakeups import WakeUp

wake_up = WakeUp("webhooks.tasks.process_receipts", queue="receipts").wake_up
