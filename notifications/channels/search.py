"""Finding deliveries by what people know of them: an id, what it was about, whom it went to, when. Each by an index.

Newest first is by id, whose beginning is the time it was made, so that a stretch of time is a stretch of ids.
"""

from datetime import datetime

from django.db.models import Q

from accounts.core.email_addresses import email_key
from accounts.core.ids import first_id
from accounts.models import Agency, Event
from notifications.models import Channel, ChannelKind

MAX_CHANNELS = 200


def by_word(word: str, agency: Agency | None = None) -> Q:
    """The id of a delivery, of its event (the `webhook-id`), or of what it is about; or an e-mail address."""
    word = word.strip().replace("\x00", "")
    if "@" in word:
        return to_address(word, agency)
    match word.partition("_")[0]:
        case "dlv":
            return Q(pk=word)
        case "evt":
            return Q(event_id=word)
        case "chn":
            return Q(channel_id=word) | about(word, agency)
        case _:
            return about(word, agency)


def about(subject: str, agency: Agency | None = None) -> Q:
    """What it tells of: the id of an account, lead, campaign, …"""
    return Q(event__in=Event.objects.filter(subject=subject, **_within(agency)).values("pk"))


def to_address(address: str, agency: Agency | None = None) -> Q:
    """Whom it went to: through an e-mail channel, or as a mail to this person alone."""
    address = email_key(address)
    channels = Channel.objects.filter(kind=ChannelKind.EMAIL, email__iexact=address, **_within(agency))
    ids = list(channels.values_list("pk", flat=True)[:MAX_CHANNELS])
    alone = Q(channel=None, recipient__iexact=address)
    return Q(channel__in=ids) | alone if ids else alone


def since(moment: datetime) -> Q:
    return Q(pk__gte=first_id("dlv", moment))


def until(moment: datetime) -> Q:
    """Before that moment."""
    return Q(pk__lt=first_id("dlv", moment))


def _within(agency: Agency | None) -> dict[str, Agency]:
    return {"agency": agency} if agency else {}
