"""Define the task that delivers. A task that is lost or runs twice changes nothing."""

from celery import shared_task

from accounts.core.wakeups import WakeUp
from notifications.delivery import drain_deliveries


@shared_task(name="notifications.tasks.deliver_due")
def deliver_due() -> None:
    """Fan out and deliver what is due. Start another task if time ran out."""
    if drain_deliveries():
        wake_up()


_wakeup = WakeUp("notifications.tasks.deliver_due", queue="deliveries")


def wake_up() -> None:
    """Have a worker look for due events and deliveries."""
    _wakeup.wake_up()
