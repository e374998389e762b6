"""What is written to the log: one entry a line, whatever a caller sends, and no link that opens something."""

import io
import logging
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.contrib.auth.models import User
from django.test import Client
from structlog.stdlib import ProcessorFormatter

from accounts.models import Agency
from config.ops.logs import CLEANING, SHARED, DescribeRequests
from tests.receiving import receive, source_of
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.one_backend

ESCAPES = (
    "\r\n2026-11-30T12:00:00Z [info     ] sendpilot forged processed\x1b[2J\x1b]0;title\x07\x9b31m\u2028\u202e\x85\x00"
)


@pytest.fixture(params=["console", "json"])
def log_lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that the product's handler would write."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if request.param == "console"
        else structlog.processors.JSONRenderer()
    )
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(DescribeRequests())
    handler.setFormatter(ProcessorFormatter(processors=[*CLEANING, renderer], foreign_pre_chain=SHARED))
    root = logging.getLogger()
    root.addHandler(handler)
    level, root.level = root.level, logging.INFO
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def assert_one_entry_a_line(text: str) -> None:
    assert "forged" in text
    assert all(char.isprintable() or char == "\n" for char in text)
    assert not [line for line in text.split("\n") if line.startswith("2026-11-30T12:00:00Z")]


def test_an_event_type_cannot_forge_an_entry(agency: Agency, log_lines: io.StringIO) -> None:
    source = source_of(agency, "sendpilot")
    receive(source, {"eventId": "e1", "eventType": f"zz{ESCAPES}", "timestamp": "2026-11-30T10:00:00Z", "data": {}})
    assert process_due_receipts() == 1
    assert_one_entry_a_line(log_lines.getvalue())
    assert len(log_lines.getvalue().splitlines()) == 1


@pytest.mark.parametrize("name", ["library", "django.request", "celery.worker", "uvicorn.error"])
def test_no_logger_lets_a_line_break_or_an_escape_sequence_pass(name: str, log_lines: io.StringIO) -> None:
    logging.getLogger(name).error("%s", ESCAPES)
    structlog.get_logger(name).error(ESCAPES, a=ESCAPES, b={ESCAPES[:9]: [ESCAPES]})
    assert_one_entry_a_line(log_lines.getvalue())
    assert len(log_lines.getvalue().splitlines()) == 2


def test_the_text_of_an_exception_cannot_forge_an_entry(log_lines: io.StringIO) -> None:
    try:
        raise ValueError(ESCAPES)
    except ValueError:
        logging.getLogger("library").exception("broke")
        structlog.get_logger("ours").exception("broke")
    assert_one_entry_a_line(log_lines.getvalue())
    assert "test_the_text_of_an_exception" in log_lines.getvalue()


def test_a_long_text_is_written_in_part(log_lines: io.StringIO) -> None:
    structlog.get_logger("ours").info("b-" * 500_000, other="-----BEGIN PRIVATE KEY-----" * 20_000)
    assert len(log_lines.getvalue()) < 40_000


#: Pages whose path holds what opens them, and paths that are no page.
SECRET_PATHS = [
    "/invitation/{}",
    "/verify/{}",
    "/unsubscribe/{}",
    "/reauth/{}",
    "/reauth/{}/progress",
    "/reauth/{}/result",
    "/oauth/linkedin/again/{}",
    "/oauth/linkedin/callback?code={0}&state={0}",
    "/accounts/password/reset/key/1-{}/",
    "/accounts/confirm-email/{}/",
    "/webhooks/linkedconnector/{}",
    "/sources/{}/linkedin",
    "/nowhere/{}",
    "/{}",
    "//{}//invitation/{}",
]


@pytest.mark.once
@pytest.mark.parametrize("path", SECRET_PATHS)
def test_no_address_that_opens_something_is_logged(path: str, db: None, log_lines: io.StringIO) -> None:
    token = secrets.token_urlsafe(32)
    client = Client(enforce_csrf_checks=True)
    for host in ("127.0.0.1", "evil.example"):
        for method in (client.get, client.post, client.put):
            method(path.format(token, token), headers={"host": host})
    for level in ("django.request", "django.security.csrf"):
        assert logging.getLogger(level).isEnabledFor(logging.WARNING)
    assert log_lines.getvalue()
    assert token not in log_lines.getvalue()
    assert "Traceback" not in log_lines.getvalue()


def test_what_is_refused_is_logged_with_its_route(staff: User, log_lines: io.StringIO) -> None:
    Client().get("/verify/nothing")
    assert "verify/<str:token>" in log_lines.getvalue()
