"""Which channels of an agency do not deliver."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Agency
from notifications.channels.service import DISABLED_BY_HAND
from notifications.models import Channel, ChannelStatus, Delivery, DeliveryStatus


def failing(agency: Agency) -> "QuerySet[Channel]":
    """Return the channels that do not deliver, though nobody disabled them by hand."""
    off = Q(status=ChannelStatus.DISABLED) & ~Q(disabled_reason=DISABLED_BY_HAND)
    wrong = off | Q(status=ChannelStatus.UNVERIFIED) | Q(status=ChannelStatus.ENABLED, consecutive_failures__gt=0)
    return agency.channels.filter(wrong)


def failed_lately(agency: Agency) -> "QuerySet[Delivery]":
    """Return the deliveries of the last 24 hours that failed for good."""
    since = timezone.now() - timedelta(days=1)
    return Delivery.objects.seen_by(agency).filter(status=DeliveryStatus.FAILED, created_at__gte=since)
