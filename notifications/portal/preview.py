"""What each message looks like, made of the catalogue's examples: the mail, Slack's words, the webhook's body."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from accounts.models import Agency, Event
from accounts.portal import MemberRequest, readers, show
from accounts.vocabulary import AGENCY_EVENTS, EventType
from notifications.catalogue import CATALOGUE, EventKind
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery
from notifications.portal.words import event_groups
from notifications.transports.base import Parcel
from notifications.wording import Message, message_for

NOT_A_LINK = "example"


@require_safe
@readers
def preview_page(request: MemberRequest, event_type: str = EventType.LINKEDIN_DISCONNECTED.value) -> HttpResponse:
    if event_type not in AGENCY_EVENTS:
        raise Http404
    kind = CATALOGUE[EventType(event_type)]
    return show(
        request,
        "portal/preview.html",
        "notifications",
        kind=kind,
        groups=event_groups(chosen_only=False),
        words=example_message(request.agency, kind),
        body={**kind.example, "ghl_company_id": request.agency.ghl_company_id},
    )


def example_message(agency: Agency, kind: EventKind) -> Message:
    """The example in words. Nothing of it is stored, and its links lead nowhere in particular."""
    body = kind.example
    at = parse_datetime(body["timestamp"]) or timezone.now()
    event = Event(agency=agency, event_type=kind.event_type, payload=body, occurred_at=at)
    listener = Channel(agency=agency, kind=ChannelKind.EMAIL, email="team@example.com", unsubscribe_token=NOT_A_LINK)
    told_of = Channel(
        agency=agency,
        kind=ChannelKind.WEBHOOK,
        name=body.get("channel_name", ""),
        status=ChannelStatus.ENABLED,
        verification_token=NOT_A_LINK,
        failing_since=at,
        disabled_reason="Nothing but failures for five days.",
    )
    parcel = Parcel(
        delivery=Delivery(agency=agency, event=event, channel=listener),
        event=event,
        agency=agency,
        kind=ChannelKind.EMAIL,
        channel=listener,
        about=told_of if "channel_name" in body else None,
    )
    return message_for(parcel)
