"""The short way through the server, on a transport and a clock of our own."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from webhooks.ingest.app import STATE_KEY
from webhooks.ingest.fastpath.protocol import FastPathProtocol
from webhooks.ingest.fastpath.request import FastPathRequest
from webhooks.ingest.http import Header

REQUEST = b'POST /webhooks/salesflow/a HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"a":1}'


class Timer:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due, self.call, self.over = due, call, False

    def cancel(self) -> None:
        self.over = True


class Clock:
    """As much of an event loop as a connection asks for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.timers if not timer.over and timer.due <= end]:
            timer = min(due, key=lambda timer: timer.due)
            timer.over, self.now = True, timer.due
            timer.call()
        self.now = end


class Transport:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = self.ended = self.paused = False
        self.protocol: Any = None

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> Any:
        return None


class Ingest:
    """Takes everything; answers when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[int, Iterable[Header], bytes], None]] = []

    def handle_synchronously(
        self, fast_request: FastPathRequest, peer: str, reply: Callable[[int, Iterable[Header], bytes], None]
    ) -> bool:
        self.waiting.append(reply)
        return True

    def answer(self) -> None:
        self.waiting.pop(0)(200, [(b"content-length", b"2")], b"{}")


class Connection:
    def __init__(self) -> None:
        self.clock, self.transport, self.ingest = Clock(), Transport(), Ingest()
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        config = Config("config.asgi:application", timeout_keep_alive=75, log_config=None, lifespan="off")
        config.load()
        self.protocol = FastPathProtocol(config, state, {STATE_KEY: self.ingest}, _loop=self.clock)  # type: ignore[arg-type]
        self.protocol.connection_made(self.transport)  # type: ignore[arg-type]


@pytest.fixture
def connection() -> Connection:
    return Connection()


def test_an_answer_is_http(connection: Connection) -> None:
    connection.protocol.data_received(REQUEST)
    assert connection.transport.written == []

    connection.ingest.answer()

    assert connection.transport.written == [b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 2\r\n\r\n{}"]
    assert not connection.transport.closed


def test_an_idle_connection_is_closed_75_seconds_after_its_last_answer(connection: Connection) -> None:
    for _ in range(100):
        connection.protocol.data_received(REQUEST)
        connection.ingest.answer()
        connection.clock.pass_by(1)
    assert len(connection.clock.timers) <= 3

    connection.clock.pass_by(73)
    assert not connection.transport.closed
    connection.clock.pass_by(1)
    assert connection.transport.closed


def test_a_connection_whose_request_waits_is_not_idle(connection: Connection) -> None:
    connection.protocol.data_received(REQUEST)
    connection.ingest.answer()
    connection.clock.pass_by(74)
    connection.protocol.data_received(REQUEST)

    connection.clock.pass_by(60)
    assert not connection.transport.closed
    connection.ingest.answer()
    connection.clock.pass_by(74)
    assert not connection.transport.closed


def test_a_server_that_stops_answers_first(connection: Connection) -> None:
    connection.protocol.data_received(REQUEST)

    connection.protocol.shutdown()
    assert not connection.transport.closed
    connection.ingest.answer()

    assert b"\r\nconnection: close\r\n" in connection.transport.written[0]
    assert connection.transport.closed


def test_a_client_that_is_gone_gets_no_answer(connection: Connection) -> None:
    connection.protocol.data_received(REQUEST)
    connection.transport.close()
    connection.protocol.connection_lost(None)

    connection.ingest.answer()

    assert connection.transport.written == []


def test_the_rest_of_a_half_read_request_is_not_taken_for_another(connection: Connection) -> None:
    """A body may look like a request; the parser has its head already and knows better."""
    started: list[Any] = []
    connection.protocol._start_asgi_task = lambda cycle, app: started.append(cycle)  # type: ignore[method-assign]
    outer = b"POST /webhooks/salesflow/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(REQUEST)

    connection.protocol.data_received(outer[:30])
    connection.protocol.data_received(outer[30:])
    connection.protocol.data_received(REQUEST)

    assert connection.ingest.waiting == []
    assert [bytes(cycle.body) for cycle in started] == [REQUEST]


SLOW_HEAD = b"POST /webhooks/salesflow/a HTTP/1.1\r\nHost: x\r\nX-Drip: "


def status_of(written: list[bytes]) -> list[int]:
    return [int(answer.split()[1]) for answer in written]


def test_a_head_that_does_not_arrive_within_10_seconds_is_refused(connection: Connection) -> None:
    connection.protocol.data_received(SLOW_HEAD)
    for _ in range(9):
        connection.clock.pass_by(1)
        connection.protocol.data_received(b"x")
    assert connection.transport.written == []

    connection.clock.pass_by(1.1)

    assert status_of(connection.transport.written) == [408]
    assert connection.transport.ended
    assert not connection.transport.closed
    connection.clock.pass_by(5)
    assert connection.transport.closed


def test_the_next_head_of_a_connection_has_10_seconds_of_its_own(connection: Connection) -> None:
    connection.clock.pass_by(4)
    connection.protocol.data_received(REQUEST)
    connection.ingest.answer()
    connection.clock.pass_by(5)
    connection.protocol.data_received(SLOW_HEAD)

    connection.clock.pass_by(9)
    assert status_of(connection.transport.written) == [200]
    connection.clock.pass_by(2)
    assert status_of(connection.transport.written) == [200, 408]


def test_a_connection_that_says_nothing_is_closed_after_10_seconds(connection: Connection) -> None:
    connection.protocol.data_received(b"\r\n\r\n")
    connection.clock.pass_by(9)
    assert not connection.transport.closed
    connection.clock.pass_by(2)

    assert connection.transport.closed
    assert connection.transport.written == []


def test_line_breaks_do_not_keep_a_connection_open(connection: Connection) -> None:
    connection.protocol.data_received(REQUEST)
    connection.ingest.answer()
    for _ in range(74):
        connection.clock.pass_by(1)
        connection.protocol.data_received(b"\r\n")
    assert not connection.transport.closed

    connection.clock.pass_by(3)
    assert connection.transport.closed


def test_what_is_refused_is_answered_after_what_was_asked_before(connection: Connection) -> None:
    connection.protocol.data_received(REQUEST)
    connection.protocol.data_received(b"GET /" + b"a" * 9000)
    connection.protocol.data_received(b"more of it")
    assert connection.transport.written == []

    connection.ingest.answer()

    assert status_of(connection.transport.written) == [200, 414]
    assert connection.transport.ended


def test_of_what_a_refused_client_goes_on_sending_8_mib_are_read(connection: Connection) -> None:
    connection.protocol.data_received(b"\x00\x01\r\n")
    assert status_of(connection.transport.written) == [400]

    for _ in range(128):
        connection.transport.protocol.data_received(b"x" * 65536)
    assert not connection.transport.closed
    connection.transport.protocol.data_received(b"x")
    assert connection.transport.closed
