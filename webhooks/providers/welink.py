"""We-Link (by WeConnect): the answers to what an agency asked its API to do.

https://apidocs.we-link.ai/docs/webhooks/webhook-authentication, https://apidocs.we-link.ai/docs/webhooks/overview,
https://apidocs.we-link.ai/docs/errors-and-limits/error-model

The signature is the body's own field `hash`: the hex HMAC-SHA256 of the message without it. The documentation's two
samples disagree on what that message is (`JSON.stringify` in Node, `json.dumps` with its blanks and escapes in Python),
so that three forms are tried: the raw text with the hash cut out, JavaScript's and Python's.

A body names neither its event nor the account. The documentation calls the id `request_id`, `requestId` and
`requestID`, and tells a failure as `status: FAILED` with the code or a text in `error`, or with the code itself as
`status`. No page shows a MESSAGE_REPLY or says how a search or a profile looks.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from accounts.core.enums import RequestAction
from accounts.core.text import storable_json
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest
from webhooks.providers.events import ProviderEvent, RequestOutcome
from webhooks.providers.js_json import stringify, stringify_plain
from webhooks.providers.payload import MAX_ID_LENGTH, MAX_TEXT_LENGTH, Payload, key_of
from webhooks.providers.signature_scheme import Claim
from webhooks.providers.signatures import hmac_hex, is_any_hex, require_hex, usable, wrong_signature
from webhooks.providers.strict_json import UnreadablePayload, parses_quickly, read_object

ID_FIELDS = ("request_id", "requestId", "requestID")
EVENT_FIELDS = ("event_type", "eventType", "event")
#: Beyond this size numbers are not rewritten as JavaScript writes them: anybody can send a body that is not signed.
LARGEST_REWRITTEN = 64 * 1024

EVENTS = {  # their event --> what the request was for, and whether it worked
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
CODES: dict[str, RequestAction | None] = {  # their error code --> what only such a request can be told
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
STATUSES = {  # their status --> whether it worked
    "SUCCESS": True,
    "FAILED": False,
    **dict.fromkeys(CODES, False),
    **{event: worked for event, (_, worked) in EVENTS.items()},
}
LOGIN_RESULT = {"profile_id", "public_identifier", "email"}
RESULT_TEXTS = {  # texts of a result --> how long they may be
    **dict.fromkeys(("public_identifier", "first_name", "last_name"), 200),
    "email": 254,
    "occupation": 500,
}

_LAST_HASH = re.compile(rb'"hash"\s*:\s*"([^"\\]+)"(?=\s*\}\s*\Z)')
_FIRST_HASH = re.compile(rb'(\s*\{\s*)"hash"\s*:\s*"([^"\\]+)"\s*,\s*')
_NOT_PLAIN = re.compile(rb'[0-9][.eE]|[0-9]{16}|-0|\\u[dD][89a-fA-F]|"[0-9]+"\s*:')


class WeLink(Provider):
    slug: ClassVar[str] = "welink"

    def verify_as_sent(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> bool:
        """Verify the raw text without its hash, where the hash is the body's first or last member."""
        cut = _cut_hash(request.body)
        if cut is None:
            return False
        given, message = cut
        return is_any_hex(given, message, [secret for secret in secrets if secret.strip()])

    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        if self.verify_as_sent(request, secrets):
            return
        data = read_object(request.body)
        given = data.pop("hash", None)
        if given is None or given == "":
            raise InvalidSignature("missing_signature", "The body has no hash.")
        if not isinstance(given, str):
            raise InvalidSignature("malformed_signature", "The body's hash is not text.")
        require_hex(given)
        secrets = usable(secrets)
        if not any(is_any_hex(given, form, secrets) for form in signed_forms(request.body, data)):
            raise wrong_signature()

    def receipt_key(self, request: SignedRequest) -> str | None:
        data = read_object(request.body)
        return key_of(data.get(_first(data, ID_FIELDS)), data.get("status"), data.get("hash")) or request.body.decode()

    def read(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        stated = _stated_event(payload)
        status = payload.text("status", limit=100)
        payload.event_type = stated or status
        if status not in STATUSES:
            payload.fail("unknown_status", f"We do not know the status “{status}”.")
        succeeded = STATUSES[status]
        error, code = ("", "") if succeeded else _failure(payload, stated, status)
        result = _result(payload)
        action = EVENTS[stated][0] if stated else _inferred(succeeded, code, result)
        if stated and EVENTS[stated][1] is not succeeded:
            payload.fail("bad_field", f"The event {stated} contradicts the status {status}.")
        payload.event_type = stated or ("LOGIN_SUCCESS" if succeeded and action else code or status)
        payload.known("hash", "message")
        outcome = RequestOutcome(
            request_id=payload.identifier(_first(payload.data, ID_FIELDS)),
            succeeded=succeeded,
            action=action,
            stated=bool(stated),
            code=code,
            error=error,
            reply=stated == "MESSAGE_REPLY",
            result=result,
        )
        return (outcome,)

    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        data = read_object(body)
        data.pop("hash", None)
        message = stringify(data)
        comma = b"," if data else b""
        return message[:-1] + comma + b'"hash":"%b"}' % hmac_hex(secret, message).encode(), {}

    def claim(self, request: SignedRequest) -> Claim | None:
        cut = _cut_hash(request.body)
        if not parses_quickly(request.body):
            return Claim(given=cut[0], body=cut[1]) if cut else None
        try:
            data = read_object(request.body)
        except UnreadablePayload:
            return None
        given = data.pop("hash", None)
        if not isinstance(given, str) or not given:
            return None
        whole = ("The sender signs the body with an empty hash in it.", lambda _: stringify_plain({**data, "hash": ""}))
        body = cut[1] if cut else stringify_plain(data)
        return Claim(given=given, body=body, messages=(("", bytes), whole))


def signed_forms(body: bytes, data: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield what the sender may have signed besides the raw text. `data` is the body's object without its hash."""
    if len(body) <= LARGEST_REWRITTEN and _NOT_PLAIN.search(body):
        yield stringify(data)
    else:
        yield stringify_plain(data)
    yield json.dumps(data).encode()


def _cut_hash(body: bytes) -> tuple[str, bytes] | None:
    """Return the hash and the raw text without it, if it is the object's last or first of several members."""
    start = max(body.rfind(b'"hash"'), 0)
    last = _LAST_HASH.match(body, start)
    before = body[:start].rstrip(b" \t\r\n") if last else b""
    if last and before.endswith(b","):
        return last[1].decode("latin-1"), before[:-1] + body[last.end() :]
    first = _FIRST_HASH.match(body)
    return (first[2].decode("latin-1"), first[1] + body[first.end() :]) if first else None


def _stated_event(payload: Payload) -> str:
    """The event's name, if the body has one."""
    field = _first(payload.data, EVENT_FIELDS)
    payload.known(*EVENT_FIELDS)
    word = payload.text_or_empty(field, limit=100) or payload.text_or_empty("status", limit=100)
    if word in EVENTS:
        return word
    if payload.text_or_empty(field):
        payload.event_type = word
        payload.unknown_event()
    return ""


def _failure(payload: Payload, stated: str, status: str) -> tuple[str, str]:
    """The failure's text and its code, wherever they stand."""
    error, message = payload.text_or_empty("error"), payload.text_or_empty("message")
    words = ("PIN_REQUIRED" if stated == "LOGIN_PIN_REQUIRED" else "", status, error, message)
    code = next((word for word in words if word in CODES), "")
    return (message or error if status in CODES else error or message), code


def _inferred(succeeded: bool, code: str, result: Mapping[str, Any]) -> RequestAction | None:
    """What the request was for, where the answer's shape leaves no doubt."""
    if not succeeded:
        return CODES.get(code)
    is_login = LOGIN_RESULT.issubset(result) and "connected" not in result
    return RequestAction.LOGIN if is_login else None


def _result(payload: Payload) -> dict[str, Any]:
    """The result, cleaned; the fields we use have their type and length, or are left out."""
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


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of the names that has a value."""
    return next((name for name in names if data.get(name) not in (None, "")), names[0])
