"""Is the product well? Each check answers with an empty string, or with a sentence that says what is wrong."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.core.markup import duration
from accounts.models import Heartbeat, RetentionRun
from accounts.tasks import PURGE, SCHEDULER, WORKERS
from config.figures import oldest_due_event, oldest_due_receipt

PROCESSES = (*WORKERS.values(), SCHEDULER)
HEARTBEAT_AGE = timedelta(seconds=60)
RETENTION_AGE = timedelta(hours=26)  # it runs once a day
DUE_AGE = timedelta(seconds=120)
DISK_FREE = 0.05  # of the disk that holds var/
BROKER_SECONDS = 2


def findings() -> dict[str, str]:
    """What is wrong, by the name of the check; "" where all is well. Never raises."""
    checks: dict[str, Callable[[], str]] = {"database": database}
    if broken := _run(database):
        stored = dict.fromkeys(("migrations", *PROCESSES, "receipts", "events", "retention"), "")
        return {"database": broken} | dict.fromkeys(stored, "unknown while the database is away") | _without_database()
    checks |= {"migrations": migrations}
    checks |= {name: lambda name=name: heartbeat(name) for name in PROCESSES}  # type: ignore[misc]
    checks |= {"receipts": lambda: overdue(oldest_due_receipt()), "events": lambda: overdue(oldest_due_event())}
    checks |= {"retention": retention}
    return {name: _run(check) for name, check in checks.items()} | _without_database()


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return ""


def migrations() -> str:
    """Those that the code has and the database has not."""
    missing = sorted(_known_migrations() - set(MigrationRecorder(connection).applied_migrations()))
    return f"{len(missing)} not applied, the first is {'.'.join(missing[0])}: run manage.py migrate" if missing else ""


def heartbeat(name: str) -> str:
    """Whether the process (one of PROCESSES) said within 60 s that it lives."""
    return silence(name, Heartbeat.objects.filter(name=name).values_list("at", flat=True).first())


def silence(name: str, last: datetime | None) -> str:
    """What is wrong with a process that was last heard of then."""
    if last is None:
        return f"never seen: start it with manage.py run_{'scheduler' if name == SCHEDULER else 'worker'}"
    silent = timezone.now() - last
    return f"silent for {duration(silent)}" if silent > HEARTBEAT_AGE else ""


def overdue(oldest: timedelta) -> str:
    """Whether what is ours to work on has waited for more than 120 s. (Deliveries wait for slow receivers, too.)"""
    return f"the oldest has been due for {duration(oldest)}" if oldest > DUE_AGE else ""


def retention() -> str:
    """Whether a run of retention has ended within 26 hours."""
    last = Heartbeat.objects.filter(name=PURGE).values_list("at", flat=True).first()
    if last is not None and timezone.now() - last <= RETENTION_AGE:
        return ""
    since = f"no run has ended for {duration(timezone.now() - last)}" if last else "no run has ever ended"
    run = RetentionRun.objects.filter(finished_at=None).first()
    return f"{since}; one is at the {run.step or 'beginning'}" if run else since


def broker() -> str:
    from config.celery import app

    with app.connection_for_write() as channel:
        channel.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=BROKER_SECONDS)
        channel.default_channel  # noqa: B018 (opens it: the spool's folder is looked at only here)
    return ""


def disk() -> str:
    usage = shutil.disk_usage(next(path for path in (settings.VAR, *Path(settings.VAR).parents) if path.exists()))
    share = usage.free / usage.total
    return f"only {share:.1%} of the disk is free" if share < DISK_FREE else ""


def _without_database() -> dict[str, str]:
    return {"broker": _run(broker), "disk": _run(disk)}


def _run(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError as error:
        return f"the database does not answer ({type(error).__name__})"
    except Exception as error:
        return f"does not answer ({type(error).__name__})"


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
