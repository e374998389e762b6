"""Check the product's health. Each check returns an empty string, or a sentence that says what is wrong."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import redis
from django.conf import settings
from django.db import Error, InternalError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from kombu import Producer

from accounts.core.connections import is_outage
from accounts.core.markup import duration
from accounts.models import Heartbeat, RetentionRun
from accounts.tasks import PURGE, SCHEDULER, WORKERS, write_heartbeat
from config.figures import oldest_due_event, oldest_due_receipt
from leads.privacy import erasure_log as erasure_log_file

PROCESSES = (*WORKERS.values(), SCHEDULER)
HEARTBEAT_AGE = timedelta(seconds=60)
RETENTION_AGE = timedelta(hours=26)  # it runs once a day
HEARTBEAT_AHEAD = timedelta(seconds=15)  # more than clocks of hosts differ: the clock was set back
DUE_AGE = timedelta(seconds=120)
DISK_FREE = 0.05  # share of the disk that holds var/, and of what the database may use
BROKER_SECONDS = 2
REFUSALS: dict[type[Exception], str] = {
    redis.ReadOnlyError: "is read-only",
    redis.OutOfMemoryError: "is full",
    redis.AuthenticationError: "refuses the password",
}
PROBE = "probe"  # the heartbeat and the queue that checks write to and clean up


def find_problems() -> dict[str, str]:
    """Return the problem found by each check by name, or "" if there is none. Never raises."""
    checks: dict[str, Callable[[], str]] = {"database": database}
    if broken := _run(database):
        stored = dict.fromkeys(("migrations", *PROCESSES, "database space", "receipts", "events", "retention"), "")
        return {"database": broken} | dict.fromkeys(stored, "unknown while the database is away") | _without_database()
    checks |= {"migrations": migrations}
    checks |= {name: lambda name=name: heartbeat(name) for name in PROCESSES}  # type: ignore[misc]
    checks |= {"database space": database_space}
    checks |= {"receipts": lambda: overdue(oldest_due_receipt()), "events": lambda: overdue(oldest_due_event())}
    checks |= {"retention": retention}
    return {name: _run(check) for name, check in checks.items()} | _without_database()


def database() -> str:
    """Write to the database and roll back, because a read-only database accepts no webhooks."""
    with transaction.atomic():
        write_heartbeat(PROBE)
        transaction.set_rollback(True)
    return ""


def migrations() -> str:
    """Report the migrations that are not applied to the database."""
    missing = sorted(_known_migrations() - set(MigrationRecorder(connection).applied_migrations()))
    return f"{len(missing)} not applied, the first is {'.'.join(missing[0])}: run manage.py migrate" if missing else ""


def heartbeat(name: str) -> str:
    """Report a process (one of PROCESSES) without a heartbeat within 60 s."""
    return silence(name, Heartbeat.objects.filter(name=name).values_list("at", flat=True).first())


def silence(name: str, last: datetime | None) -> str:
    """Return what is wrong with a process whose last heartbeat was at `last`."""
    if last is None:
        return f"never seen: start it with manage.py run_{'scheduler' if name == SCHEDULER else 'worker'}"
    silent = timezone.now() - last
    if silent < -HEARTBEAT_AHEAD:
        return f"last heard of {duration(-silent)} ahead of the clock, which was set back"
    return f"silent for {duration(silent)}" if silent > HEARTBEAT_AGE else ""


def overdue(oldest: timedelta) -> str:
    """Report work that has been due for more than 120 s. Deliveries are left out, because they wait for slow
    receivers."""
    return f"the oldest has been due for {duration(oldest)}" if oldest > DUE_AGE else ""


def retention() -> str:
    """Report that no run of retention has ended within 26 hours."""
    last = Heartbeat.objects.filter(name=PURGE).values_list("at", flat=True).first()
    if last is not None and timezone.now() - last <= RETENTION_AGE:
        return ""
    since = f"no run has ended for {duration(timezone.now() - last)}" if last else "no run has ever ended"
    run = RetentionRun.objects.filter(finished_at=None).first()
    return f"{since}; one is at the {run.step or 'beginning'}" if run else since


def broker() -> str:
    """Publish a message to a queue of its own and delete it, because a read-only broker wakes nobody."""
    from config.celery import app

    with app.connection_for_write() as channel:
        channel.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=BROKER_SECONDS)
        channel.default_channel.queue_declare(PROBE, durable=False, auto_delete=False)  # type: ignore[attr-defined]
        Producer(channel).publish("", exchange="", routing_key=PROBE, serializer="json", retry=False)
        channel.default_channel.queue_purge(PROBE)  # type: ignore[attr-defined]
    return ""


def erasure_log() -> str:
    """Append nothing to the file that every erasure must be written to, to prove that it can be written."""
    erasure_log_file.append_lines([])
    return ""


def disk() -> str:
    return _disk_of(settings.VAR)


def _is_on_disk_of_var(folder: Path) -> bool:
    return folder.exists() and settings.VAR.exists() and folder.stat().st_dev == settings.VAR.stat().st_dev


def _disk_of(folder: Path) -> str:
    usage = shutil.disk_usage(next(path for path in (folder, *Path(folder).parents) if path.exists()))
    share = usage.free / usage.total
    return f"only {share:.1%} of the disk is free" if share < DISK_FREE else ""


def database_space() -> str:
    """Report a database without room: SQLite on the disk of its file, PostgreSQL by its size.

    PostgreSQL does not say how much space is free, so its size is compared with DATABASE_BYTES, if an operator set
    that.
    """
    if connection.vendor == "sqlite":
        folder = Path(connection.settings_dict["NAME"]).parent
        return "" if _is_on_disk_of_var(folder) else _disk_of(folder)  # `disk` reports that already
    if not settings.DATABASE_BYTES:
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        used: int = cursor.fetchone()[0]
    share = 1 - used / settings.DATABASE_BYTES
    return f"only {max(share, 0):.1%} of DATABASE_BYTES is free" if share < DISK_FREE else ""


def _without_database() -> dict[str, str]:
    return {"broker": _run(broker), "disk": _run(disk), "erasure log": _run(erasure_log)}


def _run(check: Callable[[], str]) -> str:
    try:
        return check()
    except Error as error:
        if isinstance(error, InternalError) and is_outage(error):
            return "the database is read-only"
        return f"the database does not answer ({type(error).__name__})"
    except PermissionError:
        return "cannot be written to"
    except Exception as error:
        cause = error.__cause__ or error
        return next(
            (refusal for kind, refusal in REFUSALS.items() if isinstance(cause, kind)),
            f"does not answer ({type(error).__name__})",
        )


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations that are recorded in every database, whether a squashed one stood for them or not."""
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return frozenset(name for name, migration in migrations.items() if not migration.replaces)
