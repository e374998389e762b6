"""Read We-Link's webhooks (by WeConnect): the results of requests that an agency made to its API.

https://apidocs.we-link.ai/docs/webhooks/webhook-authentication, https://apidocs.we-link.ai/docs/webhooks/overview,
https://apidocs.we-link.ai/docs/errors-and-limits/error-model

The signature is the body's own field `hash`: the hex HMAC-SHA256 of the message without it. The documentation's two
samples disagree on that message (`JSON.stringify` in Node, `json.dumps` with its blanks and escapes in Python). Three
forms are tried: the raw text without the hash, JavaScript's and Python's.

A body names neither its event nor the account. The documentation calls the id `request_id`, `requestId` and
`requestID`, and reports a failure as `status: FAILED` with the code or a text in `error`, or with the code itself as
`status`. No page shows a MESSAGE_REPLY, or the result of a search or a profile request.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from accounts.core.enums import RequestAction, WordKind
from accounts.core.text import storable_json
from accounts.core.wording import gettext_noop
from leads.pipeline.dto import MAX_MESSAGE_LENGTH
from webhooks.providers.base import (
    InvalidSignature,
    Provider,
    SignedRequest,
    UnreadablePayload,
    parses_quickly,
    read_object,
)
from webhooks.providers.events import ProviderEvent, RequestOutcome
from webhooks.providers.js_json import stringify, stringify_plain
from webhooks.providers.payload import MAX_ID_LENGTH, MAX_TEXT_LENGTH, Payload, dedupe_key_of
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import (
    hmac_hex,
    matches_any_hmac,
    require_hex_digest,
    usable_secrets,
    wrong_signature,
)

ID_FIELDS = ("request_id", "requestId", "requestID")
EVENT_FIELDS = ("event_type", "eventType", "event")
#: Larger bodies are not rewritten in JavaScript's form: the work would be done for forged bodies too.
MAX_REWRITTEN_BYTES = 64 * 1024

EVENTS = {  # event --> the request's action, and whether it succeeded
    "LOGIN_SUCCESS": (RequestAction.LOGIN, True),
    "LOGIN_FAILED": (RequestAction.LOGIN, False),
    "LOGIN_PIN_REQUIRED": (RequestAction.LOGIN, False),
    "CONNECTION_SENT": (RequestAction.CONNECT, True),
    "CONNECTION_FAILED": (RequestAction.CONNECT, False),
    "MESSAGE_SENT": (RequestAction.MESSAGE, True),
    "MESSAGE_REPLY": (RequestAction.MESSAGE, True),
    "MESSAGE_FAILED": (RequestAction.MESSAGE, False),
    "PROFILE_VIEWED": (RequestAction.PROFILE, True),
    "PROFILE_DATA": (RequestAction.PROFILE, True),
    "SEARCH_COMPLETED": (RequestAction.SEARCH, True),
}
CODES: dict[str, RequestAction | None] = {  # error code --> the only action that it can answer, if there is one
    "PIN_REQUIRED": RequestAction.LOGIN,
    "WRONG_PASSWORD": RequestAction.LOGIN,
    "RECRUITER_ACKNOWLEDGEMENT_REQUIRED": RequestAction.LOGIN,
    "RECRUITER_LOGIN_SUBMISSION_FAILED": RequestAction.LOGIN,
    "RECRUITER_AUTH_REQUIRED": RequestAction.LOGIN,
    "ACCOUNT_RESTRICTED": None,
    "SALES_SEAT_REQUIRED": None,
    "BASIC_INFO_NOT_FOUND": None,
    "OWN_PROFILE_ID_NOT_FOUND": None,
    "PROXY_ERROR": None,
    "PROFILE_NOT_FOUND": None,
    "STATUS_429": None,
}
STATUSES = {  # status --> whether the request succeeded
    "SUCCESS": True,
    "FAILED": False,
    **dict.fromkeys(CODES, False),
    **{event: worked for event, (_, worked) in EVENTS.items()},
}
#: Codes with effects of their own; others do the same as one of these.
MEANINGS = ("SUCCESS", "PIN_REQUIRED", "WRONG_PASSWORD", "ACCOUNT_RESTRICTED", "STATUS_429", "PROXY_ERROR")
LOGIN_RESULT = {"profile_id", "public_identifier", "email"}
RESULT_TEXTS = {  # text field of a result --> its maximum length
    **dict.fromkeys(("public_identifier", "first_name", "last_name"), 200),
    "email": 254,
    "occupation": 500,
}

REPLY_TEXTS = ("message", "text")

_LAST_HASH = re.compile(rb'"hash"\s*:\s*"([^"\\]+)"(?=\s*\}\s*\Z)')
_FIRST_HASH = re.compile(rb'(\s*\{\s*)"hash"\s*:\s*"([^"\\]+)"\s*,\s*')
_NOT_PLAIN = re.compile(rb'[0-9][.eE]|[0-9]{16}|-0|\\u[dD][89a-fA-F]|"[0-9]+"\s*:')


class WeLink(Provider):
    slug: ClassVar[str] = "welink"
    meanings: ClassVar[Mapping[WordKind, tuple[str, ...]]] = {
        WordKind.EVENT: tuple(EVENTS),
        WordKind.STATUS: MEANINGS,
    }

    def verify_as_sent(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> bool:
        """Verify the raw text without its hash, if the hash is the body's first or last member."""
        cut = _cut_hash(request.body)
        if cut is None:
            return False
        given, message = cut
        return matches_any_hmac(given, message, [secret for secret in secrets if secret.strip()])

    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        if self.verify_as_sent(request, secrets):
            return
        data = read_object(request.body)
        given = data.pop("hash", None)
        if given is None or given == "":
            raise InvalidSignature("missing_signature", gettext_noop("The body has no hash."))
        if not isinstance(given, str):
            raise InvalidSignature("malformed_signature", gettext_noop("The body's hash is not text."))
        require_hex_digest(given)
        secrets = usable_secrets(secrets)
        if not any(matches_any_hmac(given, form, secrets) for form in signed_forms(request.body, data)):
            raise wrong_signature()

    def dedupe_key(self, request: SignedRequest) -> str | None:
        data = read_object(request.body)
        return (
            dedupe_key_of(data.get(_first_with_value(data, ID_FIELDS)), data.get("status"), data.get("hash"))
            or request.body.decode()
        )

    def read_events(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        stated = _stated_event(payload)
        word = status = payload.text("status", limit=100)
        payload.event_type = stated or word
        if status not in STATUSES and (meaning := payload.mapped(WordKind.STATUS, status)) in MEANINGS:
            status = meaning
        if status not in STATUSES:
            payload.fail("unknown_status", f"The status “{status}” is unknown.", word=status)
        succeeded = STATUSES[status]
        error, code = ("", "") if succeeded else _failure_text_and_code(payload, stated, status)
        result = _clean_result(payload)
        action = EVENTS[stated][0] if stated else _inferred_action(succeeded, code, result)
        if stated and EVENTS[stated][1] is not succeeded:
            payload.fail("bad_field", f"The event {stated} contradicts the status {status}.")
        payload.event_type = stated or ("LOGIN_SUCCESS" if succeeded and action else code or status)
        payload.mark_known("hash", "message")
        outcome = RequestOutcome(
            request_id=payload.identifier(_first_with_value(payload.data, ID_FIELDS)),
            succeeded=succeeded,
            action=action,
            stated=bool(stated),
            code=code,
            error=error or ("" if succeeded or word == status else word),
            reply=stated == "MESSAGE_REPLY",
            text=_reply_text(payload) if stated == "MESSAGE_REPLY" else "",
            result=result,
        )
        return (outcome,)

    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        data = read_object(body)
        data.pop("hash", None)
        message = stringify(data)
        comma = b"," if data else b""
        return message[:-1] + comma + b'"hash":"%b"}' % hmac_hex(secret, message).encode(), {}

    def signature_scheme(self, request: SignedRequest) -> SignatureScheme | None:
        cut = _cut_hash(request.body)
        if not parses_quickly(request.body):
            return SignatureScheme(given=cut[0], body=cut[1]) if cut else None
        try:
            data = read_object(request.body)
        except UnreadablePayload:
            return None
        given = data.pop("hash", None)
        if not isinstance(given, str) or not given:
            return None
        whole = (
            gettext_noop("The sender signs the body with an empty hash in it."),
            lambda _: stringify_plain({**data, "hash": ""}),
        )
        body = cut[1] if cut else stringify_plain(data)
        return SignatureScheme(given=given, body=body, messages=(("", bytes), whole))


def signed_forms(body: bytes, data: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the other forms that the sender may have signed. `data` is the body's object without its hash."""
    if len(body) <= MAX_REWRITTEN_BYTES and _NOT_PLAIN.search(body):
        yield stringify(data)
    else:
        yield stringify_plain(data)
    yield json.dumps(data).encode()


def _cut_hash(body: bytes) -> tuple[str, bytes] | None:
    """Return the hash and the raw text without it, if the hash is the object's last or first member."""
    start = max(body.rfind(b'"hash"'), 0)
    last = _LAST_HASH.match(body, start)
    before = body[:start].rstrip(b" \t\r\n") if last else b""
    if last and before.endswith(b","):
        return last[1].decode("latin-1"), before[:-1] + body[last.end() :]
    first = _FIRST_HASH.match(body)
    return (first[2].decode("latin-1"), first[1] + body[first.end() :]) if first else None


def _stated_event(payload: Payload) -> str:
    """Return the event's name, or an empty string if the body has none."""
    field = _first_with_value(payload.data, EVENT_FIELDS)
    payload.mark_known(*EVENT_FIELDS)
    word = payload.text_or_empty(field, limit=100)
    if not word:
        status = payload.text_or_empty("status", limit=100)
        return status if status in EVENTS else ""
    if payload.understand_event(word, EVENTS) not in EVENTS:
        payload.unknown_event()
    return payload.event_type


def _failure_text_and_code(payload: Payload, stated: str, status: str) -> tuple[str, str]:
    """Return the failure's text and code, whichever fields hold them."""
    error, message = payload.text_or_empty("error"), payload.text_or_empty("message")
    words = ("PIN_REQUIRED" if stated == "LOGIN_PIN_REQUIRED" else "", status, error, message)
    code = next((word for word in words if word in CODES), "")
    return (message or error if status in CODES else error or message), code


def _inferred_action(succeeded: bool, code: str, result: Mapping[str, Any]) -> RequestAction | None:
    """Return the request's action if the result's form makes it certain."""
    if not succeeded:
        return CODES.get(code)
    is_login = LOGIN_RESULT.issubset(result) and "connected" not in result
    return RequestAction.LOGIN if is_login else None


def _clean_result(payload: Payload) -> dict[str, Any]:
    """Return the result with storable values. Fields in use have their type and length, or are left out."""
    result = storable_json(payload.mapping_or_empty("result"), MAX_TEXT_LENGTH)
    profile_id = payload.identifier_or_empty("result.profile_id", limit=MAX_ID_LENGTH)
    texts = {name: payload.text_or_empty(f"result.{name}", limit=limit) for name, limit in RESULT_TEXTS.items()}
    for name, value in {"profile_id": profile_id, **texts}.items():
        result.pop(name, None)
        if value:
            result[name] = value
    if not isinstance(result.get("premium", False), bool):
        del result["premium"]
    return dict(result)


def _reply_text(payload: Payload) -> str:
    """Return what the lead answered, under either name that a text has elsewhere: no page shows a reply."""
    texts = [payload.text_or_empty(f"result.{name}", limit=MAX_MESSAGE_LENGTH) for name in REPLY_TEXTS]
    return next(filter(None, texts), "")


def _first_with_value(data: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of the names that has a value, else the first."""
    return next((name for name in names if data.get(name) not in (None, "")), names[0])
