"""What is logged, by whomever: no secret and no e-mail address comes through."""

import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.stdlib import ProcessorFormatter

from accounts.core.redaction import MAX_STRING, MAX_TOTAL, mask, scrub
from config.ops.logs import CLEANING, SHARED

CANARY = "canary0123456789abcdefSECRET"


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """Everything that the root logger would write as JSON, from structlog and from the standard library."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    processors: list[Any] = [*CLEANING, structlog.processors.JSONRenderer()]
    handler.setFormatter(ProcessorFormatter(processors=processors, foreign_pre_chain=SHARED))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization=Basic {CANARY}",
        f"the secret is whsec_{CANARY}",
        f"key ll_{CANARY} was used",
        f"POST /webhooks/salesflow/{CANARY} 401",
        f"GET /verify/{CANARY}?x=1",
        f"GET /unsubscribe/{CANARY}",
        f"GET /accounts/password/reset/key/{CANARY}/",
        f"postgres://leadline:{CANARY}@db/leadline is away",
        f"redis://:{CANARY}@cache:6379/0",
        f"{{'password': '{CANARY}', 'x': 1}}",
        f'{{"api_key": "{CANARY}"}}',
        f"client_secret={CANARY}&grant_type=x",
        f"X-Webhook-Secret: {CANARY}",
        f"/oauth/linkedin/callback?code={CANARY}&state={CANARY}",
        f"token gAAAAAB{CANARY}",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
        f"sessionid_cookie={CANARY}",
    ],
)
def test_no_secret_comes_through_in_a_text(text: str) -> None:
    assert CANARY not in scrub(text)
    assert CANARY not in mask(text)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "secret",
            "client_secret",
            "access_token",
            "password",
            "Authorization",
            "X-LI-Signature",
            "cookie",
            "Set-Cookie",
        ),
        *("api_key", "apiKey", "X-Api-Key", "privateKey", "credentials", "sessionid", "csrfmiddlewaretoken", "pin"),
        *("webhook-signature", "svix-signature", "FIELD_ENCRYPTION_KEYS", "SECRET_KEY", "totp_code"),
    ],
)
def test_no_field_with_a_secret_name_comes_through(name: str) -> None:
    assert CANARY not in str(scrub({"a": [{name: CANARY}], "b": {name: {"deep": CANARY}}}))
    assert CANARY not in str(mask({name: CANARY}))


@pytest.mark.parametrize("value", ["ann.lee+x@example.com", "<ann@mail.example.co.uk>", "to=ann@example.com;"])
def test_no_address_comes_through_to_the_log_but_staff_see_it(value: str) -> None:
    assert "example" not in scrub(value)
    assert mask(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "salesflow ACCOUNT_BLOCKED processed",
        {"receipt": "rct_12", "account": "acc_01k", "status": 200, "ms": 3.5, "ok": True, "none": None},
        "the key of the table is sequence",
        "https://leadline.example.com/admin/leads/lead/?status=DONE",
        {"keywords": ["a"], "monkey": "b", "signed": True},
    ],
)
def test_what_is_harmless_stays_as_it_is(value: Any) -> None:
    assert scrub(value) == value


def test_hostile_values_never_raise() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    assert scrub(endless)
    assert scrub({1: b"\xff\x00", ("a",): {2, 3}, "o": object()})
    assert scrub("a@" * 50_000 + "secret=" * 10_000)


def test_structlog_and_the_standard_library_are_both_redacted(log_lines: io.StringIO) -> None:
    structlog.get_logger("x").warning("failed for ann@example.com", token=CANARY, url=f"https://a:{CANARY}@b/")
    logging.getLogger("library").warning("password=%s for %s", CANARY, "ann@example.com")
    try:
        raise ValueError(f"Bearer {CANARY}")
    except ValueError:
        logging.getLogger("library").exception("broke")
    written = log_lines.getvalue()
    assert len(written.splitlines()) == 3
    assert CANARY not in written
    assert "ann@example.com" not in written
    assert "ValueError" in json.loads(written.splitlines()[2])["exception"]


def test_a_line_break_in_a_value_makes_no_second_line(log_lines: io.StringIO) -> None:
    structlog.get_logger("x").warning("name is a\nERROR forged line\r\n\x1b[31m")
    assert len(log_lines.getvalue().splitlines()) == 1


HOSTILE = [
    "b-",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN A PRIVATE KEY-----",
    "-----BEGIN ",
    "token",
    'token="',
    "secret-",
    "a.",
    "a@",
    "a@a.",
    "://a:",
    "/reauth/",
    "Bearer ",
    "?code=",
    "[],",
    "\N{LATIN SMALL LETTER E WITH ACUTE}@",
]


SHAPES: list[Callable[[str], Any]] = [str, lambda text: {"event_type": "zz", "x": text}, lambda text: [text] * 3]


def seconds(act: Callable[[], object]) -> float:
    """Measure this thread's own work once."""
    began = time.thread_time()
    act()
    return time.thread_time() - began


@pytest.mark.parametrize("pump", HOSTILE)
def test_a_text_of_any_length_costs_no_more_than_a_harmless_page(pump: str) -> None:
    harmless = "a word, " * (MAX_TOTAL // 8)
    page = min(
        seconds(lambda: [scrub(harmless[at : at + 10_000]) for at in range(0, len(harmless), 10_000)]) for _ in range(5)
    )
    for number, shape in enumerate(SHAPES):
        hostile = shape((pump * 400_000)[:400_000])
        for work in (scrub, mask):
            least = (seconds(lambda: work(hostile)) for _ in range(5))  # noqa: B023 (called at once)
            assert any(took < 4 * page for took in least), (number, work.__name__)


@pytest.mark.parametrize("value", [[[]] * 400_000, {f"k{n}": n for n in range(100_000)}, ["x" * 20_000] * 100])
def test_a_value_of_any_size_is_looked_at_in_part_and_says_so(value: Any) -> None:
    visible = json.dumps(mask(value))
    assert len(visible) < 2 * MAX_TOTAL
    assert re.search(r"\(\d+ more\)", visible)


@pytest.mark.parametrize(
    "secret",
    [
        f"whsec_{CANARY}",
        f"ann.{CANARY}@example.com",
        f'{{"token": "{CANARY}"}}',
        f"-----BEGIN PRIVATE KEY-----{CANARY}",
    ],
)
@pytest.mark.parametrize("visible", range(0, 60, 7))
def test_a_secret_that_a_cut_goes_through_does_not_come_through(secret: str, visible: int) -> None:
    text = "x " * MAX_STRING
    text = text[: MAX_STRING - visible] + secret + text
    assert CANARY[:8] not in scrub(text)
    assert CANARY[:8] not in scrub(text.encode())
    assert CANARY[:8] not in mask(text) or "@" in secret


def test_names_are_cut_and_cleaned_as_well() -> None:
    assert CANARY not in str(scrub({f"Bearer {CANARY} and more of it": 1, f"{'x' * 400_000}token": CANARY}))
    assert "ann@" not in str(scrub({"ann@example.com": 1}))
