"""Write heartbeats, run jobs and delete expired rows. A task that is lost or runs twice changes nothing."""

import sqlite3
import time
from contextlib import closing
from datetime import timedelta

from celery import shared_task
from django.db import connection
from django.utils import timezone

from accounts.campaigns.service import resume_held
from accounts.core.job_handlers import QueueName, run_due_jobs, wake_up_jobs
from accounts.core.text_index import merge_text_indexes
from accounts.events import reactions
from accounts.models import Heartbeat, IdempotencyRecord, SourceSecret
from accounts.sources.service import EXPIRED_SECRET_LIFETIME

IDEMPOTENCY_LIFETIME = timedelta(hours=24)
SCHEDULER = "scheduler"
#: The heartbeat of retention. A migration makes its row, so that a deployment where retention never runs is noticed.
PURGE = "purge"
RUN_SECONDS = 30.0
HEARTBEAT_INTERVAL = 5.0
CHECKPOINT_SECONDS = 0.2  # the longest time that a checkpoint keeps others from writing while their readers end
#: Queue --> the heartbeat of its worker.
WORKERS = {"receipts": "worker", "deliveries": "delivery worker", "sync": "sync worker"}


def write_heartbeat(name: str) -> None:
    """Write the heartbeat of a process."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=timezone.now())],
        update_conflicts=True,
        update_fields=["at"],
        unique_fields=["name"],
    )


class WorkerHeartbeat:
    """Write the heartbeat of a queue's worker from within long work, at most every HEARTBEAT_INTERVAL seconds. The task
    of the heartbeat waits for the end of that work."""

    def __init__(self, queue: QueueName) -> None:
        self._name = WORKERS[queue]
        self._written_at = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._written_at > HEARTBEAT_INTERVAL:
            self._written_at = time.monotonic()
            write_heartbeat(self._name)


@shared_task(name="accounts.tasks.worker_heartbeat")
def worker_heartbeat(queue: str) -> None:
    """Write the heartbeat of a queue's worker. The task runs in a process that does the worker's jobs, so it proves
    them too."""
    write_heartbeat(WORKERS[queue])


@shared_task(name="accounts.tasks.resume_campaigns")
def resume_campaigns() -> None:
    """Resume the campaigns that waited for their account to be ready."""
    resume_held()


@shared_task(name="accounts.tasks.react")
def react() -> None:
    """Carry out due reactions."""
    until = time.monotonic() + RUN_SECONDS
    while reactions.carry_out_due_reactions() and time.monotonic() < until:
        pass


@shared_task(name="accounts.tasks.run_jobs")
def run_jobs(queue: QueueName) -> None:
    """Run the due jobs of a queue. Start the task again if the time ran out."""
    if run_due_jobs(queue, seconds=RUN_SECONDS, send_heartbeat=WorkerHeartbeat(queue)):
        wake_up_jobs(queue)


@shared_task(name="accounts.tasks.tidy")
def tidy() -> None:
    """Delete expired idempotency records, and secrets whose overlap ended long ago. On SQLite, also delete what text
    indexes and the log still hold of deleted rows."""
    now = timezone.now()
    IdempotencyRecord.objects.filter(created_at__lt=now - IDEMPOTENCY_LIFETIME).delete()
    SourceSecret.objects.filter(expires_at__lte=now - EXPIRED_SECRET_LIFETIME).delete()
    merge_text_indexes()
    _truncate_wal()


def _truncate_wal() -> None:
    """Empty SQLite's write-ahead log, which holds erased data until the log is written over."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=CHECKPOINT_SECONDS)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
