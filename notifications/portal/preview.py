"""What each message looks like, made of the catalogue's examples: the mail, Slack's words, the webhook's body."""

from dataclasses import replace

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from accounts.core.enums import AGENCY_EVENTS, EventType
from accounts.models import Agency, Event
from accounts.portal import MemberRequest, readers, render_page
from notifications.content.catalogue import CATALOGUE
from notifications.content.digest import message_for
from notifications.content.event_kinds import EventKind
from notifications.content.rendering import Message
from notifications.labels import event_groups
from notifications.message import PreparedDelivery
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, Mode

NOT_A_LINK = "example"


#: The page of what goes out together, beside those of the event types.
SUMMARY = "summary"
_TOGETHER = (
    EventType.LINKEDIN_DISCONNECTED,
    EventType.LEAD_REPLIED,
    EventType.LEAD_CREATED,
    EventType.LEAD_STATUS_CHANGED,
    EventType.CAMPAIGN_PAUSED,
)


@require_safe
@readers
def preview_page(request: MemberRequest, event_type: str = EventType.LINKEDIN_DISCONNECTED.value) -> HttpResponse:
    if event_type not in (*AGENCY_EVENTS, SUMMARY):
        raise Http404
    kind = None if event_type == SUMMARY else CATALOGUE[EventType(event_type)]
    return render_page(
        request,
        "portal/preview.html",
        "notifications",
        kind=kind,
        groups=event_groups(chosen_only=False),
        words=example_message(request.agency, kind) if kind else example_summary(request.agency),
        body={**kind.example, "ghl_company_id": request.agency.ghl_company_id} if kind else None,
    )


def example_message(agency: Agency, kind: EventKind) -> Message:
    """The example in words. Nothing of it is stored, and its links lead nowhere in particular."""
    event = _example_event(agency, kind.event_type)
    told_of = Channel(
        agency=agency,
        kind=ChannelKind.WEBHOOK,
        name=event.payload.get("channel_name", ""),
        status=ChannelStatus.ENABLED,
        verification_token=NOT_A_LINK,
        failing_since=event.occurred_at,
        disabled_reason="Nothing but failures for five days.",
    )
    return message_for(replace(_prepared(event), about=told_of if "channel_name" in event.payload else None))


def example_summary(agency: Agency) -> Message:
    """What a daily summary of some of the examples says."""
    events = [_example_event(agency, event_type) for event_type in _TOGETHER]
    return message_for(replace(_prepared(events[0]), together=tuple(events)))


def _example_event(agency: Agency, event_type: EventType) -> Event:
    body = CATALOGUE[event_type].example
    at = parse_datetime(body["timestamp"]) or timezone.now()
    return Event(agency=agency, event_type=event_type, payload=body, occurred_at=at)


def _prepared(event: Event) -> PreparedDelivery:
    listener = Channel(
        agency=event.agency,
        kind=ChannelKind.EMAIL,
        email="team@example.com",
        mode=Mode.DAILY,
        unsubscribe_token=NOT_A_LINK,
    )
    return PreparedDelivery(
        delivery=Delivery(agency=event.agency, event=event, channel=listener),
        event=event,
        agency=event.agency,
        kind=ChannelKind.EMAIL,
        channel=listener,
    )
