"""Redis is restarted between a message and its acknowledgement: the worker goes on."""

import logging
from contextlib import suppress

import pytest
from kombu import Consumer, Message, Producer, Queue

from config import broker
from config.broker import PersistentConnection
from tests.e2e.own_servers import RedisServer

pytestmark = pytest.mark.fault


@pytest.mark.parametrize("answer", ["ack_log_error", "reject_log_error"])
def test_a_worker_takes_the_next_message_after_an_acknowledgement_was_lost(answer: str) -> None:
    """One message at a time, and errors of acknowledgements logged only, as Celery's workers do it."""
    broker.register()
    server = RedisServer()
    server.start()
    taken: list[object] = []

    def take(message: Message) -> None:
        taken.append(message.payload)
        if message.payload == "first":
            server.stop()
        getattr(message, answer)(logging.getLogger(__name__), connection.connection_errors)

    try:
        with PersistentConnection(server.url, transport_options={"socket_connect_timeout": 1}) as connection:
            consumer = Consumer(connection, [Queue("jobs", channel=connection)], on_message=take)
            consumer.qos(prefetch_count=1)
            consumer.consume()
            Producer(connection).publish("first", routing_key="jobs")
            connection.drain_events(timeout=5)
            server.start()
            Producer(connection).publish("second", routing_key="jobs", retry=True)
            for _ in range(3):
                with suppress(*connection.connection_errors):
                    connection.drain_events(timeout=2)
    finally:
        server.stop()
    assert taken == ["first", "second"]
