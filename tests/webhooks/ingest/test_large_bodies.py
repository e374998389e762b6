"""Bodies that take long to parse: no event loop parses them, and nobody is refused for those of others."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.core import strict_json as json_reader
from accounts.models import Agency, Source
from accounts.sources.service import create_source, rotate_secret
from tests.webhooks.ingest_server import Answer, Server, wait_until
from tests.webhooks.providers.wire import NOW, WIRES, Wire
from webhooks.diagnostics.known_mistakes import RefusedSample, diagnose_refusal
from webhooks.ingest import parsing
from webhooks.ingest.parsing import ParsingBusy, ParsingJob, ParsingProcess
from webhooks.ingest.parsing_worker import run_job
from webhooks.models import Receipt, RejectedRequest
from webhooks.providers import get_provider
from webhooks.providers.base import InvalidSignature, SignedRequest, UnreadablePayload, parses_quickly
from webhooks.providers.signatures import hmac_hex

pytestmark = pytest.mark.one_backend

SECRET = "welink-secret-code"
FORGED = "a" * 64
MEBIBYTE = 1024 * 1024

#: What fills an array, and costs a parser much for its length.
UNITS = {
    "empty arrays": b"[]",
    "empty objects": b"{}",
    "nested arrays": b"[" * 60 + b"]" * 60,
    "whole numbers": b"7",
    "fractions": b"1.5e3",
    "long numbers": b"7" * 4300,
    "short texts": b'""',
    "small objects": b'{"a":0}',
    "escapes": b'"\\u00e9\\n\\ud83d\\ude00"',
}


def large(unit: bytes, *, tail: bytes = b"", size: int = MEBIBYTE - 200) -> bytes:
    """An object of about `size` bytes whose one array is full of `unit`; `tail` are more members."""
    return (
        b'{"status":"SUCCESS","request_id":"r-1","a":[' + b",".join([unit] * (size // (len(unit) + 1))) + b"]%b}" % tail
    )


def signed(body: bytes, secret: str = SECRET) -> bytes:
    """The body with its hash as its last member, over its text."""
    return body[:-1] + b',"hash":"%b"}' % hmac_hex(secret, body).encode()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what this process parses."""
    sizes: list[int] = []
    decoder = json_reader._DECODER

    class Counting:
        def decode(self, text: str) -> Any:
            sizes.append(len(text))
            return decoder.decode(text)

    monkeypatch.setattr(json_reader, "_DECODER", Counting())
    return sizes


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ParsingJob]:
    """What the parsing process is asked, which is then done here."""
    jobs: list[ParsingJob] = []

    def run(self: ParsingProcess, job: ParsingJob) -> Any:
        jobs.append(job)
        return run_job(job)

    monkeypatch.setattr(ParsingProcess, "_run_job", run)
    return jobs


@pytest.fixture
def welink(agency: Agency) -> Source:
    return create_source(agency=agency, provider="welink", secret=SECRET)[0]


