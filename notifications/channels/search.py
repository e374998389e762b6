"""Search deliveries by id, subject, recipient or time, each by an index.

Ids begin with the time of creation, so a range of time is a range of ids, and newest first is the order of ids.
"""

from datetime import datetime

from django.db.models import Q

from accounts.core.email_addresses import email_key
from accounts.core.ids import first_id
from accounts.models import Agency, Event
from notifications.models import Channel, ChannelKind

MAX_CHANNELS = 200


def matching_word(word: str, agency: Agency | None = None) -> Q:
    """Return the condition for an id (of a delivery, its event, channel or subject) or an e-mail address."""
    word = word.strip().replace("\x00", "")
    if "@" in word:
        return sent_to(word, agency)
    match word.partition("_")[0]:
        case "dlv":
            return Q(pk=word)
        case "evt":
            return Q(event_id=word)
        case "chn":
            return Q(channel_id=word) | about_subject(word, agency)
        case _:
            return about_subject(word, agency)


def about_subject(subject: str, agency: Agency | None = None) -> Q:
    """Return the condition for events about a subject: the id of an account, lead, campaign, …"""
    return Q(event__in=Event.objects.filter(subject=subject, **_agency_filter(agency)).values("pk"))


def sent_to(address: str, agency: Agency | None = None) -> Q:
    """Return the condition for an e-mail address, through a channel or as a mail to the address alone."""
    address = email_key(address)
    channels = Channel.objects.filter(kind=ChannelKind.EMAIL, email__iexact=address, **_agency_filter(agency))
    ids = list(channels.values_list("pk", flat=True)[:MAX_CHANNELS])
    alone = Q(channel=None, recipient__iexact=address)
    return Q(channel__in=ids) | alone if ids else alone


def created_since(at: datetime) -> Q:
    return Q(pk__gte=first_id("dlv", at))


def created_before(at: datetime) -> Q:
    """Return the condition for deliveries created before this time."""
    return Q(pk__lt=first_id("dlv", at))


def _agency_filter(agency: Agency | None) -> dict[str, Agency]:
    return {"agency": agency} if agency else {}
