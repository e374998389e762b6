"""Read SendPilot's webhooks about leads and campaigns.

https://docs.sendpilot.ai (webhooks/overview, webhooks/setup); older pages at https://sendpilotai.mintlify.app

Events were renamed, and both names occur. So do two signature schemes: the documented header `Webhook-Signature:
t=<unix>,s=<hex>`, whose HMAC-SHA256 covers `t.body` under the secret as text, and, on live deliveries, Svix (`svix-id`,
`svix-timestamp`, `svix-signature: v1,<base64>`, or the same as `webhook-…`) under a `whsec_` secret. The form of the
value tells them apart, not the header's name. `eventId` stays the same over retries.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

from accounts.core.enums import CampaignStatus, WordKind
from accounts.core.text import storable
from accounts.core.wording import gettext_noop
from leads.enums import ChangedBy, LeadStatus
from leads.pipeline.dto import MAX_MESSAGE_LENGTH, Identity
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest
from webhooks.providers.events import CampaignReported, LeadStatusReported, LeadTagged, NothingToDo, ProviderEvent
from webhooks.providers.payload import Payload
from webhooks.providers.signature_scheme import STANDARD_KEYS, SignatureScheme
from webhooks.providers.signatures import (
    STANDARD_PREFIX,
    hmac_hex,
    require_fresh,
    require_hmac,
    required_header,
    sign_standard,
    verify_standard,
)

MAX_TAGS = 50

STATUSES = {  # provider's status --> lead status
    "PENDING": LeadStatus.PENDING,
    "CONNECTION_SENT": LeadStatus.CONNECTION_SENT,
    "CONNECTION_ACCEPTED": LeadStatus.CONNECTION_ACCEPTED,
    "MESSAGE_SENT": LeadStatus.MESSAGE_SENT,
    "REPLY_RECEIVED": LeadStatus.REPLY_RECEIVED,
    "OPPORTUNITY": LeadStatus.OPPORTUNITY,
    "MEETING_BOOKED": LeadStatus.MEETING_BOOKED,
    "NOT_INTERESTED": LeadStatus.NOT_INTERESTED,
    "DONE": LeadStatus.DONE,
}
MEANINGS = {status.value: status for status in LeadStatus}
DERIVED = {  # event --> the lead status that follows from it
    "connection.sent": LeadStatus.CONNECTION_SENT,
    "connection_request.sent": LeadStatus.CONNECTION_SENT,
    "connection.accepted": LeadStatus.CONNECTION_ACCEPTED,
    "connection_request.accepted": LeadStatus.CONNECTION_ACCEPTED,
    "message.sent": LeadStatus.MESSAGE_SENT,
    "message.received": LeadStatus.REPLY_RECEIVED,
    "reply.received": LeadStatus.REPLY_RECEIVED,
}
CAMPAIGNS = {  # event --> the campaign's status
    "campaign.started": CampaignStatus.ACTIVE,
    "campaign.resumed": CampaignStatus.ACTIVE,
    "campaign.paused": CampaignStatus.PAUSED,
    "campaign.finished": CampaignStatus.FINISHED,
}
#: Events with a message, received or sent.
MESSAGES = ("message.received", "reply.received", "message.sent")
MESSAGE_TEXTS = ("data.reply", "data.message")
MESSAGE_PREVIEWS = ("data.replyPreview", "data.messagePreview")
PREVIEW_LENGTH = 100  # a shorter preview without dots at its end is the whole message
CHANGED_BY = {  # changedBy --> ChangedBy
    "api": ChangedBy.API,
    "automation": ChangedBy.AUTOMATION,
    "user": ChangedBy.USER,
}
PAUSED_BY = {word: word for word in ("api", "user", "system")}
WITHOUT_EFFECT = ("lead_database.search.completed", "lead_extractor.job.completed")
STATED = ("lead.updated", "lead.status.changed")
TAGS = "lead.tag.updated"

_OWN_SIGNATURE = re.compile(r"t=([^,=\s]*),\s*s=([^,=\s]*)")


class SendPilot(Provider):
    slug: ClassVar[str] = "sendpilot"
    meanings: ClassVar[Mapping[WordKind, tuple[str, ...]]] = {
        WordKind.EVENT: (
            *("lead.updated", "connection_request.sent", "connection_request.accepted", "message.sent"),
            *("reply.received", *CAMPAIGNS, TAGS),
        ),
        WordKind.STATUS: tuple(MEANINGS),
    }
    kept_headers: ClassVar[tuple[str, ...]] = (
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
        *("svix-id", "svix-timestamp", "svix-signature"),
    )
    dedupe_fields: ClassVar[tuple[str, ...]] = ("eventId",)

    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        family = "svix" if "svix-signature" in request.headers else "webhook"
        signature = required_header(request.headers, f"{family}-signature")
        if family == "webhook" and not signature.startswith("v1"):
            sent_at, given = _own_signature(signature)
            require_hmac(given, b"%b.%b" % (sent_at.encode("latin-1", "replace"), request.body), secrets)
            require_fresh(sent_at, request.received_at, tolerance)
            return
        verify_standard(
            request.body,
            message_id=required_header(request.headers, f"{family}-id"),
            sent_at=required_header(request.headers, f"{family}-timestamp"),
            signatures=signature,
            secrets=secrets,
            received_at=request.received_at,
            tolerance=tolerance,
        )

    def read_events(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        event = payload.event_type_of("eventType", READERS)
        reader = READERS.get(event)
        if reader is None:
            payload.unknown_event()
        payload.mark_known("eventId", "workspaceId")
        return (reader(payload, payload.timestamp_or_none("timestamp")),)

    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        if secret.startswith(STANDARD_PREFIX):
            message_id = f"msg_{sha256(body).hexdigest()[:27]}"
            sent_at, signature = sign_standard(body, secret, message_id=message_id, at=at)
            return body, {"svix-id": message_id, "svix-timestamp": sent_at, "svix-signature": signature}
        sent_at = str(int(at.timestamp()))
        return body, {"webhook-signature": f"t={sent_at},s={hmac_hex(secret, b'%b.%b' % (sent_at.encode(), body))}"}

    def signature_scheme(self, request: SignedRequest) -> SignatureScheme | None:
        family = "svix" if "svix-signature" in request.headers else "webhook"
        signature = request.headers.get(f"{family}-signature", "").strip()
        if not signature:
            return None
        own = _OWN_SIGNATURE.fullmatch(signature)
        sent_at = (own[1] if own else request.headers.get(f"{family}-timestamp", "")).encode("latin-1", "replace")
        stamped = (
            gettext_noop("The sender signs the timestamp and the body alone."),
            lambda body: b"%b.%b" % (sent_at, body),
        )
        alone = (gettext_noop("The sender signs the body alone; what belongs before it is left out."), bytes)
        if own:
            return SignatureScheme(given=own[2], body=request.body, messages=(("", stamped[1]), alone))
        message_id = request.headers.get(f"{family}-id", "").encode("latin-1", "replace")
        right = ("", lambda body: b"%b.%b.%b" % (message_id, sent_at, body))
        given = next((part for part in signature.split(" ") if part.startswith("v1,")), signature)
        return SignatureScheme(
            given=given,
            body=request.body,
            messages=(right, stamped, alone),
            keys=STANDARD_KEYS,
            encoding="base64",
        )


def _own_signature(header: str) -> tuple[str, str]:
    """Return the `t` and the `s` of `t=…,s=…`."""
    found = _OWN_SIGNATURE.fullmatch(header)
    if found is None:
        raise InvalidSignature(
            "malformed_signature", gettext_noop("The Webhook-Signature header is not of the form t=…,s=….")
        )
    return found[1], found[2]


def _read_stated_status(payload: Payload, occurred_at: datetime | None) -> ProviderEvent:
    status = payload.one_of("data.newStatus", STATUSES, MEANINGS)
    payload.mark_known("data.customLeadStatus", "data.note")
    return LeadStatusReported(
        lead=_lead_identity(payload),
        status=status,
        stated=True,
        occurred_at=occurred_at,
        previous_status=payload.one_of_or("data.previousStatus", {**STATUSES, "": None}, None, MEANINGS),
        changed_by=payload.one_of_or("data.changedBy", CHANGED_BY, ChangedBy.PROVIDER),
    )


def _read_derived_status(payload: Payload, occurred_at: datetime | None) -> ProviderEvent:
    payload.mark_known("data.note", "data.sequenceStep", *MESSAGE_TEXTS, *MESSAGE_PREVIEWS)
    accepted_at = payload.timestamp_or_none("data.acceptedAt")
    text, is_preview = _message(payload) if payload.event_type in MESSAGES else ("", False)
    return LeadStatusReported(
        lead=_lead_identity(payload),
        status=DERIVED[payload.event_type],
        stated=False,
        occurred_at=occurred_at or accepted_at,
        text=text,
        is_preview=is_preview,
        by_person=payload.event_type == "message.sent" and not payload.has("data.sequenceStep"),
    )


def _message(payload: Payload) -> tuple[str, bool]:
    """Return the message that was sent or received, and whether the body has only its beginning."""
    for path in (*MESSAGE_TEXTS, *MESSAGE_PREVIEWS):
        if text := payload.text_or_empty(path, limit=MAX_MESSAGE_LENGTH):
            is_cut = len(text) >= PREVIEW_LENGTH or text.endswith(("…", "..."))
            return text, path in MESSAGE_PREVIEWS and is_cut
    return "", False


def _read_tags(payload: Payload, occurred_at: datetime | None) -> ProviderEvent:
    payload.mark_known("data.customLeadStatus")
    names = payload.list_of("data.tags")
    tags = [name for tag in names if (name := _tag_name(tag))]
    return LeadTagged(lead=_lead_identity(payload), tags=tuple(dict.fromkeys(tags))[:MAX_TAGS], occurred_at=occurred_at)


def _tag_name(tag: object) -> str:
    name = tag.get("name") if isinstance(tag, dict) else tag
    return storable(name.strip()[:100]) if isinstance(name, str) else ""


def _read_campaign(payload: Payload, occurred_at: datetime | None) -> ProviderEvent:
    changed_at = payload.timestamp_or_none("data.pausedAt") or payload.timestamp_or_none("data.resumedAt")
    payload.mark_known("data.resumedBy", "data.pausedBy", "data.resumedAt", "data.startedAt", "data.finishedAt")
    changed_by_field = "data.resumedBy" if payload.event_type == "campaign.resumed" else "data.pausedBy"
    return CampaignReported(
        external_id=payload.identifier("data.campaignId"),
        status=CAMPAIGNS[payload.event_type],
        occurred_at=occurred_at or changed_at,
        name=payload.text_or_empty("data.campaignName", limit=300),
        changed_by=payload.one_of_or(changed_by_field, PAUSED_BY, ""),
    )


def _read_nothing(payload: Payload, occurred_at: datetime | None) -> ProviderEvent:
    payload.mark_known("data")
    return NothingToDo(about=payload.event_type)


def _lead_identity(payload: Payload) -> Identity:
    return Identity(
        external_id=payload.identifier("data.leadId"),
        campaign_id=payload.identifier_or_empty("data.campaignId"),
        campaign_name=payload.text_or_empty("data.campaignName", limit=300),
        linkedin_url=payload.text_or_empty("data.linkedinUrl"),
        sender_id=payload.identifier_or_empty("data.senderId"),
    )


READERS: dict[str, Callable[[Payload, datetime | None], ProviderEvent]] = {
    **dict.fromkeys(STATED, _read_stated_status),
    **dict.fromkeys(DERIVED, _read_derived_status),
    **dict.fromkeys(CAMPAIGNS, _read_campaign),
    **dict.fromkeys(WITHOUT_EFFECT, _read_nothing),
    TAGS: _read_tags,
}
