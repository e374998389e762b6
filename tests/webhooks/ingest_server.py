"""The ingest application behind a real uvicorn on a real port, and a client that speaks bytes."""

import asyncio
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from webhooks.ingest.app import IngestApp
from webhooks.ingest.http import Receive, Scope, Send
from webhooks.ingest.server_protocol import server_protocol

#: For what comes at once where the machine is not loaded: whoever waits in vain waits so many seconds.
ANSWER_TIMEOUT = 30.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes
    seconds: float = 0.0

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Server:
    port: int
    app: Any

    def connect(self, timeout: float = ANSWER_TIMEOUT) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout: float = ANSWER_TIMEOUT,
    ) -> Answer:
        began = time.monotonic()
        with self.connect(timeout) as connection:
            connection.sendall(request_bytes(method, path, body, headers or {}))
            answer = read_answer(connection)
        answer.seconds = time.monotonic() - began
        return answer

    def post(self, path: str, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Answer:
        return self.send("POST", path, body, headers)


def request_bytes(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    fields = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def read_answer(connection: socket.socket) -> Answer:
    """One whole answer; the connection stays open."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, content = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(content) < int(headers.get("content-length", 0)):
        content += _more(connection)
    return Answer(int(lines[0].split()[1]), headers, content)


def answered(connections: Iterable[socket.socket]) -> list[tuple[int, int]]:
    """Those on which something has come back by now."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN)
    return poll.poll(0)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection before its answer was complete")
    return data


@contextmanager
def serving(app: Callable[[Scope, Receive, Send], Any] | None = None) -> Iterator[Server]:
    """Serve until the block ends, then shut down as SIGTERM would."""
    app = app or IngestApp()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http=server_protocol(),
            ws="none",
            lifespan="on",
            log_level="error",
            log_config=None,
            proxy_headers=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + ANSWER_TIMEOUT
        while not server.started:
            assert thread.is_alive(), "the server ended"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        try:
            yield Server(listener.getsockname()[1], app)
        finally:
            server.should_exit = True
            thread.join(ANSWER_TIMEOUT)
            assert not thread.is_alive(), "the server did not stop"
            assert not getattr(server.lifespan, "shutdown_failed", False), "the application did not stop cleanly"


@dataclass
class Call:
    """One request to an ASGI application without a socket: for what depends on the scope alone."""

    app: Any
    client: tuple[str, int] = ("127.0.0.1", 40000)
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, query: str = ""
    ) -> Answer:
        sent: list[dict[str, Any]] = []
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop()
            await asyncio.sleep(3600)
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        fields = {"content-length": str(len(body)), **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "client": self.client,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()],
        }
        await self.app(scope, receive, send)
        start = sent[0]
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(
            start["status"], {name.decode(): value.decode("latin-1") for name, value in start["headers"]}, content
        )


def wait_until(condition: Callable[[], Any], seconds: float = ANSWER_TIMEOUT) -> Any:
    """What the condition answers once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found
