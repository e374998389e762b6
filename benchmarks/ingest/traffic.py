"""Make signed requests before the clock starts, and post them as fast as they are answered."""

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import Source
from webhooks.providers import PROVIDERS

HERE = Path(__file__).parent
BODY_SIZE = 640  # bytes, as in a usual lead report


@dataclass(frozen=True)
class Measurement:
    rate: float  # answers per second
    p50: float  # seconds
    p99: float
    answers: int
    accepted: int
    refused: int
    errors: int

    @property
    def is_valid(self) -> bool:
        """Return whether every response is an acceptance."""
        return self.accepted == self.answers and not self.refused and not self.errors


class Traffic:
    """Post requests, each of them once over all runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler:
            program = folder / "load"
            subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / "load.c")], check=True)
            self.generator, self._command = "C", [str(program)]
        else:
            self.generator, self._command = "Python", [sys.executable, "-m", "benchmarks.ingest.load"]

    def send(
        self, port: int, source: Source, secret: str, *, connections: int, seconds: float, max_requests: int
    ) -> Measurement:
        """Post at most `max_requests` requests for so long over so many connections."""
        with self._prepared(source, secret, max_requests) as file:
            command = [*self._command, str(port), str(connections), str(seconds), str(file)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        if not found["answers"]:
            raise RuntimeError(f"No answer: {found}")
        if found["ran_out"]:
            raise RuntimeError(f"{max_requests} requests were too few for {seconds} s over {connections} connections.")
        return Measurement(
            rate=found["answers"] / found["seconds"],
            p50=found["p50"],
            p99=found["p99"],
            answers=found["answers"],
            accepted=found["accepted"],
            refused=found["refused"],
            errors=found["errors"],
        )

    @contextmanager
    def _prepared(self, source: Source, secret: str, count: int) -> Iterator[Path]:
        path = self._folder / "requests"
        now = timezone.now()
        provider = PROVIDERS[source.provider]
        with path.open("wb") as file:
            for number in range(self._number, self._number + count):
                body, headers = provider.sign(_body(number), secret, at=now)
                request = _request(f"/webhooks/{source.provider}/{source.token}", body, headers)
                file.write(struct.pack("<I", len(request)) + request)
        self._number += count
        try:
            yield path
        finally:
            path.unlink()


def _body(number: int) -> bytes:
    text = json.dumps(
        {
            "eventId": f"evt_{number:012}",
            "eventType": "lead.status.changed",
            "timestamp": "2026-02-24T10:30:00.000Z",
            "workspaceId": "ws_abc123xyz",
            "data": {
                "leadId": f"lead_{number:012}",
                "campaignId": "camp_xyz789",
                "linkedinUrl": f"https://www.linkedin.com/in/someone-{number}",
                "previousStatus": "CONNECTION_ACCEPTED",
                "newStatus": "REPLY_RECEIVED",
                "changedBy": "automation",
            },
        }
    )
    return (text + " " * (BODY_SIZE - len(text))).encode()


def _request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    fields = {
        "Host": "127.0.0.1",
        "User-Agent": "SendPilot-Webhooks/1.0",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body
