"""Apply what the operator's mail server reports about a sent mail: it bounced, or its reader reported it as spam.

`POST /bounces` takes one notice as a JSON object: `type` (`hard`: the address does not work; `soft`: the mail did not
arrive this time; `complaint`: reported as unwanted), `email`, and optionally `message_id` (the mail's Message-ID) and
`reason` (the server's text). docs/operations.md says how mail servers are made to send it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.core.email_addresses import normalize_email
from accounts.core.errors import FieldError
from accounts.core.text import safe_line
from accounts.reauth.prompts import record_bounce
from leads.sequences.bounces import apply_bounce
from notifications.delivery import channel_health
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus, error_fields
from notifications.sentences import MAIL_CAME_BACK

HARD, SOFT, COMPLAINT = "hard", "soft", "complaint"
MAX_REASON_LENGTH = 200
MAX_CHANNELS = 1000
_OUR_MAIL = re.compile(r"<?((?:dlv|eml)_[0-9a-z]{26})@[^<>@\s]{1,255}>?")


@dataclass(frozen=True, slots=True)
class BounceNotice:
    type: str
    email: str
    delivery_id: str = ""
    reason: str = ""

    @property
    def sentence(self) -> str:
        """Return the sentence that is shown beside the channel and the delivery."""
        if self.type == COMPLAINT:
            return channel_health.COMPLAINED
        return MAIL_CAME_BACK(reason=self.reason) if self.reason else channel_health.BOUNCED


def parse_notice(body: Any) -> BounceNotice:
    """Return the notice in a JSON body. Raises FieldError for a field that is missing, unknown or invalid."""
    if not isinstance(body, Mapping):
        raise FieldError("", "Send one JSON object.")
    if unknown := sorted(set(body) - {"type", "email", "message_id", "reason"}):
        raise FieldError(str(unknown[0])[:100], "There is no such field.")
    if not all(isinstance(value, str) for value in body.values()):
        raise FieldError(next(name for name in body if not isinstance(body[name], str)), "Give a text.")
    if body.get("type") not in (HARD, SOFT, COMPLAINT):
        raise FieldError("type", f"Use one of {HARD}, {SOFT}, {COMPLAINT}.")
    try:
        email = normalize_email(body.get("email", ""))
    except ValidationError:
        raise FieldError("email", "Give the address that the mail went to.") from None
    own_mail = _OUR_MAIL.fullmatch(body.get("message_id", "").strip())
    return BounceNotice(
        body["type"], email, own_mail[1] if own_mail else "", safe_line(body.get("reason", ""), MAX_REASON_LENGTH)
    )


@transaction.atomic
def apply_notice(notice: BounceNotice) -> int:
    """Disable the e-mail channels of an address that does not work or wants no mail. Return how many.

    Owners of accounts get no more mail there. The mail itself, if the notice names it, is marked as failed. The same
    notice again changes nothing.
    """
    _mark_failed(notice)
    if notice.type == SOFT:
        return 0
    apply_bounce(notice.email, email_id=notice.delivery_id, complaint=notice.type == COMPLAINT)
    record_bounce(notice.email, reason=notice.sentence, complaint=notice.type == COMPLAINT)
    channels = list(
        Channel.objects.filter(kind=ChannelKind.EMAIL, email__iexact=notice.email)
        .exclude(status=ChannelStatus.DISABLED)
        .select_related("agency")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)[:MAX_CHANNELS]
    )
    for channel in channels:
        channel_health.disable_address(channel, notice.sentence)
    return len(channels)


def _mark_failed(notice: BounceNotice) -> None:
    """Mark the mail that the notice names as failed, if it went to the notice's address."""
    went_there = Q(recipient__iexact=notice.email, channel=None) | Q(channel__email__iexact=notice.email)
    delivery = Delivery.objects.filter(went_there, pk=notice.delivery_id, status=DeliveryStatus.DELIVERED)
    if notice.delivery_id and delivery.exists():
        Delivery.objects.filter(Q(pk=notice.delivery_id) | Q(carrier_id=notice.delivery_id)).update(
            status=DeliveryStatus.FAILED, delivered_at=None, **error_fields(notice.sentence)
        )
