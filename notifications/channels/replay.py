"""Send deliveries again, try a failing channel now, and send events that a disabled channel missed.

Deliveries of a disabled channel become `cancelled` and stay. `replay_deliveries` sends them once the channel is
enabled, together with events recorded meanwhile, which have no deliveries yet.
"""

from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.errors import FieldError
from accounts.models import Event
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from accounts.tenancy.mail_limits import count_mail
from leads.conditions.target_lists import compile_for
from notifications.channels.service import lock_enabled_channel
from notifications.delivery.fan_out import deliveries_for
from notifications.delivery.lead_conditions import refused_by_conditions
from notifications.delivery.rate_limit import close_circuit
from notifications.models import STUCK, Channel, ChannelKind, Delivery, DeliveryStatus, error_fields
from notifications.staff.alerts import SLACK_PREFIX
from notifications.tasks import wake_up

BATCH = 500


@transaction.atomic
def replay_deliveries(
    channel: Channel, *, since: datetime, until: datetime | None = None, status: str | None = None
) -> int:
    """Send events recorded from `since` to before `until` again, under the same `webhook-id`.

    With `status` only deliveries with this status are sent. Without it all are, and also events that the channel missed
    while it was disabled. Returns the number of deliveries. Raises FieldError.
    """
    channel = lock_enabled_channel(channel)
    compile_for(channel.agency, channel.conditions)
    if until is not None and until <= since:
        raise FieldError("until", gettext("The end must be later than the beginning."))
    if status is not None and status not in set(DeliveryStatus):
        raise FieldError(
            "status", gettext("Use one of %(DeliveryStatus)s.") % {"DeliveryStatus": ", ".join(DeliveryStatus)}
        )
    span = Q(created_at__gte=since) & (Q(created_at__lt=until) if until else Q())
    events = Event.objects.filter(span, agency=channel.agency)
    close_circuit(channel)
    rows = channel.deliveries.filter(event__in=events, **({"status": status} if status else {}))
    again = _make_due(_carriers_of(channel, rows))
    if status is None:
        again += _create_missed(channel, events)
    transaction.on_commit(wake_up, robust=True)
    return again


@transaction.atomic
def resend_delivery(delivery: Delivery) -> Delivery:
    """Send a delivery again, now, under the same `webhook-id`. Raises FieldError if its channel is not enabled.

    It goes before everything that waits for its channel: if the circuit breaker is open, it is the trial request.
    """
    at = timezone.now()
    if delivery.channel:
        channel = lock_enabled_channel(delivery.channel)
        close_circuit(channel)
        at = _before_what_waits(channel, at)
    elif not delivery.recipient.startswith(SLACK_PREFIX):
        count_mail(delivery.recipient, agency=delivery.agency, purpose="resend")
    # Alone, unless it carried the digest that it was part of.
    Delivery.objects.filter(pk=delivery.pk).update(batch="", carrier=None)
    _make_due(Delivery.objects.filter(pk=delivery.pk), at=at)
    transaction.on_commit(wake_up, robust=True)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def retry_channel(channel: Channel, *, by: Actor | None = None) -> int:
    """Try now what a failing channel keeps waiting. Return how many deliveries that are.

    While the circuit breaker is open one goes first, and the others as soon as it is accepted. Raises FieldError if the
    channel is not enabled.
    """
    channel = lock_enabled_channel(channel)
    audit.log_change(by, channel, "Tried now")
    now = timezone.now()
    waiting = channel.deliveries.filter(STUCK, _not_being_sent(now), batch="")
    again = waiting.update(attempts=0, next_attempt_at=now, leased_until=None, hold="")
    close_circuit(channel)
    transaction.on_commit(wake_up, robust=True)
    return again


def _before_what_waits(channel: Channel, now: datetime) -> datetime:
    """Return a time before that of everything that is due for the channel: a claim takes the oldest."""
    due = channel.deliveries.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=now)
    oldest = due.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    return oldest - timedelta(milliseconds=1) if oldest else now


def _not_being_sent(now: datetime) -> Q:
    return Q(leased_until__isnull=True) | Q(leased_until__lte=now)


def _make_due(deliveries: QuerySet[Delivery], *, at: datetime | None = None) -> int:
    """Make deliveries due now (or `at`), with all their attempts. Leave out those that a worker is sending."""
    now = timezone.now()
    return deliveries.filter(_not_being_sent(now)).update(
        status=DeliveryStatus.PENDING,
        attempts=0,
        next_attempt_at=at or now,
        leased_until=None,
        delivered_at=None,
        hold="",
        urgent=True,
        **error_fields(""),
    )


def _carriers_of(channel: Channel, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Return the deliveries that carry these, so that a digest is sent as one message again."""
    if channel.kind == ChannelKind.WEBHOOK:
        return rows
    carriers = rows.filter(carrier__isnull=False).values("carrier_id")
    return channel.deliveries.filter(Q(pk__in=rows.filter(carrier__isnull=True).values("pk")) | Q(pk__in=carriers))


def _create_missed(channel: Channel, events: QuerySet[Event]) -> int:
    """Create deliveries for the events that the channel missed since it exists. Return how many."""
    missed = (
        events.filter(created_at__gte=channel.created_at, fanned_out_at__isnull=False, recipient="")
        .exclude(pk__in=channel.deliveries.values("event_id"))
        .order_by("pk")
    )
    made, events_left = 0, missed.iterator(chunk_size=BATCH)
    while batch := list(islice(events_left, BATCH)):
        refused = refused_by_conditions(batch, [channel])
        deliveries = [delivery for event in batch for delivery in deliveries_for(event, [channel], refused=refused)]
        made += len(Delivery.objects.bulk_create(deliveries, ignore_conflicts=True))
    return made
