"""Wake-ups for what is due in rows. A task that is lost or runs twice changes nothing."""

from celery import shared_task

from accounts.core.wakeups import WakeUp
from notifications.delivery import drain


@shared_task(name="notifications.tasks.deliver_due")
def deliver_due() -> None:
    """Fan out and deliver what is due; hands over to its successor when its time is over."""
    if drain():
        wake_up()


_wakeup = WakeUp("notifications.tasks.deliver_due", queue="deliveries")


def wake_up() -> None:
    """Say that events or deliveries are due."""
    _wakeup.wake_up()
