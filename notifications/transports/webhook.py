"""Post events as webhooks: flat JSON, signed by Standard Webhooks v1 with every valid secret."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from notifications.content.payload_schemas import in_documented_order
from notifications.egress.session import GuardedSession, Response
from notifications.egress.signing import sign_message
from notifications.message import PreparedDelivery
from notifications.models import ChannelKind
from notifications.sentences import ANSWERED
from notifications.transports.base import Outcome, Transport, TransportError

MAX_HEADERS = 20
MAX_HEADER_LENGTH = 1000
GONE = gettext_noop("The receiver answered 410: it wants nothing any more.")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # a token of RFC 9110
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_RESERVED = re.compile(
    r"webhook-.*|proxy-.*|sec-.*|host|content-.*|user-agent|accept-encoding|connection|keep-alive|transfer-encoding"
    r"|te|trailer|upgrade|expect|cookie2?|date",
    re.IGNORECASE,
)


class WebhookTransport(Transport):
    kind = ChannelKind.WEBHOOK

    async def send(self, prepared: PreparedDelivery, session: GuardedSession) -> Outcome:
        assert prepared.channel is not None  # noqa: S101 (only e-mail goes to bare addresses)
        body = encode_body(in_documented_order(prepared.event.payload))
        headers = {
            **{name: value for name, value in (prepared.channel.headers or {}).items() if is_header(name, value)},
            **signed_headers(prepared.event.id, body, prepared.secrets, timestamp=int(timezone.now().timestamp())),
        }
        return outcome_of(await session.post(prepared.channel.url, body=body, headers=headers))


def encode_body(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signed_headers(message_id: str, body: bytes, secrets: Sequence[str], *, timestamp: int) -> dict[str, str]:
    """Return the headers of the contract, with one signature for each secret (https://www.standardwebhooks.com)."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign_message(message_id, timestamp, body, secrets),
        "User-Agent": f"Leadline/{settings.VERSION}",
        "Content-Type": "application/json",
    }


def outcome_of(answer: Response) -> Outcome:
    """Return the outcome of a response. Raises TransportError: 410 disables the channel, other statuses are retried."""
    if 200 <= answer.status < 300:
        return Outcome(answer.status, answer.excerpt, answer.exchange)
    raise TransportError(
        ANSWERED(status=answer.status),
        gone=GONE if answer.status == 410 else "",
        retry_after=answer.retry_after if answer.status in {429, 503} else None,
        status_code=answer.status,
        excerpt=answer.excerpt,
        exchange=answer.exchange,
    )


def is_header(name: str, value: str) -> bool:
    """Return whether a customer may set this header: well-formed, no control characters, not one of ours."""
    return bool(
        _NAME.fullmatch(name)
        and not _RESERVED.fullmatch(name)
        and len(value) <= MAX_HEADER_LENGTH
        and (not value or _VALUE.fullmatch(value))
    )
