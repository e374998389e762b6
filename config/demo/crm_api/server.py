"""Answer HTTP requests from a world of records, and fail where a fault says so."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class World:
    """The records of a CRM, by kind and id, its calls, and the faults that are to come."""

    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    made: int = 0

    def add(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        self.made += 1
        record = {**record, "id": f"{kind}-{self.made}"}
        self.records.setdefault(kind, {})[record["id"]] = record
        return record

    def of(self, kind: str) -> list[dict[str, Any]]:
        return list(self.records.get(kind, {}).values())

    def answer(self, request: Request) -> tuple[int, Any]:
        raise NotImplementedError

    def serve(self, request: Request) -> tuple[int, Any, dict[str, Any]]:
        """Return the status and body of the answer, and the fault that it has."""
        if request.path == "/state":
            return 200, {"records": self.records, "calls": self.calls}, {}
        if request.path == "/reset":
            self.reset()
            return 200, {}, {}
        if request.path == "/faults":
            self.faults += request.body
            return 200, {}, {}
        call = {"method": request.method, "path": request.path, "body": request.body}
        self.calls.append({**call, "version": request.headers.get("version", "")})
        fault = self.fault_of(request)
        if not fault:
            return *self.answer(request), {}
        status = self.answer(request)[0] if fault.get("done") else 0
        return fault.get("status", status), fault.get("body", {}), fault

    def reset(self) -> None:
        self.records.clear()
        self.calls.clear()
        self.faults.clear()

    def fault_of(self, request: Request) -> dict[str, Any]:
        for fault in self.faults:
            is_under = request.path == fault["path"] if fault.get("exact") else request.path.startswith(fault["path"])
            if is_under and fault.get("method", request.method) == request.method:
                self.faults.remove(fault)
                return fault
        return {}


def handler_for(world: World) -> type[BaseHTTPRequestHandler]:
    """Return the handler of a world's requests."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.respond()

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 (names of http.server)

        def respond(self) -> None:
            request = self.read()
            with world.lock:
                status, body, fault = world.serve(request)
            if "sleep" in fault:
                time.sleep(fault["sleep"])
            self.write(status, body, headers=fault.get("headers", {}))

        def read(self) -> Request:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            is_form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
            body = dict(parse_qsl(raw.decode())) if is_form else json.loads(raw) if raw else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            return Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)

        def write(self, status: int, body: Any, headers: dict[str, str]) -> None:
            content = json.dumps(body).encode()
            try:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # the caller did not wait

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    return Handler
