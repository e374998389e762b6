"""Run the measured servers and pgbench."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from accounts.models import Source

ROOT = Path(__file__).resolve().parents[2]
BODY_SIZE = 640  # bytes, as benchmarks.ingest.traffic sends

INSERT = """
\\set k random(1, 1000000000000000000)
INSERT INTO webhooks_receipt (source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at,
    status, event_type, correlation, account_id, lead_id, reason, error, attempts)
VALUES ('{source}', '{agency}', 'sendpilot', sha256(int8send(:k)), '{headers}', decode({body}, 'hex'), now(), now(),
    'received', '', '', '', '', '', '', 0)
ON CONFLICT (source_id, dedupe_key) DO NOTHING;
"""
HEADERS = (
    '{"svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-timestamp": "1708770600",'
    ' "svix-signature": "v1,2n1YphD9uludNDrd9opbLaDe1oEq9Lx5weFpS4OxS7k="}'
)


def insert_rate(url: str, source: Source, *, connections: int, seconds: float, mode: str) -> float:
    """Return the rows a second that pgbench inserts one by one over so many connections.

    `mode`: "simple", pgbench's default, or "prepared", its fastest.
    """
    body = {"simple": "':body'", "prepared": ":body"}[mode]  # a simple statement is text with the variables substituted
    script = INSERT.format(source=source.pk, agency=source.agency_id, headers=HEADERS, body=body)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        options = ["-n", "-M", mode, "-c", str(connections), "-j", str(min(connections, os.cpu_count() or 1))]
        options += ["-T", str(round(seconds)), "-f", file.name, "-D", f"body={os.urandom(BODY_SIZE).hex()}"]
        done = subprocess.run(
            [shutil.which("pgbench") or "pgbench", *options, url], check=True, capture_output=True, text=True
        )
    found = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout)
    return float(found[1])


@contextmanager
def our_server(workers: int) -> Iterator[int]:
    """Run `run_web` as in a deployment, and yield its port."""
    port = free_port()
    command = [sys.executable, "manage.py", "run_web", "--port", str(port), "--workers", str(workers)]
    with _running(command, port, {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_FORMAT": "json"}):
        yield port


@contextmanager
def plain_server(kind: str) -> Iterator[int]:
    """Run the plain view under gunicorn (`gthread` with kept-alive connections, or `sync`), and yield its port."""
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "benchmarks.ingest.plain:application", "--bind", f"127.0.0.1:{port}"]
    sized = {"gthread": ["--workers", "2", "--threads", "16", "--keep-alive", "75"], "sync": ["--workers", "5"]}[kind]
    with _running([*gunicorn, "--worker-class", kind, "--log-level", "warning", *sized], port, {}):
        yield port


@contextmanager
def _running(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers, and a little longer, because its other workers still import."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            with urlopen(f"http://127.0.0.1:{port}/webhooks/", timeout=60):
                pass
        except HTTPError:
            return time.sleep(5)
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{process.args!r} does not answer")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
