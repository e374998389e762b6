"""Signs of life, and tidying up. A task that is lost or runs twice changes nothing."""

from datetime import datetime, timedelta

from celery import shared_task
from django.utils import timezone

from accounts.models import Heartbeat, IdempotencyRecord, SourceSecret

IDEMPOTENCY_LIFETIME = timedelta(hours=24)
SCHEDULER, WORKER = "scheduler", "worker"
QUEUES = ("receipts", "deliveries")


def beat(name: str, at: datetime | None = None) -> None:
    """Say that the process `name` lived at `at` (now)."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=at or timezone.now())],
        update_conflicts=True,
        update_fields=["at"],
        unique_fields=["name"],
    )


@shared_task(name="accounts.tasks.worker_heartbeat")
def worker_heartbeat(queue: str) -> None:
    """Runs on the worker of `queue`, in a process that also does its work, so a fresh row proves all of it.

    The row `worker` is as old as the sign of life of the worker that has been silent longest.
    """
    beat(f"{WORKER} {queue}")
    signs = Heartbeat.objects.filter(name__in=[f"{WORKER} {each}" for each in QUEUES]).values_list("at", flat=True)
    if len(signs) == len(QUEUES):
        beat(WORKER, min(signs))


@shared_task(name="accounts.tasks.tidy")
def tidy() -> None:
    """Remove what has expired: answers kept for `Idempotency-Key`, and secrets whose overlap is over."""
    now = timezone.now()
    IdempotencyRecord.objects.filter(created_at__lt=now - IDEMPOTENCY_LIFETIME).delete()
    SourceSecret.objects.filter(expires_at__lte=now).delete()
