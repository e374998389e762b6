"""The signature doctor: what a sender did differently when its signature does not match. Pure.

It tries how senders usually go wrong, one thing or several at once: the JSON written anew instead of the bytes that
were sent, a prefix, another way of writing the signature, an old secret, another source's secret. It says what would
have matched and never names a secret. Work is bounded: at most MAX_ATTEMPTS comparisons over at most MAX_BYTES, and no
body of over LARGEST_REWRITTEN bytes is written anew.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from urllib.parse import unquote

from webhooks.providers.js_json import stringify
from webhooks.providers.signature_scheme import Claim
from webhooks.providers.signatures import STANDARD_PREFIX, equal
from webhooks.providers.strict_json import UnreadablePayload, read_object

LARGEST_REWRITTEN = 16 * 1024
MAX_ATTEMPTS = 1500
MAX_BYTES = 4 * 1024 * 1024
SHORTEST_PART = 16  # characters of a secret that was cut off
NO_IDEA = "None of the usual mistakes explains it: most likely the sender has another secret than this source."
REWRITTEN = "The sender signs the JSON written anew ({}), not the bytes that it sends."

_LABELS = re.compile(r"(?i)(hmac-?sha-?256|sha-?256|v[0-9]|s|signature|bearer)\s*[=:, ]\s*")
_HEX = re.compile(r"[0-9a-fA-F]{64}|[0-9a-fA-F]{128}")
_LOOKALIKE = re.compile(r"signature|secret|hmac|hash|x-hub|token")


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """A secret to try. `note` says what it means that it matches; "" for one that is valid for this source."""

    secret: str
    note: str = ""


def examine(claim: Claim, secrets: Sequence[KnownSecret]) -> str:
    """What would have matched, in sentences; "" if nothing that was tried does."""
    tried = [*secrets] or [KnownSecret(secret) for secret in claim.otherwise]
    found = _shared(claim.given, tried) if claim.shared else _signed(claim, tried)
    return " ".join(note for note in found if note) if found is not None else ""


def lookalikes(headers: Mapping[str, str]) -> str:
    """Where no signature came: which other headers it might be in. Names only."""
    names = sorted(name for name in headers if _LOOKALIKE.search(name))[:5]
    return f"Headers that might be meant as one: {', '.join(names)}." if names else ""


def _signed(claim: Claim, secrets: Sequence[KnownSecret]) -> tuple[str, ...] | None:
    """The notes of the first way that matches, those with the fewest deviations first."""
    spellings = list(_spellings(claim))
    keys = [
        (known.note, note, key)
        for known in secrets
        for note, make in claim.keys
        if (key := make(known.secret)) is not None
    ]
    messages = [
        (body_note, note, make(body)) for body_note, body in _bodies(claim.body) for note, make in claim.messages
    ]
    ways = sorted(product(keys, messages), key=lambda way: sum(1 for part in way for note in part[:2] if note))
    work = 0
    for (secret_note, key_note, key), (body_note, note, message) in islice(ways, MAX_ATTEMPTS):
        work += len(message)
        if work > MAX_BYTES:
            break
        for spelling_note, given in spellings:
            if claim.matches(key, message, given):
                return secret_note, body_note, note, key_note, spelling_note
    return None


def _bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The body as it came, then in the ways in which programs write JSON; each form once."""
    seen = {body}
    yield "", body
    for note, form in _rewritten(body) if len(body) <= LARGEST_REWRITTEN else ():
        if form not in seen:
            seen.add(form)
            yield note, form


def _rewritten(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "The sender signs the body without the blanks or line breaks around it.", body.strip()
    yield "The sender signs the body with a line break at its end.", body + b"\n"
    yield "The line breaks of the body were changed on the way.", body.replace(b"\r\n", b"\n")
    yield "The line breaks of the body were changed on the way.", body.replace(b"\n", b"\r\n")
    try:
        data = read_object(body)
    except UnreadablePayload:
        return
    compact = (",", ":")
    forms = (
        ("without blanks, as JavaScript's JSON.stringify does", stringify(data).decode("utf-8", "replace")),
        ("without blanks", json.dumps(data, ensure_ascii=False, separators=compact)),
        ("without blanks, other letters than English ones escaped", json.dumps(data, separators=compact)),
        ("as PHP's json_encode does", json.dumps(data, separators=compact).replace("/", "\\/")),
        ("with blanks after commas and colons, as Python's json.dumps does", json.dumps(data)),
        ("with blanks after commas and colons", json.dumps(data, ensure_ascii=False)),
        ("with its keys in alphabetical order", json.dumps(data, sort_keys=True, separators=compact)),
        ("with its keys in alphabetical order and blanks", json.dumps(data, sort_keys=True)),
        ("indented by two", json.dumps(data, indent=2, ensure_ascii=False)),
        ("indented by four", json.dumps(data, indent=4, ensure_ascii=False)),
    )
    for how, text in forms:
        yield REWRITTEN.format(how), text.encode("utf-8", "surrogatepass")


def _spellings(claim: Claim) -> Iterator[tuple[str, bytes]]:
    """The signature's bytes, however it is written, and what is wrong with how it is."""
    text = claim.given.strip().strip("\"'")
    label = _LABELS.match(text)
    if label and not (claim.spelling == "base64" and label[0] == "v1,"):
        notes = [f"The signature has {label[0].strip()} before it, which does not belong there."]
    else:
        notes = []
    text = text[label.end() :] if label else text
    if _HEX.fullmatch(text):
        if claim.spelling != "hex":
            notes.append("The signature is written in hex; base64 is wanted.")
        elif text != text.lower():
            notes.append("The signature is written in upper-case hex; lower case is wanted.")
        yield " ".join(notes), bytes.fromhex(text)
        return
    try:
        raw = base64.b64decode(
            text.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        )
    except (binascii.Error, ValueError):
        return
    if claim.spelling != "base64":
        notes.append("The signature is written in base64; lower-case hex is wanted.")
    elif base64.b64encode(raw).decode() != text:
        notes.append("The signature is not written in standard base64 with its padding.")
    yield " ".join(notes), raw


def _shared(given: str, secrets: Sequence[KnownSecret]) -> tuple[str, ...] | None:
    """The same for a secret that is sent as it is."""
    for known in secrets:
        secret = known.secret.strip()
        for note, text in _writings(given):
            if equal(text, secret):
                return known.note, note
            if equal(text, secret.removeprefix(STANDARD_PREFIX)):
                return known.note, note, "The sender leaves out the secret's whsec_ prefix."
            if equal(text.lower(), secret.lower()):
                return known.note, note, "The sender's secret has other upper and lower case letters."
            if SHORTEST_PART <= len(text) < len(secret) and equal(text, secret[: len(text)]):
                return known.note, note, f"The sender's secret is cut off after {len(text)} characters."
    return None


def _writings(given: str) -> Iterator[tuple[str, str]]:
    yield "", given
    yield "The sender writes the secret in quotation marks.", given.strip("\"'")
    label = _LABELS.match(given)
    if label:
        yield f"The secret has {label[0].strip()} before it, which does not belong there.", given[label.end() :]
    yield "The sender encodes the secret as if it stood in an address (%2B for +).", unquote(given)
    yield "The sender turns + into a blank.", given.replace(" ", "+")
    yield "The sender writes the secret in base64.", _decoded(given)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
