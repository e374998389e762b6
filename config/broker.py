"""Adapt the connection to the broker and kombu's Redis transport, so that both outlast outages of the broker."""

import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.transport import redis as redis_transport

RETRY_SECONDS = 1.0  # kombu's own waits grow to half a minute, and so would the delay after an outage
LOG_SECONDS = 60.0
PROBE_TIMEOUT = 2.0

Errback = Callable[[Exception, float], None]


class PersistentConnection(Connection):
    def ensure_connection(  # type: ignore[override]
        self, errback: Errback | None = None, max_retries: int | None = None, **options: Any
    ) -> "PersistentConnection":
        """Connect, and try again every second. Call `errback` on the first failure and then once a minute.

        Without `max_retries`, also wait for a Redis that accepts no writes because it is read-only or full: a worker
        cannot take messages from it.
        """
        if max_retries is not None:
            super().ensure_connection(errback, max_retries, **options)
            return self
        errback = _log_at_most_once_a_minute(errback) if errback else None
        options |= {"interval_start": RETRY_SECONDS, "interval_step": 0, "interval_max": RETRY_SECONDS}
        super().ensure_connection(errback, **options)
        while (error := self._write_error()) is not None:
            if errback:
                errback(error, RETRY_SECONDS)
            if callback := options.get("callback"):  # raises an error when the worker has to stop
                callback()
            time.sleep(RETRY_SECONDS)
            super().ensure_connection(errback, **options)
        return self

    def _write_error(self) -> Exception | None:
        """Return why Redis accepts no write, or None if it does or if the broker is no Redis."""
        if self.transport.driver_type != "redis":
            return None
        url = self.as_uri(include_password=True)
        timeouts = {"socket_connect_timeout": PROBE_TIMEOUT, "socket_timeout": PROBE_TIMEOUT}
        try:
            with redis.Redis.from_url(url, **timeouts) as client:
                client.set(f"{settings.REDIS_KEY_PREFIX}:probe", "", px=1)
        except redis.RedisError as error:
            return error
        return None


class QoS(redis_transport.QoS):
    """Count a message as done even if Redis does not receive its acknowledgement.

    kombu's own class keeps counting it while Celery only logs the error, so a worker that takes one message at a time
    would never take another. The message itself stays in Redis and is delivered again after the visibility timeout.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except Exception:
            self._count_as_done(delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            self._count_as_done(delivery_tag)
            raise

    def _count_as_done(self, delivery_tag: str) -> None:
        virtual.QoS.ack(self, delivery_tag)


class Channel(redis_transport.Channel):
    QoS = QoS


class RedisTransport(redis_transport.Transport):
    Channel = Channel


def register() -> None:
    """Make Celery and kombu use this transport for `redis://` and `rediss://`."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = "config.broker:RedisTransport"


def _log_at_most_once_a_minute(errback: Errback) -> Errback:
    logged_at = -LOG_SECONDS

    def log_failure(error: Exception, interval: float) -> None:
        nonlocal logged_at
        if time.monotonic() - logged_at >= LOG_SECONDS:
            logged_at = time.monotonic()
            errback(error, interval)

    return log_failure
