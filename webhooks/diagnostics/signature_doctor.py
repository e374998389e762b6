"""Find out what a sender did differently when its signature does not match. Pure.

The signature doctor tries the usual mistakes, alone and combined: rewritten JSON in place of the bytes sent, a prefix,
another encoding of the signature, an old secret, the secret of another source. It names the mistake and never a secret.
Its work is bounded: at most MAX_ATTEMPTS comparisons over at most MAX_BYTES, and bodies over MAX_REWRITTEN_BYTES are
not rewritten.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from urllib.parse import unquote

from accounts.core.wording import Sentence, Wording, gettext_noop, several
from webhooks.providers.base import UnreadablePayload, read_object
from webhooks.providers.js_json import stringify
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import STANDARD_PREFIX, constant_time_equal

MAX_REWRITTEN_BYTES = 16 * 1024
MAX_ATTEMPTS = 1500
MAX_BYTES = 4 * 1024 * 1024
MIN_PREFIX_LENGTH = 16  # characters that a truncated secret must have to be recognized
UNEXPLAINED = gettext_noop(
    "None of the usual mistakes explains it: most likely the sender has another secret than this source."
)
REWRITTEN = Wording(
    "signed_json_anew", gettext_noop("The sender signs the JSON written anew (%(how)s), not the bytes that it sends.")
)
SIMILAR_HEADERS = Wording("similar_headers", gettext_noop("Headers that might be meant as one: %(names)s."))
SIGNATURE_LABEL = Wording(
    "signature_label", gettext_noop("The signature has %(label)s before it, which does not belong there.")
)
SECRET_LABEL = Wording("secret_label", gettext_noop("The secret has %(label)s before it, which does not belong there."))
SECRET_CUT_OFF = Wording("secret_cut_off", gettext_noop("The sender's secret is cut off after %(length)s characters."))

_LABELS = re.compile(r"(?i)(hmac-?sha-?256|sha-?256|v[0-9]|s|signature|bearer)\s*[=:, ]\s*")
_HEX = re.compile(r"[0-9a-fA-F]{64}|[0-9a-fA-F]{128}")
_SIMILAR_NAME = re.compile(r"signature|secret|hmac|hash|x-hub|token")


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """Hold a secret to try. `note` explains a match; "" for a valid secret of this source."""

    secret: str
    note: str = ""


def explain_mismatch(scheme: SignatureScheme, secrets: Sequence[KnownSecret]) -> Sentence:
    """Return sentences that say what would have matched, or "" if nothing that was tried does."""
    tried = [*secrets] or [KnownSecret(secret) for secret in scheme.fallback_secrets]
    found = _match_shared_secret(scheme.given, tried) if scheme.is_shared_secret else _match_signature(scheme, tried)
    return several(*found) if found is not None else several()


def similar_headers(headers: Mapping[str, str]) -> str:
    """Return a sentence that names headers which may hold the missing signature, or ""."""
    names = sorted(name for name in headers if _SIMILAR_NAME.search(name))[:5]
    return SIMILAR_HEADERS(names=", ".join(names)) if names else ""


def _match_signature(scheme: SignatureScheme, secrets: Sequence[KnownSecret]) -> tuple[str, ...] | None:
    """Return the notes of the first matching combination, trying those with the fewest mistakes first."""
    signatures = list(_decoded_signatures(scheme))
    keys = [
        (known.note, note, key)
        for known in secrets
        for note, make in scheme.keys
        if (key := make(known.secret)) is not None
    ]
    messages = [
        (body_note, note, make(body))
        for body_note, body in _body_variants(scheme.body)
        for note, make in scheme.messages
    ]
    combinations = sorted(
        product(keys, messages), key=lambda combination: sum(1 for part in combination for note in part[:2] if note)
    )
    work = 0
    for (secret_note, key_note, key), (body_note, note, message) in islice(combinations, MAX_ATTEMPTS):
        work += len(message)
        if work > MAX_BYTES:
            break
        for encoding_note, given in signatures:
            if scheme.matches(key, message, given):
                return secret_note, body_note, note, key_note, encoding_note
    return None


def _body_variants(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the body as received, then each other form in which programs write its JSON, once each."""
    seen = {body}
    yield "", body
    for note, form in _rewritten_bodies(body) if len(body) <= MAX_REWRITTEN_BYTES else ():
        if form not in seen:
            seen.add(form)
            yield note, form


