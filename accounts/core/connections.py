"""Carry work over outages of the database.

Every unit of work begins with `close_old_connections`, which Django calls for each request and `config.task` for each
task. This module handles the work that an outage interrupts.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import Error, InterfaceError, InternalError, OperationalError, close_old_connections, connection

T = TypeVar("T")

log = structlog.get_logger(__name__)

DATABASE_ERRORS = (OperationalError, InterfaceError, InternalError)
RETRY_PAUSE = 0.2  # seconds between two attempts to reach the database
OUTAGE_SQLSTATES = {
    "25006",  # read-only
    "53100",  # disk full
    "53300",  # too many connections
    "57P01",  # administrator's shutdown, also `pg_terminate_backend`
    "57P02",  # crash of another backend
    "57P03",  # starting up or shutting down
    "57P05",  # idle_session_timeout
}
OUTAGE_SQLITE_ERRORS = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY")

_interrupted: deque[Callable[[], None]] = deque()
_outage_began: float | None = None


def is_outage(error: BaseException) -> bool:
    """Return whether the database as a whole caused the error, so that the same work may succeed once it is reachable
    again."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, DATABASE_ERRORS):
        return False
    cause = error.__cause__
    if sqlite_error := getattr(cause, "sqlite_errorname", None):
        return str(sqlite_error).startswith(OUTAGE_SQLITE_ERRORS)
    if not isinstance(error, OperationalError) and not hasattr(cause, "sqlstate"):
        return False
    sqlstate = getattr(cause, "sqlstate", None)
    return sqlstate is None or sqlstate in OUTAGE_SQLSTATES or sqlstate.startswith(("08", "58"))


@contextmanager
def undone_after_outage(undo: Callable[[], None]) -> Iterator[None]:
    """Run `undo` after an outage that ends the block. It releases a claim, so that nobody waits for the end of its
    lease.

    `undo` runs once the database is reachable again. It may run twice, and must not harm work that was completed.
    """
    try:
        yield
    except DATABASE_ERRORS as error:
        if is_outage(error):
            _interrupted.append(undo)
        raise


def is_database_back() -> bool:
    """Return whether the database accepts writes again. If it does, undo the claims that the outage interrupted."""
    try:
        close_old_connections()
        connection.ensure_connection()
        if not connection.is_usable():
            connection.close()
            return False
        while _interrupted:
            _undo(_interrupted.popleft())
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        return False
    return True


def run_through_outages(work: Callable[[], T], *, seconds: float) -> T | None:
    """Run `work`, and run it again after an outage of at most `seconds`. Return None if the outage lasts longer.

    `work` must be repeatable. Each outage is logged once, however many calls it interrupts.
    """
    until, pause = None, 0.0
    if _interrupted:  # by an outage whose end no earlier call saw
        is_database_back()
    while True:
        try:
            result = work()
        except DATABASE_ERRORS as error:
            if not is_outage(error):
                raise
            log_outage_begin(error)
            until = until or time.monotonic() + seconds
            time.sleep(pause)
            pause = RETRY_PAUSE
            if not _wait_for_database(until):
                return None
        else:
            log_outage_end()
            return result


def log_outage_begin(error: Exception) -> None:
    """Log the beginning of an outage, once."""
    global _outage_began
    if _outage_began is None:
        _outage_began = time.monotonic()
        log.warning("The database is away; the work goes on when it is back.", error=f"{type(error).__name__}: {error}")


def log_outage_end() -> None:
    """Log the end of an outage, if there was one."""
    global _outage_began
    if _outage_began is not None:
        log.info("The database is back.", seconds=round(time.monotonic() - _outage_began, 1))
        _outage_began = None


def _undo(undo: Callable[[], None]) -> None:
    """Undo one interrupted claim. If that fails for another reason than an outage, leave the claim until its lease
    ends."""
    try:
        undo()
    except Error as error:
        if is_outage(error):
            _interrupted.appendleft(undo)
            raise
        log.warning("A claim could not be given back; its lease will end.", error=type(error).__name__)


def _wait_for_database(until: float) -> bool:
    """Wait until the database is reachable again. Return False if it is not by `until` (monotonic seconds)."""
    while time.monotonic() < until:
        if is_database_back():
            return True
        time.sleep(RETRY_PAUSE)
    return False
