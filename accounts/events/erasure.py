"""Erase a person's data from every app. Each app registers what it stores of a person."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from accounts.models import Event, IdempotencyRecord


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of a lead. With `by_age`, data that came lately and waits to be processed stays."""

    lead_id: str
    event_ids: Sequence[str]
    by_age: bool


#: Erases one place and returns the number of erased rows by the place's name.
Eraser = Callable[[Erasure], dict[str, int]]
_erasers: list[Eraser] = []

PRESERVED_FIELDS = ("event_type", "event_id", "ghl_company_id", "timestamp", "lead_id")


def register_eraser(eraser: Eraser) -> Eraser:
    _erasers.append(eraser)
    return eraser


def erase_everywhere(lead_id: str, *, by_age: bool = False) -> dict[str, int]:
    """Erase every copy of a lead's data outside its own rows. Call this in the transaction that deletes those."""
    erased: dict[str, int] = {}
    event_ids = list(Event.objects.filter(subject=lead_id).values_list("id", flat=True))
    for eraser in _erasers:
        erased.update(eraser(Erasure(lead_id, event_ids, by_age)))
    return erased


@register_eraser
def _events(erasure: Erasure) -> dict[str, int]:
    events = list(Event.objects.filter(pk__in=erasure.event_ids))
    for event in events:
        event.payload = {name: event.payload[name] for name in PRESERVED_FIELDS if name in event.payload}
    Event.objects.bulk_update(events, ["payload"], batch_size=500)
    return {"event payloads": len(events)}


@register_eraser
def _idempotency_records(erasure: Erasure) -> dict[str, int]:
    """Delete the idempotency records whose responses show the lead."""
    return {"idempotency answers": delete_responses_about([erasure.lead_id])}


def delete_responses_about(subjects: Collection[str]) -> int:
    """Delete the idempotency records whose responses show these subjects. Return the number of records."""
    return IdempotencyRecord.objects.alias(about=Lower(KT("body__subject"))).filter(about__in=subjects).delete()[0]
