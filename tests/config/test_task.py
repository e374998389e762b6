"""A worker's task begins with a healthy connection, and is not lost when the database goes away."""

import sqlite3
import uuid
from typing import Any

import psycopg
import pytest
from celery.app.trace import build_tracer
from django.db import DataError, InterfaceError, InternalError, OperationalError, connection, connections
from psycopg import errors

from accounts import tasks
from accounts.core import connections as outages
from accounts.models import Heartbeat
from config.celery import app
from tests.outages import outage

HEARTBEAT = "accounts.tasks.worker_heartbeat"


def run_in_worker(name: str = HEARTBEAT, **kwargs: Any) -> None:
    """Run a task as a pool process does: with its signals; an error is logged and not raised."""
    build_tracer(name, app.tasks[name], app=app)(str(uuid.uuid4()), [], kwargs or {"queue": "receipts"})  # type: ignore[call-arg]


def has_heartbeat() -> bool:
    return bool(Heartbeat.objects.filter(name="worker").delete()[0])


def session() -> int:
    """The server's process for our connection; SQLite has none."""
    connection.ensure_connection()
    return connection.connection.info.backend_pid if connection.vendor == "postgresql" else 0


def terminate(pid: int) -> None:
    """As a restart, a pooler or a time-out does; SQLite has no connection to lose."""
    if pid:
        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        finally:
            other.close()


@pytest.mark.django_db(transaction=True)
def test_a_task_after_a_lost_connection_does_its_work() -> None:
    for _ in range(3):
        terminate(session())
        run_in_worker()
        assert has_heartbeat()


@pytest.mark.django_db(transaction=True)
def test_a_session_that_began_while_the_database_was_read_only_is_replaced() -> None:
    if session():
        connection.cursor().execute("SET default_transaction_read_only = on")
    run_in_worker()
    connection.close()
    assert has_heartbeat()


@pytest.mark.django_db(transaction=True)
def test_tasks_share_a_connection_as_long_as_it_is_healthy() -> None:
    used = set()
    for _ in range(5):
        run_in_worker()
        used.add(session())
    assert len(used) == 1


@pytest.mark.django_db(transaction=True)
def test_a_task_that_an_outage_ends_runs_again_and_what_it_had_claimed_is_given_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outages, "RETRY_PAUSE", 0.0)
    done: list[str] = []

    def write_heartbeat(name: str) -> None:
        with outages.undone_after_outage(lambda: done.append("given back")):
            terminate(session())
            if len(done) < 2:
                raise outage()
            done.append(name)

    monkeypatch.setattr(tasks, "write_heartbeat", write_heartbeat)
    run_in_worker()
    assert done == ["given back", "given back", "worker"]
    messages = [record.getMessage() for record in caplog.records]
    assert len([line for line in messages if "The database is away" in line]) == 1
    assert len([line for line in messages if "The database is back" in line]) == 1


@pytest.mark.django_db(transaction=True)
def test_an_error_that_is_no_outage_ends_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def write_heartbeat(name: str) -> None:
        runs.append(name)
        error = OperationalError("deadlock detected")
        error.__cause__ = errors.DeadlockDetected("deadlock detected")
        raise error

    monkeypatch.setattr(tasks, "write_heartbeat", write_heartbeat)
    run_in_worker()
    assert runs == ["worker"]


def test_a_task_waits_for_the_database_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "is_database_back", lambda: False)
    monkeypatch.setattr(outages, "RETRY_PAUSE", 0.0)

    def work() -> None:
        raise outage()

    assert outages.run_through_outages(work, seconds=0.0) is None
    outages.log_outage_end()


def caused(error: Exception, cause: Exception | None = None, **names: str) -> Exception:
    error.__cause__ = cause
    for name, value in names.items():
        setattr(cause, name, value)
    return error


@pytest.mark.parametrize(
    ("error", "is_outage"),
    [
        (caused(OperationalError(), psycopg.OperationalError("server closed the connection unexpectedly")), True),
        (caused(OperationalError(), errors.AdminShutdown()), True),
        (caused(OperationalError(), errors.CannotConnectNow()), True),
        (caused(OperationalError(), errors.IdleSessionTimeout()), True),
        (caused(OperationalError(), errors.TooManyConnections()), True),
        (caused(OperationalError(), errors.DiskFull()), True),
        (caused(OperationalError(), errors.IoError()), True),
        (caused(OperationalError(), errors.ConnectionFailure()), True),
        (caused(InternalError(), errors.ReadOnlySqlTransaction()), True),
        (caused(InterfaceError(), psycopg.InterfaceError()), True),
        (caused(OperationalError(), errors.DeadlockDetected()), False),
        (caused(OperationalError(), errors.QueryCanceled()), False),
        (caused(OperationalError(), errors.LockNotAvailable()), False),
        (caused(InternalError(), errors.InFailedSqlTransaction()), False),
        (caused(DataError(), errors.NumericValueOutOfRange()), False),
        (InternalError(), False),
        (ValueError(), False),
        (caused(OperationalError(), sqlite3.OperationalError(), sqlite_errorname="SQLITE_BUSY_SNAPSHOT"), True),
        (caused(OperationalError(), sqlite3.OperationalError(), sqlite_errorname="SQLITE_FULL"), True),
        (caused(OperationalError(), sqlite3.OperationalError(), sqlite_errorname="SQLITE_ERROR"), False),
    ],
)
def test_an_outage_is_the_databases_own_trouble(error: Exception, is_outage: bool) -> None:
    assert outages.is_outage(error) is is_outage
