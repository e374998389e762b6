"""Preview each message with the catalogue's examples: the mail, the Slack message, the webhook's body."""

from dataclasses import replace

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.core.enums import AGENCY_EVENTS, EventType
from accounts.models import Agency, Event
from accounts.portal import MemberRequest, readers, render_page
from accounts.tenancy.localtime import current_locale
from notifications.content.catalogue import CATALOGUE
from notifications.content.digest import render_message
from notifications.content.event_kinds import EventKind
from notifications.content.rendering import Message
from notifications.labels import event_groups
from notifications.message import PreparedDelivery
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, Mode

REPLIED = EventType.LEAD_REPLIED
EXAMPLE_TOKEN = "example"  # noqa: S105 (no secret)


#: The page of an example digest, beside the pages of the event types.
DIGEST_PAGE = "summary"
_DIGEST_EVENTS = (
    EventType.LINKEDIN_DISCONNECTED,
    EventType.LEAD_REPLIED,
    EventType.LEAD_CREATED,
    EventType.LEAD_STATUS_CHANGED,
    EventType.CAMPAIGN_PAUSED,
)


@require_safe
@readers
def preview_page(request: MemberRequest, event_type: str = EventType.LINKEDIN_DISCONNECTED.value) -> HttpResponse:
    if event_type not in (*AGENCY_EVENTS, DIGEST_PAGE):
        raise Http404
    kind = None if event_type == DIGEST_PAGE else CATALOGUE[EventType(event_type)]
    return render_page(
        request,
        "portal/preview.html",
        "notifications",
        kind=kind,
        groups=event_groups(chosen_only=False),
        words=example_message(request.agency, kind) if kind else example_digest(request.agency),
        body={**kind.example, "ghl_company_id": request.agency.ghl_company_id} if kind else None,
    )


def example_message(agency: Agency, kind: EventKind) -> Message:
    """Return an event type's example as a message. Nothing is stored, and its links lead nowhere."""
    event = _example_event(agency, kind.event_type)
    concerned = Channel(
        agency=agency,
        kind=ChannelKind.WEBHOOK,
        name=event.payload.get("channel_name", ""),
        status=ChannelStatus.ENABLED,
        verification_token=EXAMPLE_TOKEN,
        failing_since=event.occurred_at,
        disabled_reason="Nothing but failures for five days.",
    )
    return render_message(
        replace(_prepared(event), subject_channel=concerned if "channel_name" in event.payload else None)
    )


def example_digest(agency: Agency) -> Message:
    """Return a daily digest of some examples."""
    events = [_example_event(agency, event_type) for event_type in _DIGEST_EVENTS]
    return render_message(replace(_prepared(events[0]), digest_events=tuple(events)))


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
        unsubscribe_token=EXAMPLE_TOKEN,
    )
    return PreparedDelivery(
        delivery=Delivery(agency=event.agency, event=event, channel=listener),
        event=event,
        agency=event.agency,
        kind=ChannelKind.EMAIL,
        channel=listener,
        replies={event.pk: _("Sounds good. Could we talk next week?")} if event.event_type == REPLIED else {},
        locale=current_locale(),
    )
