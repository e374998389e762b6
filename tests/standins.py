"""Salesflow's, We-Link's and SendPilot's APIs as far as Leadline uses them: programs of ours that say what they got."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FRAME = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Salesflow</title>
<link rel="icon" href="data:,"></head>
<body><h1>Salesflow's page</h1><p>Sign in to LinkedIn.</p>
<button id="fail">It goes wrong</button> <button id="done">Sign in</button>
<script>
const report = (data) => parent.postMessage({type: "handleResponse", data}, "*");
document.getElementById("fail").onclick = () => report({action: "0"});
document.getElementById("done").onclick = () =>
  report({action: "1", linkedinId: 7688, token: "account-token-7688", status: "ACCOUNT_ACTIVE"});
</script></body></html>"""


@dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: Any
    method: str = "POST"


@dataclass
class StandIn:
    """What it is asked to answer, by path (a GET: `GET /path`); and every call it got."""

    port: int
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def provider() -> Iterator[StandIn]:
    stand_in = StandIn(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            stand_in.calls.append(Call(self.path, headers, None, "GET"))
            if answer := stand_in.answers.get(f"GET {self.path}"):
                self.answer(answer[0], json.dumps(answer[1]).encode(), "application/json")
            else:
                self.answer(200, FRAME.encode(), "text/html; charset=utf-8")

        def do_PATCH(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(raw) if raw else None
            stand_in.calls.append(Call(self.path, {k.lower(): v for k, v in self.headers.items()}, body, self.command))
            status, said = stand_in.answers.get(self.path, (404, {"message": "unknown"}))
            if callable(said):
                said = said(body)
            self.answer(status, said if isinstance(said, bytes) else json.dumps(said).encode(), "application/json")

        def answer(self, status: int, content: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            for name, value in stand_in.headers.items():
                self.send_header(name, value)
            if 300 <= status < 400:
                self.send_header("Location", f"{stand_in.base}/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Not into the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
