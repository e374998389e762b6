"""Signs of life, and tidying up. A task that is lost or runs twice changes nothing."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from accounts.models import Heartbeat, IdempotencyRecord, SourceSecret
from accounts.reauth import remind_due

IDEMPOTENCY_LIFETIME = timedelta(hours=24)
SCHEDULER = "scheduler"
#: The row that each queue's worker keeps fresh.
WORKERS = {"receipts": "worker", "deliveries": "delivery worker"}


def beat(name: str) -> None:
    """Say that the process `name` lives, now."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=timezone.now())],
        update_conflicts=True,
        update_fields=["at"],
        unique_fields=["name"],
    )


@shared_task(name="accounts.tasks.worker_heartbeat")
def worker_heartbeat(queue: str) -> None:
    """Runs on the worker of `queue`, in a process that also does its work, so a fresh row proves all of it."""
    beat(WORKERS[queue])


@shared_task(name="accounts.tasks.remind")
def remind() -> None:
    """Remind owners who were asked to reconnect their accounts; end the prompts whose time is over."""
    while remind_due():
        pass


@shared_task(name="accounts.tasks.tidy")
def tidy() -> None:
    """Remove what has expired: answers kept for `Idempotency-Key`, and secrets whose overlap is over."""
    now = timezone.now()
    IdempotencyRecord.objects.filter(created_at__lt=now - IDEMPOTENCY_LIFETIME).delete()
    SourceSecret.objects.filter(expires_at__lte=now).delete()
