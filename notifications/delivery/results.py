"""Writing down how attempts went: the log, what is next, and what it says about the channel."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.models import Event
from notifications.delivery import channel_health
from notifications.delivery.sender import Result
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus
from notifications.policy.backoff import next_attempt_at
from notifications.transports.base import Outcome, TransportError


@transaction.atomic
def settle(results: Sequence[Result]) -> None:
    """Settle attempts, oldest first, in one transaction."""
    made = [result for result in results if result.outcome is not None]
    channels = _lock_channels(made)
    _release([result for result in results if result.outcome is None])
    ids = [result.prepared.delivery.pk for result in made]
    kept = set(Delivery.objects.filter(pk__in=ids).values_list("pk", flat=True))
    made = [result for result in made if result.prepared.delivery.pk in kept]  # an erased lead's are gone
    erased = _erased(made)
    Attempt.objects.bulk_create([_attempt(result, erased) for result in made])
    _settle_delivered([result for result in made if isinstance(result.outcome, Outcome)])
    for result in made:
        channel = channels.get(result.prepared.delivery.channel_id or "")
        if isinstance(result.outcome, TransportError):
            _settle_failed(result, result.outcome)
        if channel:
            channel_health.note(channel, result)


def _lock_channels(results: Sequence[Result]) -> dict[str, Channel]:
    """The channels whose health these results change, locked in one order."""
    ids = {result.prepared.delivery.channel_id for result in results if result.prepared.delivery.channel_id}
    failed = {
        result.prepared.delivery.channel_id for result in results if isinstance(result.outcome, TransportError)
    } - {None}
    channels = (
        Channel.objects.filter(Q(pk__in=failed) | Q(consecutive_failures__gt=0), pk__in=ids)
        .select_related("agency")
        .defer("url", "headers")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    return {channel.pk: channel for channel in channels}


def _erased(results: Sequence[Result]) -> set[str]:
    """The leads among what these are about that were erased, perhaps while they were under way."""
    leads = {result.prepared.event.subject for result in results if result.prepared.event.subject.startswith("lead_")}
    if not leads:
        return set()
    erasures = Event.objects.filter(subject__in=leads, event_type=EventType.LEAD_ERASED)
    return set(erasures.values_list("subject", flat=True))


def _attempt(result: Result, erased: set[str]) -> Attempt:
    """Of what a receiver answers about somebody erased nothing is kept: it may repeat who that was."""
    outcome = result.outcome
    assert outcome is not None  # noqa: S101 (only attempts that were made)
    return Attempt(
        delivery=result.prepared.delivery,
        at=result.at,
        duration_ms=result.duration_ms,
        status_code=outcome.status_code,
        error=str(outcome)[:500] if isinstance(outcome, TransportError) else "",
        response_excerpt="" if result.prepared.event.subject in erased else outcome.excerpt,
    )


def _release(results: Sequence[Result]) -> None:
    for result in results:
        Delivery.objects.filter(
            pk=result.prepared.delivery.pk, leased_until=result.prepared.delivery.leased_until
        ).update(attempts=F("attempts") - 1, leased_until=None)


def _settle_delivered(results: Sequence[Result]) -> None:
    # Whatever the row says by now (another worker's lease, a channel switched off): the receiver has it.
    Delivery.objects.filter(_of_message(results)).update(
        status=DeliveryStatus.DELIVERED, delivered_at=timezone.now(), next_attempt_at=None, leased_until=None, error=""
    )


def _settle_failed(result: Result, error: TransportError) -> None:
    delivery = result.prepared.delivery
    due = None if error.permanent else next_attempt_at(delivery.attempts, result.ended_at, error.retry_after)
    # Only under our own lease: after it, somebody else is at it.
    Delivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, attempts=delivery.attempts, leased_until=delivery.leased_until
    ).update(
        status=DeliveryStatus.PENDING if due else DeliveryStatus.FAILED,
        next_attempt_at=due,
        leased_until=None,
        error=str(error)[:500],
    )
    if due is None and result.prepared.together:
        carried = Delivery.objects.filter(carrier_id=delivery.pk, status=DeliveryStatus.PENDING)
        carried.update(status=DeliveryStatus.FAILED, error=str(error)[:500])


def _of_message(results: Sequence[Result]) -> Q:
    """The Deliveries and, where they carried others, those."""
    carriers = [result.prepared.delivery.pk for result in results if result.prepared.together]
    own = Q(pk__in=[result.prepared.delivery.pk for result in results])
    return own | Q(carrier_id__in=carriers) if carriers else own
