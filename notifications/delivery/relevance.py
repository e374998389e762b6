"""Find events that people no longer need to hear of, because of what happened since. Programs get every event."""

from collections.abc import Iterable, Sequence

from django.db.models import F, Max
from django.utils.translation import gettext_noop

from accounts.core.enums import AccountStatus, CampaignStatus, EventType
from accounts.models import Account, Campaign, Event
from accounts.services import EVENTS as STATUS_EVENTS
from leads.models import Lead

RECONNECTED = gettext_noop("No longer needed: the account is connected again.")
RESUMED = gettext_noop("No longer needed: the campaign runs again.")
ANSWERED = gettext_noop("No longer needed: the lead was answered.")
REASSIGNED = gettext_noop("No longer needed: the lead is somebody else's.")
RECOVERED = gettext_noop("No longer needed: it works again.")
_ACCOUNT_DOWN = frozenset({*STATUS_EVENTS.values(), EventType.REAUTH_REQUESTED})
_CLOCK_ALERTS = frozenset({EventType.LEAD_DUE_SOON, EventType.LEAD_OVERDUE})
_RECOVERIES = {  # event of a recovery --> the event types that it makes obsolete
    EventType.SOURCE_RECOVERED: frozenset(
        {EventType.SOURCE_SILENT, EventType.SOURCE_REJECTED, EventType.SOURCE_AT_RISK, EventType.SOURCE_BLOCKED}
    ),
    EventType.CHANNEL_RECOVERED: frozenset({EventType.CHANNEL_FAILING}),
}


def obsolete_reasons(events: Iterable[Event]) -> dict[str, str]:
    """Return why people no longer need these events, by the events' ids."""
    with_subject = [event for event in events if event.subject]
    found = _accounts_back(with_subject) | _campaigns_back(with_subject) | _recovered(with_subject)
    return found | _answered(with_subject) | _reassigned(with_subject)


def _accounts_back(events: Sequence[Event]) -> dict[str, str]:
    candidates = [event for event in events if event.event_type in _ACCOUNT_DOWN]
    accounts = Account.objects.filter(pk__in={event.subject for event in candidates}, status=AccountStatus.ACTIVE)
    active_ids = set(accounts.values_list("pk", flat=True))
    return {event.pk: RECONNECTED for event in candidates if event.subject in active_ids}


def _campaigns_back(events: Sequence[Event]) -> dict[str, str]:
    candidates = [event for event in events if event.event_type == EventType.CAMPAIGN_PAUSED]
    campaigns = Campaign.objects.filter(pk__in={event.subject for event in candidates}, status=CampaignStatus.ACTIVE)
    running = set(campaigns.values_list("pk", flat=True))
    return {event.pk: RESUMED for event in candidates if event.subject in running}


def _answered(events: Sequence[Event]) -> dict[str, str]:
    candidates = [event for event in events if event.event_type in _CLOCK_ALERTS]
    leads = Lead.objects.filter(pk__in={event.subject for event in candidates}, response_due_at__isnull=True)
    answered = set(leads.values_list("pk", flat=True)) if candidates else set()
    return {event.pk: ANSWERED for event in candidates if event.subject in answered}


def _reassigned(events: Sequence[Event]) -> dict[str, str]:
    candidates = [event for event in events if event.event_type == EventType.LEAD_ASSIGNED_TO_YOU]
    leads = Lead.objects.filter(pk__in={event.subject for event in candidates}, assigned_to__isnull=False)
    theirs = set(
        leads.filter(assigned_to__memberships__agency=F("agency")).values_list("pk", "assigned_to__memberships")
    )
    return {
        event.pk: REASSIGNED for event in candidates if (event.subject, event.payload.get("assigned_to")) not in theirs
    }


def _recovered(events: Sequence[Event]) -> dict[str, str]:
    found: dict[str, str] = {}
    for good, bad in _RECOVERIES.items():
        candidates = [event for event in events if event.event_type in bad]
        later = Event.objects.filter(event_type=good, subject__in={event.subject for event in candidates})
        latest = dict(later.values_list("subject").annotate(at=Max("occurred_at")))
        found |= {
            event.pk: RECOVERED
            for event in candidates
            if event.subject in latest and latest[event.subject] >= event.occurred_at
        }
    return found
