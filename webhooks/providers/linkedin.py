"""Read webhooks of LinkedIn Lead Sync: a lead form was sent, or withdrawn.

https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation,
https://learn.microsoft.com/en-us/linkedin/marketing/lead-sync/leadsync

`X-LI-Signature` is the hex HMAC-SHA256, under the app's client secret, of `hmacsha256=` followed by the raw body: the
prefix is part of what is signed. Every two hours LinkedIn sends a GET with a `challengeCode` and expects the HMAC of
that code under the same key. Only UUIDs are signed: signing any other code would let anybody forge notifications. A
notification has no id, and a lead that is deleted and made anew keeps its URN: the time distinguishes them.
`occurredAt` is documented in milliseconds; values in seconds occur too.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from accounts.core.enums import WordKind
from accounts.core.text import storable
from accounts.core.wording import Wording, gettext_noop
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest, UnreadablePayload
from webhooks.providers.events import LeadSubmitted, LeadWithdrawn, ProviderEvent
from webhooks.providers.payload import Payload
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import constant_time_equal, hmac_hex, require_hmac, required_header, usable_secrets

HEADER = "x-li-signature"
PREFIX = "hmacsha256="
BODY_ALONE = Wording(
    "signed_without_prefix",
    gettext_noop("The sender signs the body alone; %(prefix)s belongs before it in what is signed."),
)(prefix=PREFIX)
LEAD_URN = "urn:li:leadGenFormResponse:"
UUID_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

EVENTS = ("LEAD_ACTION",)
ACTIONS: dict[str, type[LeadSubmitted | LeadWithdrawn]] = {  # leadAction --> provider event
    "CREATED": LeadSubmitted,
    "DELETED": LeadWithdrawn,
}


class LinkedIn(Provider):
    slug: ClassVar[str] = "linkedin"
    meanings: ClassVar[Mapping[WordKind, tuple[str, ...]]] = {WordKind.EVENT: EVENTS, WordKind.STATUS: tuple(ACTIONS)}
    kept_headers: ClassVar[tuple[str, ...]] = (HEADER,)
    dedupe_fields: ClassVar[tuple[str, ...]] = ("leadGenFormResponse", "leadAction", "occurredAt")

    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        given = required_header(request.headers, HEADER).lower().removeprefix(PREFIX)
        try:
            require_hmac(given, PREFIX.encode() + request.body, secrets)
        except InvalidSignature:
            if any(constant_time_equal(given, hmac_hex(secret, request.body)) for secret in secrets if secret):
                raise InvalidSignature("wrong_signature", BODY_ALONE) from None
            raise

    def challenge(self, query: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str] | None:
        code = query.get("challengeCode", "")
        if not UUID_4.fullmatch(code):
            raise UnreadablePayload("challengeCode is not a version-4 UUID.")
        try:
            secret = usable_secrets(secrets)[0]
        except InvalidSignature:
            raise UnreadablePayload("This source has no secret to answer with.") from None
        return {"challengeCode": code, "challengeResponse": hmac_hex(secret, code.encode())}

    def read_events(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        if payload.event_type_of("type", EVENTS) not in EVENTS:
            payload.unknown_event()
        action = payload.one_of("leadAction", ACTIONS)
        external_id = _lead_id(payload)
        occurred_at = payload.timestamp("occurredAt")
        lead_type = payload.text_or_empty("leadType", limit=32)
        form = _urn(payload.text_or_empty("leadGenForm", limit=200))
        owner, entity = _only_urn(payload, "owner"), _only_urn(payload, "associatedEntity")
        if action is LeadWithdrawn:
            return (LeadWithdrawn(external_id=external_id, occurred_at=occurred_at),)
        return (
            LeadSubmitted(
                external_id=external_id,
                occurred_at=occurred_at,
                lead_type=lead_type,
                form=form,
                owner=owner,
                associated_entity=entity,
            ),
        )

    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        return body, {HEADER: hmac_hex(secret, PREFIX.encode() + body)}

    def signature_scheme(self, request: SignedRequest) -> SignatureScheme | None:
        given = request.headers.get(HEADER, "").strip()
        given = given[len(PREFIX) :] if given.lower().startswith(PREFIX) else given
        given = given.lower() if re.fullmatch(r"[0-9A-Fa-f]{64}", given) else given
        messages = (("", lambda body: PREFIX.encode() + body), (BODY_ALONE, bytes))
        return SignatureScheme(given=given, body=request.body, messages=messages) if given else None


def _lead_id(payload: Payload) -> str:
    """Return the last part of the lead's URN, which becomes a part of the path that fetches the answers."""
    urn = _urn(payload.identifier("leadGenFormResponse", limit=400))
    found = urn.removeprefix(LEAD_URN)
    if not re.fullmatch(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,199}", found):
        payload.fail("bad_field", f"The field leadGenFormResponse is not {LEAD_URN} and an id.")
    return found


def _only_urn(payload: Payload, path: str) -> str:
    """Return the one value of an object such as `{"sponsoredAccount": "urn:…"}`, whatever its key."""
    for value in payload.mapping_or_empty(path).values():
        if isinstance(value, str):
            return storable(_urn(value[:400])[:200])
    return ""


def _urn(text: str) -> str:
    """Return the URN without white space: the documentation's sample has some inside `(urn:li:leadGenForm:1, 1)`."""
    return "".join(text.split())
