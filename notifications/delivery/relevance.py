"""What happened since, so that people need not be told any more. Programs are told whatever happened."""

from collections.abc import Iterable, Sequence

from django.db.models import Max

from accounts.core.enums import AccountStatus, CampaignStatus, EventType
from accounts.models import Account, Campaign, Event
from accounts.services import EVENTS as STATUS_EVENTS

RECONNECTED = "No longer needed: the account is connected again."
RESUMED = "No longer needed: the campaign runs again."
RECOVERED = "No longer needed: it works again."
_ACCOUNT_DOWN = frozenset({*STATUS_EVENTS.values(), EventType.REAUTH_REQUESTED})
_RECOVERIES = {  # what recovers, by an event that says so --> what need not be told after it
    EventType.SOURCE_RECOVERED: frozenset(
        {EventType.SOURCE_SILENT, EventType.SOURCE_REJECTED, EventType.SOURCE_AT_RISK, EventType.SOURCE_BLOCKED}
    ),
    EventType.CHANNEL_RECOVERED: frozenset({EventType.CHANNEL_FAILING}),
}


def no_longer_needed(events: Iterable[Event]) -> dict[str, str]:
    """Why, by the ids of the events of which people need not hear any more."""
    listed = [event for event in events if event.subject]
    return _accounts_back(listed) | _campaigns_back(listed) | _recovered(listed)


def _accounts_back(events: Sequence[Event]) -> dict[str, str]:
    told = [event for event in events if event.event_type in _ACCOUNT_DOWN]
    accounts = Account.objects.filter(pk__in={event.subject for event in told}, status=AccountStatus.ACTIVE)
    well = set(accounts.values_list("pk", flat=True))
    return {event.pk: RECONNECTED for event in told if event.subject in well}


def _campaigns_back(events: Sequence[Event]) -> dict[str, str]:
    told = [event for event in events if event.event_type == EventType.CAMPAIGN_PAUSED]
    campaigns = Campaign.objects.filter(pk__in={event.subject for event in told}, status=CampaignStatus.ACTIVE)
    running = set(campaigns.values_list("pk", flat=True))
    return {event.pk: RESUMED for event in told if event.subject in running}


def _recovered(events: Sequence[Event]) -> dict[str, str]:
    found: dict[str, str] = {}
    for good, bad in _RECOVERIES.items():
        told = [event for event in events if event.event_type in bad]
        later = Event.objects.filter(event_type=good, subject__in={event.subject for event in told})
        latest = dict(later.values_list("subject").annotate(at=Max("occurred_at")))
        found |= {
            event.pk: RECOVERED
            for event in told
            if event.subject in latest and latest[event.subject] >= event.occurred_at
        }
    return found
