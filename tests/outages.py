"""The database goes away in the middle of a unit of work."""

import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from accounts.core import connections


def outage(text: str = "the connection is closed") -> OperationalError:
    """As Django raises it on either back end."""
    error = OperationalError(text)
    if connection.vendor == "postgresql":
        error.__cause__ = psycopg.OperationalError(text)
    else:
        cause = sqlite3.OperationalError(text)
        cause.sqlite_errorname = "SQLITE_IOERR_READ"
        error.__cause__ = cause
    return error


def break_off(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, times: int) -> None:
    """Let the first calls of a function end as the database's loss ends them, before they do anything."""
    original: Callable[..., Any] = getattr(module, name)
    left = [None] * times

    def break_off_or_call(*args: Any, **options: Any) -> Any:
        if left:
            left.pop()
            raise outage()
        return original(*args, **options)

    monkeypatch.setattr(module, name, break_off_or_call)
    monkeypatch.setattr(connections, "RETRY_PAUSE", 0.0)
