"""What the operator's mail server learns after it took a mail: it came back, or its reader calls it spam.

`POST /bounces` takes one notice as a JSON object: `type` (`hard`: the address does not work; `soft`: it did not arrive
this time; `complaint`: reported as unwanted), `email`, and where known `message_id` (our mail's Message-ID) and
`reason` (the server's words). docs/operations.md says how mail servers are made to send it.
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
from accounts.reauth.prompts import note_bounce
from notifications.delivery import channel_health
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus

HARD, SOFT, COMPLAINT = "hard", "soft", "complaint"
MAX_REASON_LENGTH = 200
MAX_CHANNELS = 1000
_OUR_MAIL = re.compile(r"<?(dlv_[0-9a-z]{26})@[^<>@\s]{1,255}>?")


@dataclass(frozen=True, slots=True)
class Notice:
    type: str
    email: str
    delivery_id: str = ""
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What people read beside the channel and the delivery."""
        if self.type == COMPLAINT:
            return channel_health.COMPLAINED
        return f"{channel_health.CAME_BACK}: {self.reason}" if self.reason else f"{channel_health.CAME_BACK}."


def read(body: Any) -> Notice:
    """The notice in a JSON body. Raises FieldError for what is missing, unknown or not possible."""
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
    ours = _OUR_MAIL.fullmatch(body.get("message_id", "").strip())
    return Notice(body["type"], email, ours[1] if ours else "", safe_line(body.get("reason", ""), MAX_REASON_LENGTH))


@transaction.atomic
def take(notice: Notice) -> int:
    """Switch off the e-mail channels of an address that does not work or wants no mail; how many. Owners of accounts
    are not asked there any more.

    The mail itself, where the notice names it, is shown as failed. The same notice again changes nothing.
    """
    _mark(notice)
    if notice.type == SOFT:
        return 0
    note_bounce(notice.email, reason=notice.sentence, complaint=notice.type == COMPLAINT)
    channels = list(
        Channel.objects.filter(kind=ChannelKind.EMAIL, email__iexact=notice.email)
        .exclude(status=ChannelStatus.DISABLED)
        .select_related("agency")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)[:MAX_CHANNELS]
    )
    for channel in channels:
        channel_health.lose(channel, notice.sentence)
    return len(channels)


def _mark(notice: Notice) -> None:
    """Only a mail that went to this address: a notice cannot fail others'."""
    went_there = Q(recipient__iexact=notice.email, channel=None) | Q(channel__email__iexact=notice.email)
    delivery = Delivery.objects.filter(went_there, pk=notice.delivery_id, status=DeliveryStatus.DELIVERED)
    if notice.delivery_id and delivery.exists():
        Delivery.objects.filter(Q(pk=notice.delivery_id) | Q(carrier_id=notice.delivery_id)).update(
            status=DeliveryStatus.FAILED, delivered_at=None, error=notice.sentence
        )
