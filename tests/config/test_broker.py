"""Workers and scheduler wait for a broker that is away, or that takes no writes, and go on when it is back."""

import subprocess
import sys
from unittest import mock

import pytest
import redis
from kombu.transport import get_transport_cls, virtual

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
    failures: list[Exception] = []
    with PersistentConnection("memory://") as connection:
        connection.ensure_connection(lambda error, interval: failures.append(error))
        assert connection.connected
    assert refusals == []
    assert len(failures) == 1


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


WHO_SENDS = """
import threading
import django
django.setup()
from celery import current_app
threading.Thread(target=lambda: print(current_app.main, current_app.conf.broker_url)).start()
"""


def test_a_wake_up_that_a_thread_sends_goes_to_the_products_broker() -> None:
    """In a process that never names Celery, as the web process is."""
    output = subprocess.run([sys.executable, "-c", WHO_SENDS], check=True, capture_output=True, text=True).stdout
    assert output.split() == ["leadline", app.conf.broker_url]


@pytest.mark.parametrize("answer", ["ack", "reject"])
def test_a_message_whose_acknowledgement_is_lost_is_no_longer_in_work(answer: str) -> None:
    """Else a worker that takes one message at a time would take none ever again."""
    channel = mock.Mock()
    channel.conn_or_acquire.side_effect = redis.ConnectionError
    qos = broker.QoS(channel, prefetch_count=1)
    virtual.QoS.append(qos, mock.Mock(), "1")
    assert not qos.can_consume()
    with pytest.raises(redis.ConnectionError):
        getattr(qos, answer)("1")
    assert qos.can_consume()


def test_redis_is_spoken_to_by_it() -> None:
    assert get_transport_cls("redis") is get_transport_cls("rediss") is broker.RedisTransport  # type: ignore[comparison-overlap]
    assert broker.RedisTransport.Channel.QoS is broker.QoS
