"""One suite for every provider: what is not signed as it should be, or is no JSON, is refused."""

import base64
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.webhooks.providers.wire import NOW, WIRES, Wire, payload
from webhooks.diagnostics.signature_doctor import KnownSecret, explain_mismatch
from webhooks.providers import PROVIDERS, get_provider
from webhooks.providers.base import InvalidSignature, SignedRequest, UnreadablePayload

every_wire = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
signed_wires = pytest.mark.parametrize("wire", [wire for wire in WIRES if wire.signs_body], ids=lambda wire: wire.name)
timed_wires = pytest.mark.parametrize("wire", [wire for wire in WIRES if wire.timed], ids=lambda wire: wire.name)


def refusal(wire: Wire, request: SignedRequest, secrets: list[str] | None = None) -> str:
    with pytest.raises(InvalidSignature) as refused:
        wire.provider.verify(request, wire.secrets if secrets is None else secrets)
    assert refused.value.reason
    assert refused.value.diagnosis
    assert not any(secret in refused.value.diagnosis for secret in [wire.secret, *wire.secrets])
    return refused.value.reason


def test_the_table_has_every_provider() -> None:
    assert {wire.provider.slug for wire in WIRES} == set(PROVIDERS)


@every_wire
def test_a_signed_request_is_accepted(wire: Wire) -> None:
    wire.provider.verify(wire.sign(), wire.secrets)


@every_wire
def test_while_secrets_rotate_both_are_accepted(wire: Wire) -> None:
    both = [*wire.other_secrets, *wire.secrets]
    wire.provider.verify(wire.sign(), both)
    wire.provider.verify(wire.sign(secret=wire.other_secret), both)


@every_wire
def test_a_missing_signature_is_refused(wire: Wire) -> None:
    assert refusal(wire, wire.without_signature(wire.sign())) == "missing_signature"


@every_wire
@pytest.mark.parametrize("blank", ["", " ", "\t "])
def test_an_empty_signature_is_refused(wire: Wire, blank: str) -> None:
    reason = refusal(wire, wire.with_signature(wire.sign(), lambda _: blank))
    assert reason in {"missing_signature", "malformed_signature"}


@every_wire
def test_a_request_signed_with_another_secret_is_refused(wire: Wire) -> None:
    assert refusal(wire, wire.sign(), wire.other_secrets) == "wrong_signature"
    assert refusal(wire, wire.sign(secret=wire.other_secret)) == "wrong_signature"


@every_wire
def test_every_truncated_signature_is_refused(wire: Wire) -> None:
    request = wire.sign()
    signature = wire.provider.sign(payload(wire.sample), wire.secret, at=NOW)[1].get(wire.place or "", "x" * 64)
    for length in range(len(signature)):
        refusal(wire, wire.with_signature(request, lambda full, cut=length: full[:cut]))  # type: ignore[misc]


@every_wire
def test_the_signature_doctor_recognizes_a_secret_that_is_not_valid_any_more(wire: Wire) -> None:
    scheme = wire.provider.signature_scheme(wire.sign())
    assert scheme is not None
    assert explain_mismatch(scheme, [KnownSecret(wire.secrets[0], "It is an old one.")]) == "It is an old one."


REWRITINGS: list[tuple[str, Callable[[str], str]]] = [
    ("doubled", lambda s: s + s),
    ("sent twice", lambda s: f"{s}, {s}"),
    ("upper case", str.upper),
    ("swapped case", str.swapcase),
    ("reversed", lambda s: s[::-1]),
    ("with a prefix", lambda s: f"sha256={s}"),
    ("with a suffix", lambda s: f"{s}\x00"),
    ("in base64", lambda s: base64.b64encode(s.encode()).decode()),
    ("in hex", lambda s: s.encode().hex()),
    ("quoted", lambda s: f'"{s}"'),
    ("url encoded", lambda s: s.replace("=", "%3D").replace("-", "%2D") + "%20"),
    ("with a control character", lambda s: s[:5] + "\x01" + s[5:]),
    ("with a right-to-left mark", lambda s: "\u200f" + s),
    ("of zeros", lambda s: "0" * len(s)),
    ("not available", lambda _: "N/A"),
]


@every_wire
@pytest.mark.parametrize("rewrite", [rewrite for _, rewrite in REWRITINGS], ids=[name for name, _ in REWRITINGS])
def test_a_signature_in_another_spelling_is_refused(wire: Wire, rewrite: Callable[[str], str]) -> None:
    if wire.name == "linkedin" and rewrite in (str.upper, str.swapcase):
        return wire.provider.verify(wire.with_signature(wire.sign(), rewrite), wire.secrets)  # its own tolerance
    refusal(wire, wire.with_signature(wire.sign(), rewrite))
    return None


GARBAGE = [
    "\x00",
    "\x00" * 64,
    "é" * 64,
    "ÿ",
    "日本",
    "\ud800",
    "=",
    ",",
    "t=,s=",
    "v1,",
    "v1",
    "a" * 10_240,
    "%s%n{0}",
    "²" * 64,
]


@every_wire
@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_in_every_header_is_refused_quietly(wire: Wire, garbage: str) -> None:
    request = wire.sign()
    refusal(wire, wire.with_signature(request, lambda _: garbage))
    for name in request.headers:
        refusal(wire, request._replace(headers={**request.headers, name: garbage}))


