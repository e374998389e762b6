"""Add an event's deliveries to timelines."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from accounts.events.timeline import DeliverySummary, register_delivery_loader
from notifications.labels import DELIVERY_LABELS
from notifications.models import Delivery, DeliveryStatus

MAX_COUNT = 500  # deliveries of one page


@register_delivery_loader
def deliveries_of(event_ids: Sequence[str]) -> Mapping[str, Sequence[DeliverySummary]]:
    found: dict[str, list[DeliverySummary]] = defaultdict(list)
    rows = Delivery.objects.filter(event__in=event_ids).select_related("channel").order_by("id")
    for delivery in rows.defer("channel__url", "channel__headers")[:MAX_COUNT]:
        to = delivery.recipient or str(delivery.channel or "")
        found[delivery.event_id].append(
            DeliverySummary(to, delivery.status, DELIVERY_LABELS[DeliveryStatus(delivery.status)].tone, delivery.pk)
        )
    return found
