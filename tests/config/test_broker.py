"""Workers and scheduler wait for a broker that is away, or that takes no writes."""

import pytest
import redis

from config import broker
from config.broker import PersistentConnection
from config.celery import app


def test_workers_and_scheduler_use_it() -> None:
    assert isinstance(app.connection_for_read(), PersistentConnection)
    assert isinstance(app.connection_for_write(), PersistentConnection)


def test_a_broker_that_takes_no_writes_is_waited_for_and_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals: list[Exception] = [redis.ReadOnlyError("READONLY"), redis.OutOfMemoryError("OOM"), redis.ReadOnlyError()]
    monkeypatch.setattr(broker, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(PersistentConnection, "_write_error", lambda self: refusals.pop() if refusals else None)
    heard: list[Exception] = []
    with PersistentConnection("memory://") as connection:
        connection.ensure_connection(lambda error, interval: heard.append(error))
        assert connection.connected
    assert refusals == []
    assert len(heard) == 1


def test_a_worker_that_is_to_stop_does_not_wait_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PersistentConnection, "_write_error", lambda self: redis.ReadOnlyError())

    def stop() -> None:
        raise SystemExit

    with PersistentConnection("memory://") as connection, pytest.raises(SystemExit):
        connection.ensure_connection(callback=stop)


def test_whoever_asks_for_a_number_of_tries_gets_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PersistentConnection, "_write_error", lambda self: pytest.fail("nobody asked"))
    with PersistentConnection("memory://") as connection:
        assert connection.ensure_connection(max_retries=1) is connection
