"""Add the streams of a lead's timeline: reports, remarks and owners; clocks that ended; what happened; notes."""

from django.db.models import QuerySet

from accounts.core.enums import EventType
from accounts.events.timeline import Stream, add_stream
from accounts.models import Event
from leads.models import Lead, LeadChange, Note, ResponseClock

#: What the other streams do not say.
HAPPENINGS = (
    *(EventType.LEAD_DUE_SOON, EventType.LEAD_OVERDUE, EventType.LEAD_UNROUTED, EventType.LEAD_HIGH_PRIORITY),
    *(EventType.TASK_CREATED, EventType.TASK_OVERDUE, EventType.TASK_DONE, EventType.SEQUENCE_FINISHED),
)


def add_lead_streams() -> None:
    """Add the streams of the leads app."""
    add_stream(Stream("change", "created_at", _changes), Lead)
    add_stream(Stream("clock", "stopped_at", _clocks), Lead)
    add_stream(Stream("happening", "created_at", _happenings), Lead)
    add_stream(Stream("note", "created_at", _notes), Lead)


def _changes(lead: Lead) -> "QuerySet[LeadChange]":
    return lead.changes.select_related("reference__campaign")


def _clocks(lead: Lead) -> "QuerySet[ResponseClock]":
    return lead.clocks.filter(stopped_at__isnull=False).select_related("stopped_by")


def _happenings(lead: Lead) -> "QuerySet[Event]":
    return Event.objects.filter(subject=lead.pk, recipient="", event_type__in=HAPPENINGS)


def _notes(lead: Lead) -> "QuerySet[Note]":
    return lead.notes.select_related("author")