@signed_wires
def test_every_flipped_bit_of_a_body_is_refused(wire: Wire) -> None:
    request = wire.sign()
    bits = range(len(request.body) * 8)
    for bit in random.Random(7).sample(bits, min(len(bits), 1_500)):
        body = bytearray(request.body)
        body[bit // 8] ^= 1 << bit % 8
        with pytest.raises((InvalidSignature, UnreadablePayload)):
            wire.provider.verify(request._replace(body=bytes(body)), wire.secrets)


@every_wire
def test_every_flipped_bit_of_a_signature_is_refused(wire: Wire) -> None:
    request = wire.sign()
    signature = request.headers[wire.place] if wire.place else "x" * 64
    for bit in range(len(signature) * 7):

        def flip(text: str, bit: int = bit) -> str:
            place, mask = bit // 7, 1 << bit % 7
            return text[:place] + chr(ord(text[place]) ^ mask) + text[place + 1 :]

        flipped = wire.with_signature(request, flip)
        if wire.name == "linkedin" and flipped.headers["x-li-signature"].lower().strip() == signature:
            continue  # a letter in upper case
        refusal(wire, flipped)


@signed_wires
def test_a_signature_is_good_for_its_own_body_only(wire: Wire) -> None:
    request = wire.sign()
    for body in (request.body + b" ", b" " + request.body, request.body.replace(b"}", b" }", 1)):
        if wire.place is not None:
            assert refusal(wire, request._replace(body=body)) == "wrong_signature"
    assert refusal(wire, request._replace(body=request.body.replace(b"a", b"b", 1))) == "wrong_signature"


@every_wire
@pytest.mark.parametrize("secrets", [[], [""], [" ", "\t"]])
def test_without_a_secret_nobody_can_sign(wire: Wire, secrets: list[str]) -> None:
    if wire.name == "linkedconnector" and not secrets:
        return wire.provider.verify(wire.without_signature(wire.sign()), secrets)  # its address is the secret
    assert refusal(wire, wire.sign(), secrets) in {"no_secret", "wrong_signature", "unusable_key"}
    if wire.provider.slug in {"welink", "sendpilot", "linkedin"}:
        with_no_key = wire.provider.sign(payload(wire.sample), "", at=NOW)
        refusal(wire, SignedRequest(*with_no_key, NOW), secrets)
    return None


@every_wire
def test_secrets_may_be_any_text(wire: Wire) -> None:
    for secret in (
        "pässwörd 日本",
        "\ud800",
        "x" * 256,
        "whsec_",
        "whsec_!!!",
        "whsec_é",
        "-----BEGIN PUBLIC KEY-----",
    ):
        refusal(wire, wire.sign(), [secret])


@timed_wires
@pytest.mark.parametrize("seconds", [0, 1, 299, 300, -1, -299, -300])
def test_a_signature_up_to_300_seconds_off_is_accepted(wire: Wire, seconds: int) -> None:
    wire.provider.verify(wire.sign(at=NOW - timedelta(seconds=seconds)), wire.secrets)


@timed_wires
@pytest.mark.parametrize("seconds", [301, -301, 3600, -3600, 10**9])
def test_a_signature_more_than_300_seconds_off_is_refused(wire: Wire, seconds: int) -> None:
    assert refusal(wire, wire.sign(at=NOW - timedelta(seconds=seconds))) == "stale_timestamp"


@timed_wires
def test_the_tolerance_can_be_set(wire: Wire) -> None:
    request = wire.sign(at=NOW - timedelta(seconds=301))
    wire.provider.verify(request, wire.secrets, tolerance=301)
    with pytest.raises(InvalidSignature):
        wire.provider.verify(wire.sign(at=NOW - timedelta(seconds=11)), wire.secrets, tolerance=10)


def test_only_canonical_version_4_uuids_are_signed() -> None:
    linkedin, good = get_provider("linkedin"), "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    variants = [
        *("", " ", good + " ", " " + good, good + "\n", good.upper(), good.replace("-", ""), "{" + good + "}"),
        *("urn:uuid:" + good, good.replace("4ab1", "1ab1"), good.replace("4ab1", "7ab1"), good.replace("b689", "c689")),
        *(good[:-1], good + "0", good.replace("8", "８", 1), "hmacsha256={}", "hmacsha256=" + good, good + "\x00"),
        "00000000-0000-0000-0000-000000000000",
    ]
    for code in variants:
        with pytest.raises(UnreadablePayload):
            linkedin.challenge({"challengeCode": code}, ["secret"])
    for query in ({}, {"challengecode": good}, {"applicationId": good}):
        with pytest.raises(UnreadablePayload):
            linkedin.challenge(query, ["secret"])
    for secrets in ([], [""]):
        with pytest.raises(UnreadablePayload):
            linkedin.challenge({"challengeCode": good}, secrets)


@pytest.mark.parametrize("slug", sorted(set(PROVIDERS) - {"linkedin"}))
def test_nobody_else_answers_challenges(slug: str) -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    assert get_provider(slug).challenge({"challengeCode": code}, ["secret"]) is None


def test_secrets_are_not_among_the_headers_kept_as_evidence() -> None:
    kept = {header for provider in PROVIDERS.values() for header in provider.kept_headers}
    assert "x-webhook-secret" not in kept
    assert "x-li-signature" in kept
