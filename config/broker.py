"""The connection of workers and scheduler to the broker, which outlasts the broker's outages."""

import time
from collections.abc import Callable
from typing import Any

from kombu import Connection

RETRY_SECONDS = 1.0  # kombu's own waits grow to half a minute, and so would the standstill after an outage
LOG_SECONDS = 60.0


class PersistentConnection(Connection):
    def ensure_connection(
        self, errback: Callable[[Exception, float], None] | None = None, *args: Any, **options: Any
    ) -> "PersistentConnection":
        """Connect, and try again every second. `errback` hears of the first failure and then once a minute."""
        options |= {"interval_start": RETRY_SECONDS, "interval_step": 0, "interval_max": RETRY_SECONDS} | options
        connection: PersistentConnection = super().ensure_connection(errback and _limited(errback), *args, **options)
        return connection


def _limited(errback: Callable[[Exception, float], None]) -> Callable[[Exception, float], None]:
    heard_at = -LOG_SECONDS

    def hear(error: Exception, interval: float) -> None:
        nonlocal heard_at
        if time.monotonic() - heard_at >= LOG_SECONDS:
            heard_at = time.monotonic()
            errback(error, interval)

    return hear
