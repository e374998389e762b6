"""Receive an agency's webhooks on this machine, check their signatures and count them."""

import base64
import hashlib
import hmac
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

LIMIT = 1024 * 1024


class Receiver:
    """A context manager that receives webhooks.

    `received` counts correctly signed deliveries by `webhook-id`; `refused` counts the others.
    """

    def __init__(self, secret: str = "") -> None:
        self.secret = secret
        self.received: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.refused = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LIMIT))
                accepted = receiver.take(body, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(204 if accepted else 401)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Log nothing, because the table at the end shows the result."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/leadline"

    def take(self, body: bytes, headers: dict[str, str]) -> bool:
        event = headers.get("webhook-id", "")
        signed = f"{event}.{headers.get('webhook-timestamp', '')}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        if not any(
            hmac.compare_digest(expected.encode(), given.encode())
            for given in headers.get("webhook-signature", "").split()
        ):
            self.refused += 1
            return False
        self.bodies[event] = body
        self.received[event] += 1
        return True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