@pytest.fixture(autouse=True)
def timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lengthen the time-outs: these tests count what is parsed, not how long a loaded machine takes."""
    monkeypatch.setattr(parsing, "WAIT_TIMEOUT", 60)


def post(server: Server, source: Source, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    return server.send("POST", f"/webhooks/{source.provider}/{source.token}", body, headers, timeout=60)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@pytest.mark.parametrize("unit", UNITS)
def test_no_adapter_parses_a_large_body_to_tell_that_it_is_forged(wire: Wire, unit: str, parsed: list[int]) -> None:
    body = large(UNITS[unit], tail=b',"hash":"%b"' % FORGED.encode())
    if wire.place is None:
        assert not wire.provider.verify_as_sent(SignedRequest(body, {}, NOW), wire.secrets)
    else:
        forged = wire.sign(secret=wire.other_secret)._replace(body=body)
        with pytest.raises(InvalidSignature):
            wire.provider.verify_as_sent(forged, wire.secrets)

    assert parsed == []


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(lambda body, tag: body[:-1] + b',"hash":"%b"}' % tag, True, id="last"),
        pytest.param(lambda body, tag: b'{ "hash" : "%b" , %b' % (tag, body[1:]), False, id="first, other blanks"),
        pytest.param(lambda body, tag: b'{"hash":"%b",%b' % (tag, body[1:]), True, id="first"),
        pytest.param(lambda body, tag: body[:-1] + b',\n "hash" : "%b"}' % tag, True, id="last, with blanks"),
        pytest.param(lambda body, tag: b'{"a":1,"hash":"%b",%b' % (tag, body[1:]), False, id="between others"),
        pytest.param(lambda body, tag: b'{"in":{"hash":"%b",%b}' % (tag, body[1:]), False, id="in another object"),
        pytest.param(lambda body, tag: b'{"hash":"%b"}' % tag, False, id="alone"),
        pytest.param(lambda body, tag: body[:-1] + b',"hash":"%b"}}' % tag, False, id="two ends"),
        pytest.param(lambda body, tag: body[:-1] + b',"hash":"%b"}' % tag.upper(), False, id="upper case"),
        pytest.param(lambda body, tag: body[:-1] + b',"hash":"%b"}' % tag[:-1], False, id="cut off"),
    ],
)
def test_welinks_hash_is_cut_out_of_the_text_where_it_is_first_or_last(
    place: Callable[[bytes, bytes], bytes], expected: bool
) -> None:
    body = b'{"status":"SUCCESS","result":{"a":[1,2]}}'
    request = SignedRequest(place(body, hmac_hex(SECRET, body).encode()), {}, NOW)

    assert get_provider("welink").verify_as_sent(request, ["another", SECRET]) is expected
    assert not get_provider("welink").verify_as_sent(request, ["another"])
    assert not get_provider("welink").verify_as_sent(request, [" "])


def test_what_parses_quickly_is_small_or_has_few_values() -> None:
    quick = [b"[" * 1000, b'{"a":"' + b"x" * 16_000 + b'"}', b"[" + b"0," * 498 + b"0]"]
    slow = [b"[" * 1001, b'{"a":"' + b"x" * 17_000 + b'"}', b"[" + b"0," * 500 + b"0]"]

    assert [parses_quickly(body) for body in quick] == [True] * 3
    assert [parses_quickly(body) for body in slow] == [False] * 3


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("unit", UNITS)
def test_the_web_process_parses_no_large_forged_welink_body(
    server: Server, welink: Source, parsed: list[int], unit: str
) -> None:
    body = large(UNITS[unit], tail=b',"hash":"%b"' % FORGED.encode())

    assert post(server, welink, body).status == 401
    wait_until(lambda: RejectedRequest.objects.filter(source=welink, reason="wrong_signature").exists())

    assert parsed == []
    assert Receipt.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_large_welink_bodies_are_taken_however_they_are_signed(
    server: Server, welink: Source, parsed: list[int]
) -> None:
    text = large(b'{"name":"\\u00c4nn","n":1}', size=200_000)
    data = json.loads(text)
    python = json.dumps({**data, "hash": hmac_hex(SECRET, json.dumps(data).encode())}, separators=(",", ":"))
    node = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
    between = b'{"hash":"%b",%b' % (hmac_hex(SECRET, node).encode(), text[1:])

    answers = [post(server, welink, body) for body in (signed(text), python.encode(), between)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert parsed == []
    assert Receipt.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_large_bodies_that_are_no_json_are_refused_as_small_ones_are(
    server: Server, agency: Agency, welink: Source, parsed: list[int]
) -> None:
    salesflow = create_source(agency=agency, provider="salesflow", secret=SECRET)[0]
    unreadable = [
        large(b"[]", tail=b',"status":2'),
        large(b"[" * 65 + b"]" * 65),
        large(b"[]")[:-1],
        large(b"[]", tail=b',"b":NaN'),
        b"[" * 100_000,
    ]

    for body in unreadable:
        assert post(server, salesflow, body, {"x-webhook-secret": SECRET}).status == 400
        assert post(server, welink, body).status == 400

    assert post(server, salesflow, large(b"[]"), {"x-webhook-secret": SECRET}).status == 200
    assert parsed == []


@pytest.mark.django_db(transaction=True)
def test_over_its_rate_an_address_has_nothing_large_read_that_is_not_signed_as_sent(
    server: Server, welink: Source, asked: list[ParsingJob], parsed: list[int], settings: Any
) -> None:
    settings.REJECT_RATE = 3
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    forged = large(b"[]", tail=b',"hash":"%b"' % FORGED.encode())

    def send(body: bytes, address: str = "192.0.2.1") -> Answer:
        return post(server, welink, body, {"X-Forwarded-For": address})

    assert [send(forged).status for _ in range(6)] == [401, 401, 401, 429, 429, 429]
    assert len(asked) == 3
    assert len(parsed) == 3  # by the fixture, in the place of the parsing process
    assert 1 <= int(send(forged).headers["retry-after"]) <= 60
    wait_until(lambda: RejectedRequest.objects.filter(reason="too_many_failures", count=4).exists())

    assert send(signed(large(b"[]"))).status == 200
    assert send(signed(b'{"status":"SUCCESS","request_id":"r-2"}')).status == 200
    small = {"status": "SUCCESS", "request_id": "r-3"}
    rewritten = {"hash": hmac_hex(SECRET, json.dumps(small).encode()), **small}
    assert send(json.dumps(rewritten, separators=(",", ":")).encode()).status == 200
    assert send(forged, "192.0.2.2").status == 401


@pytest.mark.django_db(transaction=True)
def test_no_large_body_is_parsed_to_tell_what_went_wrong(welink: Source, parsed: list[int]) -> None:
    body = large(b"[]", tail=b',"hash":"%b"' % FORGED.encode())
    refusal = InvalidSignature("wrong_signature", "The signature is wrong.")
    sample = RefusedSample(get_provider("welink"), SignedRequest(body, {}, timezone.now()), refusal)

    plain, certain = diagnose_refusal(welink.pk, sample)

    assert plain.startswith("The signature is wrong.")
    assert not certain
    assert parsed == []


@pytest.mark.django_db(transaction=True)
def test_a_source_that_rotated_often_verifies_with_its_newest_secrets(server: Server, agency: Agency) -> None:
    source = create_source(agency=agency, provider="salesflow", secret="secret 0")[0]
    for number in range(1, 40):
        rotate_secret(source, f"secret {number}")

    statuses = {
        number: post(server, source, b"{}", {"x-webhook-secret": f"secret {number}"}).status for number in (0, 24, 39)
    }

    assert statuses == {0: 401, 24: 200, 39: 200}


@pytest.fixture
def process() -> Iterator[ParsingProcess]:
    process = ParsingProcess()
    yield process
    process.close()


def job(body: bytes, secrets: list[str] | None = None) -> ParsingJob:
    return ParsingJob("welink", SignedRequest(body, {}, NOW), secrets, 300)


def test_a_parsing_process_that_died_is_started_again(process: ParsingProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    body = signed(large(b"[]", size=50_000))

    async def ask() -> None:
        first = await process.dedupe_key(job(body, [SECRET]), "s")
        assert process._process is not None
        os.kill(process._process.pid, signal.SIGKILL)
        process._process.wait()
        assert await process.dedupe_key(job(body), "s") == first
        with pytest.raises(InvalidSignature, match="wrong_signature"):
            await process.dedupe_key(job(body, ["another"]), "s")
        with pytest.raises(UnreadablePayload, match="not a JSON object"):
            await process.dedupe_key(job(b"[]"), "s")

    asyncio.run(ask())


def test_a_parsing_process_that_is_stuck_is_killed(process: ParsingProcess, monkeypatch: pytest.MonkeyPatch) -> None:

    async def ask() -> None:
        await process.dedupe_key(job(b"{}"), "s")
        assert process._process is not None
        os.kill(process._process.pid, signal.SIGSTOP)
        monkeypatch.setattr(parsing, "JOB_TIMEOUT", 0.1)
        with pytest.raises(ParsingBusy):
            await process.dedupe_key(job(b"{}"), "s")
        monkeypatch.setattr(parsing, "JOB_TIMEOUT", 30)
        assert await process.dedupe_key(job(b"{}"), "s") == "{}"

    asyncio.run(ask())


def test_forged_bodies_that_wait_take_no_place_from_verified_ones_nor_one_source_from_another(
    process: ParsingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def run(self: ParsingProcess, job: ParsingJob) -> str:
        goes_on.wait(30)
        return "done"

    monkeypatch.setattr(ParsingProcess, "_run_job", run)

    async def ask() -> list[Any]:
        forged = [("a", ["s"])] * 3 + [(str(number), ["s"]) for number in range(8)]
        verified = [("a", None)] * 3 + [("b", None)]
        requests = [
            asyncio.ensure_future(process.dedupe_key(job(b"{}", secrets), source))
            for source, secrets in forged + verified
        ]
        await asyncio.sleep(0.1)
        goes_on.set()
        return await asyncio.gather(*requests, return_exceptions=True)

    outcomes = ["busy" if isinstance(outcome, ParsingBusy) else outcome for outcome in asyncio.run(ask())]

    assert outcomes[:3] == ["done", "done", "busy"]
    assert outcomes[3:11] == ["done"] * 6 + ["busy"] * 2
    assert outcomes[11:] == ["done", "done", "busy", "done"]


def test_who_waits_too_long_for_a_turn_is_told_so(process: ParsingProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(ParsingProcess, "_run_job", lambda self, job: goes_on.wait(30) and "done")
    monkeypatch.setattr(parsing, "WAIT_TIMEOUT", 0.05)

    async def ask() -> None:
        try:
            for _ in range(2):
                with pytest.raises(ParsingBusy):
                    await process.dedupe_key(job(b"{}"), "s")
        finally:
            goes_on.set()

    asyncio.run(ask())
