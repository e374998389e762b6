"""The signature doctor tells what would have matched, and never a secret."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from tests.webhooks.providers.wire import OTHER_PRIVATE_KEY, OTHER_PUBLIC_KEY, PRIVATE_KEY, PUBLIC_KEY
from webhooks.diagnostics import signature_doctor
from webhooks.diagnostics.signature_doctor import KnownSecret, explain_mismatch, similar_headers
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest
from webhooks.providers.highlevel import HighLevel
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import InvalidSignature, require_fresh

NOW = datetime(2026, 3, 21, tzinfo=UTC)
SECRET = "s3cret-of-the-source-0001"
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD = "The sender uses an old secret of this source, which ended 3 days ago."
BODY = json.dumps({"b": "Zoë/1", "a": [1, 2]}, ensure_ascii=False, indent=3).encode()
DATA = json.loads(BODY)


def mac(message: bytes, key: str | bytes = SECRET) -> str:
    return hmac.digest(key.encode() if isinstance(key, str) else key, message, sha256).hex()


def request(body: bytes, headers: Mapping[str, str]) -> SignedRequest:
    return SignedRequest(body, headers, NOW)


def diagnose(provider: str, body: bytes, headers: Mapping[str, str], *secrets: KnownSecret) -> str:
    claim = PROVIDERS[provider].signature_scheme(request(body, headers))
    assert claim is not None
    found = explain_mismatch(claim, secrets or [KnownSecret(SECRET)])
    assert not any(known.secret in found for known in secrets or [KnownSecret(SECRET)])
    return found


def li(signature: str) -> dict[str, str]:
    return {"x-li-signature": signature}


P = b"hmacsha256="
COMPACT = (",", ":")


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        (json.dumps(DATA), "as Python's json.dumps"),
        (json.dumps(DATA, ensure_ascii=False, separators=COMPACT), "JSON.stringify"),
        (json.dumps(DATA, separators=COMPACT).replace("/", "\\/"), "PHP's json_encode"),
        (json.dumps(DATA, sort_keys=True, separators=COMPACT), "alphabetical order"),
        (json.dumps(DATA, indent=2, ensure_ascii=False), "indented by two"),
        (BODY.decode() + "\n", "line break at its end"),
        (BODY.decode().replace("\n", "\r\n"), "line breaks of the body were changed"),
    ],
)
def test_it_tells_how_the_json_was_written_anew(signed: str, words: str) -> None:
    found = diagnose("linkedin", BODY, li(mac(P + signed.encode())))
    assert words in found
    assert "x-li" not in diagnose("linkedin", BODY, li(mac(P + BODY)))


@pytest.mark.parametrize(
    ("provider", "headers", "words"),
    [
        ("linkedin", li(mac(BODY)), "hmacsha256= belongs before it"),
        ("linkedin", li(base64.b64encode(bytes.fromhex(mac(P + BODY))).decode()), "written in base64"),
        ("sendpilot", {"webhook-signature": f"t=1,s={mac(BODY)}"}, "signs the body alone"),
        ("sendpilot", {"webhook-signature": f"t=1,s={mac(b'1.' + BODY).upper()}"}, "upper-case hex"),
    ],
)
def test_it_tells_a_wrong_prefix_or_spelling(provider: str, headers: dict[str, str], words: str) -> None:
    assert words in diagnose(provider, BODY, headers)


def test_it_tells_an_old_secret_and_another_sources() -> None:
    old, other = KnownSecret("old-secret-of-the-source", OLD), KnownSecret("others", "Another source of yours.")
    secrets = (KnownSecret(SECRET), old, other)
    assert diagnose("linkedin", BODY, li(mac(P + BODY, old.secret)), *secrets) == OLD
    assert diagnose("linkedin", BODY, li(mac(P + BODY, other.secret)), *secrets) == other.note
    again = diagnose("linkedin", BODY, li(mac(P + json.dumps(DATA).encode(), old.secret)), *secrets)
    assert OLD in again
    assert "as Python's json.dumps" in again


def test_it_tells_how_a_standard_webhooks_key_was_misread() -> None:
    message = b"msg_1.7." + BODY

    def headers(key: bytes) -> dict[str, str]:
        signature = "v1," + base64.b64encode(hmac.digest(key, message, sha256)).decode()
        return {"svix-id": "msg_1", "svix-timestamp": "7", "svix-signature": f"v1a,xx {signature}"}

    known = KnownSecret(WHSEC)
    assert diagnose("sendpilot", BODY, headers(b"k" * 32), known) == ""
    assert "is to be decoded from base64" in diagnose("sendpilot", BODY, headers(WHSEC.encode()), known)
    assert "without decoding it" in diagnose("sendpilot", BODY, headers(WHSEC[6:].encode()), known)


def test_it_knows_the_hash_inside_a_we_link_body() -> None:
    data = {"request_id": "r1", "status": "SUCCESS", "n": 1}
    signed = mac(json.dumps(data, sort_keys=True).encode())
    body = json.dumps({**data, "hash": signed}).encode()
    assert "alphabetical order" in diagnose("welink", body, {})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (f"Bearer {SECRET}", "Bearer before it"),
        (f'"{SECRET}"', "quotation marks"),
        (SECRET.upper(), "upper and lower case"),
        (SECRET[:20], "cut off after 20 characters"),
        (base64.b64encode(SECRET.encode()).decode(), "in base64"),
    ],
)
@pytest.mark.parametrize("provider", ["salesflow", "linkedconnector"])
def test_it_tells_how_a_secret_in_a_header_went_wrong(provider: str, given: str, words: str) -> None:
    assert words in diagnose(provider, b"{}", {"x-webhook-secret": given})


def test_a_shared_secret_without_its_prefix_and_one_that_is_just_wrong() -> None:
    known = KnownSecret(WHSEC)
    assert "whsec_ prefix" in diagnose("salesflow", b"{}", {"x-webhook-secret": WHSEC[6:]}, known)
    assert diagnose("salesflow", b"{}", {"x-webhook-secret": "s"}, known) == ""
    assert diagnose("salesflow", b"{}", {"x-webhook-secret": "something else"}, known) == ""


def test_highlevels_key_and_ones_own() -> None:
    ghl = HighLevel(public_key=PUBLIC_KEY)
    body, headers = ghl.sign(BODY, PRIVATE_KEY, at=NOW)
    claim = ghl.signature_scheme(request(body, headers))
    assert claim is not None
    assert "published key" in explain_mismatch(claim, [KnownSecret(OTHER_PUBLIC_KEY)])
    _, rewritten = ghl.sign(json.dumps(DATA).encode(), OTHER_PRIVATE_KEY, at=NOW)
    claim = ghl.signature_scheme(request(body, rewritten))
    assert claim is not None
    assert "as Python's json.dumps" in explain_mismatch(claim, [KnownSecret(OTHER_PUBLIC_KEY)])
    ownerless = HighLevel(public_key=OTHER_PUBLIC_KEY).signature_scheme(request(body, rewritten))
    assert ownerless is not None
    assert "as Python's json.dumps" in explain_mismatch(ownerless, [])


@pytest.mark.parametrize("header", ["", "x", "\u00e9", "v1,", "=" * 5000, "t=1,s=", "Bearer "])
@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'{"a": 1e999}', b'{"hash": "x"}'])
def test_nothing_that_is_sent_breaks_it(header: str, body: bytes) -> None:
    names = ("x-li-signature", "x-webhook-secret", "webhook-signature", "svix-signature", "x-ghl-signature")
    for provider in PROVIDERS.values():
        claim = provider.signature_scheme(request(body, dict.fromkeys(names, header)))
        assert claim is None or explain_mismatch(claim, [KnownSecret(SECRET)]) == ""


def test_its_work_is_bounded() -> None:
    tried: list[int] = []

    def matches(key: bytes, message: bytes, given: bytes) -> bool:
        tried.append(len(message))
        return False

    small = SignatureScheme(given="0" * 64, body=BODY, matches=matches)
    secrets = [KnownSecret(f"whsec_{number}", "x") for number in range(400)]
    assert explain_mismatch(small, secrets) == ""
    assert len(tried) <= signature_doctor.MAX_ATTEMPTS
    tried.clear()
    large = SignatureScheme(
        given="0" * 64, body=b'{"a": "' + b"x" * signature_doctor.MAX_REWRITTEN_BYTES + b'"}', matches=matches
    )
    assert explain_mismatch(large, secrets) == ""
    assert sum(tried) <= signature_doctor.MAX_BYTES


def test_headers_that_might_be_meant_are_named_without_their_values() -> None:
    found = similar_headers({"x-signature": "abc", "accept": "*/*", "x-hub-signature-256": "def"})
    assert found == "Headers that might be meant as one: x-hub-signature-256, x-signature."
    assert similar_headers({"accept": "*/*"}) == ""


@pytest.mark.parametrize(
    ("sent_at", "words"),
    [
        (int(NOW.timestamp()) + 400, "clock is ahead"),
        (int(NOW.timestamp()) - 400, "clock is behind"),
        (int(NOW.timestamp()) * 1000, "in milliseconds"),
    ],
)
def test_clock_skew_is_told_from_a_wrong_signature(sent_at: int, words: str) -> None:
    with pytest.raises(InvalidSignature) as refused:
        require_fresh(str(sent_at), NOW, 300)
    assert refused.value.reason == "stale_timestamp"
    assert words in refused.value.diagnosis
