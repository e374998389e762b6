"""What was sent, or missed, sent again.

Deliveries of a channel that is switched off become `cancelled` and stay. `replay` sends them when it is on again, and
also what happened in the meantime, for which there are no Deliveries yet.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.models import Event
from accounts.tenancy.mail_limits import count_mail
from notifications.channels.service import locked_and_on
from notifications.delivery.fan_out import deliveries_of
from notifications.delivery.rate_limit import wake
from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus
from notifications.staff.alerts import SLACK
from notifications.tasks import wake_up

BATCH = 500


@transaction.atomic
def replay(channel: Channel, *, since: datetime, until: datetime | None = None, status: str | None = None) -> int:
    """Send again what happened from `since` to before `until`, under the same `webhook-id`; how many Deliveries.

    With a `status`, only Deliveries that have it; without, all, and also those events that the channel listens to but
    never got because it was off. Raises FieldError.
    """
    channel = locked_and_on(channel)
    if until is not None and until <= since:
        raise FieldError("until", "The end must be later than the beginning.")
    if status is not None and status not in set(DeliveryStatus):
        raise FieldError("status", f"Use one of {', '.join(DeliveryStatus)}.")
    span = Q(created_at__gte=since) & (Q(created_at__lt=until) if until else Q())
    events = Event.objects.filter(span, agency=channel.agency)
    wake(channel)
    rows = channel.deliveries.filter(event__in=events, **({"status": status} if status else {}))
    again = _due_now(_messages_of(channel, rows))
    if status is None:
        again += _send_missed(channel, events)
    transaction.on_commit(wake_up, robust=True)
    return again


@transaction.atomic
def resend(delivery: Delivery) -> Delivery:
    """Send once more, now, under the same `webhook-id`. Raises FieldError if its channel is not on."""
    if delivery.channel:
        wake(locked_and_on(delivery.channel))
    elif not delivery.recipient.startswith(SLACK):
        count_mail(delivery.recipient, agency=delivery.agency, purpose="resend")
    # Not with those it was once gathered with, unless it carried them.
    Delivery.objects.filter(pk=delivery.pk).update(batch="", carrier=None)
    _due_now(Delivery.objects.filter(pk=delivery.pk))
    transaction.on_commit(wake_up, robust=True)
    delivery.refresh_from_db()
    return delivery


def _due_now(deliveries: QuerySet[Delivery]) -> int:
    """From the first attempt on, at once; those on their way at this moment are left alone."""
    now = timezone.now()
    return deliveries.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now)).update(
        status=DeliveryStatus.PENDING,
        attempts=0,
        next_attempt_at=now,
        leased_until=None,
        delivered_at=None,
        error="",
        hold="",
        urgent=True,
    )


def _messages_of(channel: Channel, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """What was one message is sent as one again, by the Delivery that carries it."""
    if channel.kind == ChannelKind.WEBHOOK:
        return rows
    carriers = rows.filter(carrier__isnull=False).values("carrier_id")
    return channel.deliveries.filter(Q(pk__in=rows.filter(carrier__isnull=True).values("pk")) | Q(pk__in=carriers))


def _send_missed(channel: Channel, events: QuerySet[Event]) -> int:
    """Deliveries for what the channel would have got, had it been on. Nothing from before it existed."""
    missed = (
        events.filter(created_at__gte=channel.created_at, fanned_out_at__isnull=False, recipient="")
        .exclude(pk__in=channel.deliveries.values("event_id"))
        .order_by("pk")
    )
    made, batch = 0, []
    for event in missed.iterator(chunk_size=BATCH):
        batch += deliveries_of(event, [channel])
        if len(batch) >= BATCH:
            made, batch = made + len(Delivery.objects.bulk_create(batch, ignore_conflicts=True)), []
    return made + len(Delivery.objects.bulk_create(batch, ignore_conflicts=True))
