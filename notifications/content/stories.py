"""Group events into stories, which people read in one message."""

from accounts.core.enums import EventType
from accounts.models import Event
from accounts.services import EVENTS as STATUS_EVENTS
from leads.pipeline.history import ADDITIONAL_EVENTS

#: The events of one lead in one campaign are a story,
STATUS_CHANGES = frozenset({EventType.LEAD_STATUS_CHANGED, *ADDITIONAL_EVENTS.values()})
LEAD_STORY = STATUS_CHANGES | {EventType.LEAD_CREATED, EventType.MESSAGE_RECEIVED}
#: and so are the status changes of one account, and of one campaign.
ACCOUNT_STORY = frozenset({*STATUS_EVENTS.values(), EventType.LINKEDIN_CONNECTED, EventType.LINKEDIN_RECONNECTED})
CAMPAIGN_STORY = frozenset({EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_RESUMED})


def story_key(event: Event) -> str:
    """Return the key that events of one story share."""
    if event.subject and event.event_type in LEAD_STORY:
        return f"{event.subject}/{event.payload.get('campaign_id', '')}"
    if event.subject and event.event_type in ACCOUNT_STORY | CAMPAIGN_STORY:
        return event.subject
    return event.pk


def account_id_of(event: Event) -> str:
    """Return the id of the account whose status or campaigns the event is about, or ""."""
    if event.event_type in ACCOUNT_STORY | {EventType.REAUTH_REQUESTED}:
        return event.subject
    return str(event.payload.get("linkedin_account_id", "")) if event.event_type in CAMPAIGN_STORY else ""
