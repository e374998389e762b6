"""Which channels of an agency do not deliver."""

from django.db.models import Q, QuerySet

from accounts.models import Agency
from notifications.channels.service import DISABLED_BY_HAND
from notifications.models import Channel, ChannelStatus


def failing(agency: Agency) -> "QuerySet[Channel]":
    """Return the channels that do not deliver, though nobody disabled them by hand."""
    off = Q(status=ChannelStatus.DISABLED) & ~Q(disabled_reason=DISABLED_BY_HAND)
    wrong = off | Q(status=ChannelStatus.UNVERIFIED) | Q(status=ChannelStatus.ENABLED, consecutive_failures__gt=0)
    return agency.channels.filter(wrong)
