"""Delete old events with their deliveries and attempts."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.events.retention import SPARED_FOR, Progress
from accounts.models import Event, Reaction
from leads.privacy.retention import inactive_leads
from notifications.models import Attempt, Delivery, DeliveryStatus

BATCH = 500


def delete_old_events(position: str, cutoff: datetime) -> Iterator[Progress]:
    """Delete events recorded before `cutoff`, with their deliveries.

    Ids follow the time of recording. An event stays while it waits to be delivered, and while its lead waits to be
    erased: it says who must be told of the erasure.
    """
    while True:
        rows = Event.objects.filter(pk__gt=position).order_by("pk").values_list("pk", "created_at")[:BATCH]
        times = dict(rows)
        old = [pk for pk, created_at in times.items() if created_at < cutoff]
        if not old:
            return
        erased = _delete(old, cutoff)
        position = max(times)
        yield Progress(position, erased)


def pending_subjects(subjects: Collection[str], cutoff: datetime) -> set[str]:
    """Return those leads and accounts with events or deliveries that still wait."""
    pending = Delivery.objects.filter(event=OuterRef("pk"), status=DeliveryStatus.PENDING)
    about = Event.objects.filter(subject__in=subjects, created_at__gte=cutoff - SPARED_FOR)
    return set(about.filter(Q(fanned_out_at=None) | Exists(pending)).values_list("subject", flat=True))


class _Row(NamedTuple):
    pk: str
    subject: str
    created_at: datetime
    fanned_out_at: datetime | None


@transaction.atomic
def _delete(pks: Collection[str], cutoff: datetime) -> Counter[str]:
    """Delete the events that can go. Rows locked by other transactions are left to the next run."""
    now, limit = timezone.now(), cutoff - SPARED_FOR
    rows = Event.objects.filter(pk__in=pks).select_for_update(skip_locked=True).values_list(*_Row._fields)
    events = {row[0]: _Row(*row) for row in rows}
    deliveries = list(Delivery.objects.filter(event__in=events).values_list("pk", "event", "status", "leased_until"))
    ids = [pk for pk, *_ in deliveries]
    locked = set(Delivery.objects.filter(pk__in=ids).select_for_update(skip_locked=True).values_list("pk", flat=True))
    kept = {pk for pk, event in events.items() if event.fanned_out_at is None and event.created_at >= limit}
    for pk, event_id, status, leased_until in deliveries:
        is_in_flight = pk not in locked or (leased_until is not None and leased_until > now)
        if is_in_flight or (status == DeliveryStatus.PENDING and events[event_id].created_at >= limit):
            kept.add(event_id)
    waiting = _leads_with_pending_erasure({event.subject for event in events.values()}, cutoff)
    kept |= {pk for pk, event in events.items() if event.subject in waiting}
    deleted_ids = events.keys() - kept
    ids = [pk for pk, event_id, *_ in deliveries if event_id in deleted_ids]
    Delivery.objects.filter(carrier__in=ids).update(carrier=None)
    _delete_rows(Reaction.objects.filter(event__in=deleted_ids))
    return Counter(
        {
            "attempts": _delete_rows(Attempt.objects.filter(delivery__in=ids)),
            "deliveries": _delete_rows(Delivery.objects.filter(pk__in=ids)),
            "events": _delete_rows(Event.objects.filter(pk__in=deleted_ids)),
        }
    )


def _delete_rows(rows: QuerySet[Any]) -> int:
    """Delete rows without dependents in one statement. Django would fetch them first."""
    return int(rows._raw_delete(rows.db) or 0)


def _leads_with_pending_erasure(subjects: Collection[str], cutoff: datetime) -> set[str]:
    """Return those leads that are to be erased, or whose erasure is not fanned out yet."""
    erasures = Event.objects.filter(subject__in=subjects, event_type=EventType.LEAD_ERASED, fanned_out_at=None)
    doomed = inactive_leads(cutoff).filter(pk__in=subjects)
    return {*erasures.values_list("subject", flat=True), *doomed.values_list("pk", flat=True)}