def _rewritten_bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield gettext_noop("The sender signs the body without the blanks or line breaks around it."), body.strip()
    yield gettext_noop("The sender signs the body with a line break at its end."), body + b"\n"
    yield gettext_noop("The line breaks of the body were changed on the way."), body.replace(b"\r\n", b"\n")
    yield gettext_noop("The line breaks of the body were changed on the way."), body.replace(b"\n", b"\r\n")
    try:
        data = read_object(body)
    except UnreadablePayload:
        return
    compact = (",", ":")
    forms = (
        (
            gettext_noop("without blanks, as JavaScript's JSON.stringify does"),
            stringify(data).decode("utf-8", "replace"),
        ),
        (gettext_noop("without blanks"), json.dumps(data, ensure_ascii=False, separators=compact)),
        (gettext_noop("without blanks, other letters than English ones escaped"), json.dumps(data, separators=compact)),
        (gettext_noop("as PHP's json_encode does"), json.dumps(data, separators=compact).replace("/", "\\/")),
        (gettext_noop("with blanks after commas and colons, as Python's json.dumps does"), json.dumps(data)),
        (gettext_noop("with blanks after commas and colons"), json.dumps(data, ensure_ascii=False)),
        (gettext_noop("with its keys in alphabetical order"), json.dumps(data, sort_keys=True, separators=compact)),
        (gettext_noop("with its keys in alphabetical order and blanks"), json.dumps(data, sort_keys=True)),
        (gettext_noop("indented by two"), json.dumps(data, indent=2, ensure_ascii=False)),
        (gettext_noop("indented by four"), json.dumps(data, indent=4, ensure_ascii=False)),
    )
    for how, text in forms:
        yield REWRITTEN(how=several(how)), text.encode("utf-8", "surrogatepass")


def _decoded_signatures(scheme: SignatureScheme) -> Iterator[tuple[str, bytes]]:
    """Yield the signature's bytes in each possible encoding, with a note on what is wrong with the encoding."""
    text = scheme.given.strip().strip("\"'")
    label = _LABELS.match(text)
    if label and not (scheme.encoding == "base64" and label[0] == "v1,"):
        notes: list[str] = [SIGNATURE_LABEL(label=label[0].strip())]
    else:
        notes = []
    text = text[label.end() :] if label else text
    if _HEX.fullmatch(text):
        if scheme.encoding != "hex":
            notes.append(gettext_noop("The signature is written in hex; base64 is wanted."))
        elif text != text.lower():
            notes.append(gettext_noop("The signature is written in upper-case hex; lower case is wanted."))
        yield several(*notes), bytes.fromhex(text)
        return
    try:
        raw = base64.b64decode(
            text.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        )
    except (binascii.Error, ValueError):
        return
    if scheme.encoding != "base64":
        notes.append(gettext_noop("The signature is written in base64; lower-case hex is wanted."))
    elif base64.b64encode(raw).decode() != text:
        notes.append(gettext_noop("The signature is not written in standard base64 with its padding."))
    yield several(*notes), raw


def _match_shared_secret(given: str, secrets: Sequence[KnownSecret]) -> tuple[str, ...] | None:
    """Return the notes of the first secret that equals the one sent. None if no secret does."""
    for known in secrets:
        secret = known.secret.strip()
        for note, text in _secret_variants(given):
            if constant_time_equal(text, secret):
                return known.note, note
            if constant_time_equal(text, secret.removeprefix(STANDARD_PREFIX)):
                return known.note, note, gettext_noop("The sender leaves out the secret's whsec_ prefix.")
            if constant_time_equal(text.lower(), secret.lower()):
                return known.note, note, gettext_noop("The sender's secret has other upper and lower case letters.")
            if MIN_PREFIX_LENGTH <= len(text) < len(secret) and constant_time_equal(text, secret[: len(text)]):
                return known.note, note, SECRET_CUT_OFF(length=len(text))
    return None


def _secret_variants(given: str) -> Iterator[tuple[str, str]]:
    yield "", given
    yield gettext_noop("The sender writes the secret in quotation marks."), given.strip("\"'")
    label = _LABELS.match(given)
    if label:
        yield SECRET_LABEL(label=label[0].strip()), given[label.end() :]
    yield gettext_noop("The sender encodes the secret as if it stood in an address (%2B for +)."), unquote(given)
    yield gettext_noop("The sender turns + into a blank."), given.replace(" ", "+")
    yield gettext_noop("The sender writes the secret in base64."), _decoded(given)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
