"""Signs of life, and tidying up. A task that is lost or runs twice changes nothing."""

import sqlite3
import time
from contextlib import closing
from datetime import timedelta

from celery import shared_task
from django.db import connection
from django.utils import timezone

from accounts.campaigns.service import resume_held
from accounts.core.job_handlers import QueueName, run_due_jobs, wake_up_jobs
from accounts.events import reactions
from accounts.models import Heartbeat, IdempotencyRecord, SourceSecret
from accounts.reauth.prompts import remind_due
from accounts.sources.service import REMEMBERED

IDEMPOTENCY_LIFETIME = timedelta(hours=24)
SCHEDULER = "scheduler"
#: The end of a run of retention; a migration makes its row first, so that a product that never runs one is known by it.
PURGE = "purge"
RUN_SECONDS = 30.0
SIGN_OF_LIFE_SECONDS = 5.0  # while jobs are run, which the heartbeat's own task has to wait for
CHECKPOINT_SECONDS = 0.2  # that others are kept from writing, at most, while their readers end
#: The row that each queue's worker keeps fresh.
WORKERS = {"receipts": "worker", "deliveries": "delivery worker", "sync": "sync worker"}


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
    """Remind owners who were asked to reconnect their accounts; end the prompts whose time is over; resume what waited
    for its account to be ready."""
    while remind_due():
        pass
    resume_held()


@shared_task(name="accounts.tasks.react")
def react() -> None:
    """Carry out what follows events."""
    until = time.monotonic() + RUN_SECONDS
    while reactions.carry_out_due() and time.monotonic() < until:
        pass


@shared_task(name="accounts.tasks.run_jobs")
def run_jobs(queue: QueueName) -> None:
    """Do the work of a queue's registered jobs that is due; hand over to a successor when the time is over."""
    beaten = time.monotonic()

    def stay_alive() -> None:
        nonlocal beaten
        if time.monotonic() - beaten > SIGN_OF_LIFE_SECONDS:
            beaten = time.monotonic()
            beat(WORKERS[queue])

    if run_due_jobs(queue, seconds=RUN_SECONDS, note_alive=stay_alive):
        wake_up_jobs(queue)


@shared_task(name="accounts.tasks.tidy")
def tidy() -> None:
    """Remove what has expired: answers kept for `Idempotency-Key`, and secrets whose overlap was over long ago."""
    now = timezone.now()
    IdempotencyRecord.objects.filter(created_at__lt=now - IDEMPOTENCY_LIFETIME).delete()
    SourceSecret.objects.filter(expires_at__lte=now - REMEMBERED).delete()
    _empty_log()


def _empty_log() -> None:
    """SQLite's write-ahead log still holds what was erased: it is written over only when it begins anew."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=CHECKPOINT_SECONDS)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
