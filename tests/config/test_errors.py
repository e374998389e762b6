"""What is reported where `SENTRY_DSN` says so: the error and its place, and nothing of the people it happened to."""

import gzip
import json
import os
import subprocess
import sys
from typing import Any

from tests.notifications.receiver import Request, answering, receiver

CANARY = "canary0123456789abcdefSECRET"
FAILING = f"""
import django, logging, structlog
django.setup()
secret = "local-{CANARY}"
try:
    raise RuntimeError("ann@example.com sent whsec_{CANARY}")
except RuntimeError:
    structlog.get_logger("webhooks.ingest.app").exception("An ingest request failed.", source="src_1", token="{CANARY}")
logging.getLogger("elsewhere").error("Nothing was raised for %s.", "ann@example.com")
logging.getLogger("elsewhere").warning("Nobody has to look.")
"""


def run(program: str, dsn: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SENTRY_DSN": dsn, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def events_of(request: Request) -> list[dict[str, Any]]:
    body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
    lines = [json.loads(line) for line in body.splitlines()]
    return [event for header, event in zip(lines[1::2], lines[2::2], strict=True) if header["type"] == "event"]


def test_an_error_is_reported_with_its_place_and_without_anybodys_data() -> None:
    with receiver(answering(200)) as sentry:
        ended = run(FAILING, f"http://key@127.0.0.1:{sentry.port}/1")
    assert ended.returncode == 0
    raised, logged = [event for request in sentry.requests for event in events_of(request)]
    assert (raised["logger"], raised["logentry"]["message"]) == ("webhooks.ingest.app", "An ingest request failed.")
    assert raised["extra"]["source"] == "src_1"
    [error] = raised["exception"]["values"]
    assert (error["type"], error["value"]) == ("RuntimeError", "[e-mail] sent [hidden]")
    assert [frame["function"] for frame in error["stacktrace"]["frames"]] == ["<module>"]
    assert logged["logentry"]["message"] == "Nothing was raised for [e-mail]."
    assert "exception" not in logged
    assert CANARY not in json.dumps([raised, logged])
    assert "request" not in raised
    assert CANARY not in ended.stderr


def test_an_address_that_is_none_stops_the_start_with_a_sentence() -> None:
    ended = run("import django; django.setup()", "sentry.example.com")
    assert ended.stderr.strip().endswith("SENTRY_DSN cannot be read. It looks like https://key@host/1.")
