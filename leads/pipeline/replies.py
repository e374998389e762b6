"""Find what leads answered: for lists, and for the mail about a reply."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from accounts.models import Event
from leads.models import Lead, LeadChange

#: Providers send the status and the text of a reply in two reports.
REPORT_GAP = timedelta(minutes=5)


def with_latest_reply(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    """Add `latest_reply` to each lead of a list: the text of its latest reply, or ""."""
    replies = LeadChange.objects.filter(lead=OuterRef("pk")).exclude(text="").order_by("-occurred_at", "-id")
    return leads.annotate(
        latest_reply=Coalesce(Subquery(replies.values("text")[:1]), Value(""), output_field=TextField())
    )


def texts_of_replies(events: Collection[Event]) -> dict[str, str]:
    """Return what the lead had answered when each of these events happened, by the event's id. One query."""
    rows = LeadChange.objects.filter(lead__in={event.subject for event in events}).exclude(text="")
    changes = list(rows.order_by("occurred_at", "id").values_list("lead_id", "receipt_id", "occurred_at", "text"))
    found: dict[str, str] = {}
    for event in events:
        near = [
            (receipt_id == event.receipt_id, text)
            for lead_id, receipt_id, at, text in changes
            if lead_id == event.subject and abs(at - event.occurred_at) <= REPORT_GAP
        ]
        if near:
            found[event.pk] = next((text for own, text in near if own), near[-1][1])
    return found
