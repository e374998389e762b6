"""Which events belong together, so that people read of them in one message."""

from accounts.core.enums import EventType
from accounts.models import Event
from accounts.services import EVENTS as STATUS_EVENTS
from leads.pipeline.history import ALSO_TOLD

#: What happens to one lead in one campaign is one story, …
STATUS_CHANGES = frozenset({EventType.LEAD_STATUS_CHANGED, *ALSO_TOLD.values()})
LEAD_STORY = STATUS_CHANGES | {EventType.LEAD_CREATED}
#: … and so is what becomes of one account, and of one campaign.
ACCOUNT_STORY = frozenset({*STATUS_EVENTS.values(), EventType.LINKEDIN_CONNECTED, EventType.LINKEDIN_RECONNECTED})
CAMPAIGN_STORY = frozenset({EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_RESUMED})


def story(event: Event) -> str:
    """Return what events of one story have in common: a key."""
    if event.subject and event.event_type in LEAD_STORY:
        return f"{event.subject}/{event.payload.get('campaign_id', '')}"
    if event.subject and event.event_type in ACCOUNT_STORY | CAMPAIGN_STORY:
        return event.subject
    return event.pk


def account_of(event: Event) -> str:
    """Return the id of the account whose status or campaigns the event is about, or an empty text."""
    if event.event_type in ACCOUNT_STORY | {EventType.REAUTH_REQUESTED}:
        return event.subject
    return str(event.payload.get("linkedin_account_id", "")) if event.event_type in CAMPAIGN_STORY else ""
