import random
import time
from typing import Any

import structlog
from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import OperationalError, connections

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 60
PAUSE_SECONDS = 3.0
TRY_AGAIN = {"55P03", "40P01"}  # PostgreSQL's codes of a lock time-out and of a deadlock
#: Statements may take any time, but they must not wait long for locks, because later statements queue behind them.
LIMITS = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "2s",
}


class Command(DjangoCommand):
    help = f"{DjangoCommand.help} It runs beside live traffic: if a lock is not free, it lets others pass and retries."

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with connection.cursor() as cursor:
            for name, limit in LIMITS.items():
                cursor.execute(f"SET {name} = '{limit}'")
        try:
            self._migrate_with_retries(*args, **options)
        finally:
            if connection.connection is not None and not connection.in_atomic_block:
                with connection.cursor() as cursor:
                    for name in LIMITS:
                        cursor.execute(f"RESET {name}")

    def _migrate_with_retries(self, *args: Any, **options: Any) -> None:
        """Apply the migrations. Those applied before a lock time-out stay, and the next attempt continues after
        them."""
        for attempts_left in reversed(range(MAX_ATTEMPTS)):
            try:
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in TRY_AGAIN or not attempts_left:
                    raise
                log.warning("A migration waits for a lock, and is tried again.", attempts_left=attempts_left)
                time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
