"""Save the results of attempts: the log, the next attempt, and the channel's health."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.models import Event
from notifications.delivery import channel_health
from notifications.delivery.sender import DeliveryResult
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus, error_fields
from notifications.policy.backoff import next_attempt_at
from notifications.transports.base import Outcome, TransportError


@transaction.atomic
def save_results(results: Sequence[DeliveryResult]) -> None:
    """Save results, the oldest first, in one transaction."""
    attempted = [result for result in results if result.outcome is not None]
    channels = _lock_channels(attempted)
    _release_unattempted([result for result in results if result.outcome is None])
    ids = [result.prepared.delivery.pk for result in attempted]
    existing = set(Delivery.objects.filter(pk__in=ids).values_list("pk", flat=True))
    attempted = [
        result for result in attempted if result.prepared.delivery.pk in existing
    ]  # an erasure may have deleted some
    erased = _erased_leads(attempted)
    Attempt.objects.bulk_create([_attempt_row(result, erased) for result in attempted])
    _mark_delivered([result for result in attempted if isinstance(result.outcome, Outcome)])
    for result in attempted:
        channel = channels.get(result.prepared.delivery.channel_id or "")
        if isinstance(result.outcome, TransportError):
            _retry_or_fail(result, result.outcome)
        if channel:
            channel_health.record_result(channel, result, is_erased=result.prepared.event.subject in erased)


def _lock_channels(results: Sequence[DeliveryResult]) -> dict[str, Channel]:
    """Lock and return, in one order, the channels whose health these results change."""
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


def _erased_leads(results: Sequence[DeliveryResult]) -> set[str]:
    """Return those leads of the results that were erased, perhaps while the attempts ran."""
    leads = {result.prepared.event.subject for result in results if result.prepared.event.subject.startswith("lead_")}
    if not leads:
        return set()
    erasures = Event.objects.filter(subject__in=leads, event_type=EventType.LEAD_ERASED)
    return set(erasures.values_list("subject", flat=True))


def _attempt_row(result: DeliveryResult, erased: set[str]) -> Attempt:
    """Return the unsaved row of an attempt, without the response if its lead was erased: it may name the person."""
    outcome = result.outcome
    assert outcome is not None  # noqa: S101 (only attempts that were made)
    is_erased, exchange = result.prepared.event.subject in erased, outcome.exchange
    return Attempt(
        delivery=result.prepared.delivery,
        at=result.at,
        duration_ms=result.duration_ms,
        status_code=outcome.status_code,
        **error_fields(outcome.message if isinstance(outcome, TransportError) else ""),
        response_excerpt="" if is_erased else outcome.excerpt,
        request_headers=exchange.request_headers if exchange else None,
        response_headers=exchange.response_headers if exchange and not is_erased else None,
    )


def _release_unattempted(results: Sequence[DeliveryResult]) -> None:
    for result in results:
        Delivery.objects.filter(
            pk=result.prepared.delivery.pk, leased_until=result.prepared.delivery.leased_until
        ).update(attempts=F("attempts") - 1, leased_until=None)


def _mark_delivered(results: Sequence[DeliveryResult]) -> None:
    # Whatever the row's status is by now: the receiver has the message.
    Delivery.objects.filter(_with_carried(results)).update(
        status=DeliveryStatus.DELIVERED,
        delivered_at=timezone.now(),
        next_attempt_at=None,
        leased_until=None,
        **error_fields(""),
    )


def _retry_or_fail(result: DeliveryResult, error: TransportError) -> None:
    delivery = result.prepared.delivery
    due = None if error.permanent else next_attempt_at(delivery.attempts, result.ended_at, error.retry_after)
    # Only under this worker's lease: after it, another worker may have claimed the delivery.
    Delivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, attempts=delivery.attempts, leased_until=delivery.leased_until
    ).update(
        status=DeliveryStatus.PENDING if due else DeliveryStatus.FAILED,
        next_attempt_at=due,
        leased_until=None,
        **error_fields(error.message),
    )
    if due is None and result.prepared.digest_events:
        carried = Delivery.objects.filter(carrier_id=delivery.pk, status=DeliveryStatus.PENDING)
        carried.update(status=DeliveryStatus.FAILED, **error_fields(error.message))


def _with_carried(results: Sequence[DeliveryResult]) -> Q:
    """Return the condition for the results' deliveries and those that they carry."""
    carriers = [result.prepared.delivery.pk for result in results if result.prepared.digest_events]
    own = Q(pk__in=[result.prepared.delivery.pk for result in results])
    return own | Q(carrier_id__in=carriers) if carriers else own
