"""Decide when people hear of outages: alerts wait, and an incident replaces the alerts that it covers.

Webhooks get everything at once. `alert_due_at` makes a delivery wait. When it is claimed, `superseded_reasons` says
whether it is still sent, and `alerts_for` what it says about accounts and leads at that time.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import Min, Q
from django.utils import timezone

from accounts.core.enums import AccountStatus, EventType, PausedBy
from accounts.linkedin.incidents import ALERT_DELAY
from accounts.models import Account, Event, Incident, Outage
from accounts.services import EVENTS as STATUS_EVENTS
from accounts.sources.issues import SLOW_ANSWERS
from leads.pipeline.at_risk import leads_at_risk
from notifications.message import Alert
from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus
from notifications.sentences import IN_INCIDENT

OUTAGE_EVENTS = frozenset(
    {
        EventType.LINKEDIN_DISCONNECTED,
        EventType.LINKEDIN_AUTH_ERROR,
        EventType.LINKEDIN_BLOCKED,
        EventType.LINKEDIN_INCOMPLETE,
    }
)
#: Events that follow an outage; an incident that covers the outage covers them too.
FOLLOW_UP_EVENTS = frozenset({EventType.LINKEDIN_RECONNECTED, EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_RESUMED})
MAX_NAMED_ACCOUNTS = 10  # in an incident's mail

SupersededReasons = Mapping[str, str]  # delivery id --> why it is not sent


def alert_due_at(event: Event, channel: Channel) -> datetime | None:
    """Return when the wait of an alert to `channel` ends. None: the delivery does not wait."""
    if channel.kind == ChannelKind.WEBHOOK:
        return None
    due = None
    if is_about_an_outage(event):
        due = event.created_at + ALERT_DELAY
    elif event.event_type == EventType.ACCOUNTS_INCIDENT and event.payload.get("count"):
        noted_at = Outage.objects.filter(incident=event.subject).aggregate(first=Min("noted_at"))["first"]
        due = (noted_at or event.created_at) + ALERT_DELAY  # as the first alert that it replaces
    return due if due and due > timezone.now() else None


def replaces_outages_for(event: Event, channel: Channel) -> bool:
    """Return whether the incident replaces alerts of outages for this channel's people."""
    if event.event_type != EventType.ACCOUNTS_INCIDENT or channel.kind == ChannelKind.WEBHOOK:
        return False
    if channel.event_types and not {EventType.ACCOUNTS_INCIDENT, *OUTAGE_EVENTS} & set(channel.event_types):
        return False
    outages = Outage.objects.filter(incident=event.subject)
    return not channel.locations or outages.filter(account__sub_account__location_id__in=channel.locations).exists()


def replaced_event_types(event: Event) -> set[EventType]:
    """Return the event types of the outages that an incident replaces."""
    if event.event_type != EventType.ACCOUNTS_INCIDENT:
        return set()
    statuses = Outage.objects.filter(incident=event.subject).values_list("status", flat=True)
    return {STATUS_EVENTS[status] for status in map(AccountStatus, statuses) if status in STATUS_EVENTS}


def superseded_reasons(deliveries: Iterable[Delivery], channels: Mapping[str, Channel]) -> SupersededReasons:
    """Return the reason of each delivery that an incident supersedes, and of each incident's delivery that is outdated.

    The deliveries have their events loaded.
    """
    pairs = [
        (delivery, channel)
        for delivery in deliveries
        if (channel := channels.get(delivery.channel_id or "")) and channel.kind != ChannelKind.WEBHOOK
    ]
    incidents = [(d, c) for d, c in pairs if d.event.event_type == EventType.ACCOUNTS_INCIDENT]
    outages = [
        (d, c) for d, c in pairs if d.event.event_type in OUTAGE_EVENTS | FOLLOW_UP_EVENTS and _account_id_of(d.event)
    ]
    found = _outdated_incidents(incidents) if incidents else {}
    return {**found, **(_covered_by_incidents(outages) if outages else {})}


def alerts_for(events: Iterable[Event]) -> dict[str, Alert]:
    """Return the content of the alerts among these events, by the events' ids."""
    found = {}
    for event in events:
        if event.subject == SLOW_ANSWERS:
            found[event.pk] = Alert(closed=event.payload["count"] == 0, url=_back_office("sourceissue", "?state=open"))
        elif event.subject.startswith("inc_"):
            found[event.pk] = _alert_of_incident(event)
        elif event.event_type in OUTAGE_EVENTS | {EventType.STAFF_ALERT} and (account_id := _account_id_of(event)):
            found[event.pk] = Alert(
                at_risk=leads_at_risk([account_id]), url=_back_office("account", f"{account_id}/change/")
            )
    return found


def is_about_an_outage(event: Event) -> bool:
    """Return whether people hear of the event only after a wait."""
    if event.event_type == EventType.CAMPAIGN_PAUSED:
        return bool(_account_id_of(event)) and event.payload.get("paused_by") == PausedBy.SYSTEM
    return event.event_type in OUTAGE_EVENTS and bool(_account_id_of(event))


def _account_id_of(event: Event) -> str:
    return str(event.payload.get("linkedin_account_id", ""))


def _covered_by_incidents(pairs: Collection[tuple[Delivery, Channel]]) -> dict[str, str]:
    """Return the deliveries about accounts that were down in an incident that the channel hears of."""
    outages = Outage.objects.filter(account__in={_account_id_of(d.event) for d, _ in pairs}, incident__isnull=False)
    by_account: dict[str, list[Outage]] = {}
    for outage in outages:
        by_account.setdefault(outage.account_id, []).append(outage)
    recorded = Event.objects.filter(subject__in={outage.incident_id for outage in outages if outage.incident_id})
    openings: dict[str, Event] = {}
    for event in recorded.filter(event_type=EventType.ACCOUNTS_INCIDENT).order_by("-id"):
        openings[event.subject] = event
    found: dict[str, str] = {}
    for delivery, channel in pairs:
        for outage in by_account.get(_account_id_of(delivery.event), ()):
            opening = openings.get(outage.incident_id or "")
            covers = outage.back_at is None or outage.back_at >= delivery.event.occurred_at
            if covers and opening and replaces_outages_for(opening, channel):
                found[delivery.pk] = IN_INCIDENT(incident=outage.incident_id)
    return found


def _outdated_incidents(pairs: Collection[tuple[Delivery, Channel]]) -> dict[str, str]:
    """Return openings of incidents that have closed, and ends of incidents whose opening was never sent."""
    closed = Incident.objects.filter(pk__in={d.event.subject for d, _ in pairs}, closed_at__isnull=False)
    over = set(closed.values_list("pk", flat=True))
    sent = Delivery.objects.filter(
        event__in=Event.objects.filter(subject__in=over, event_type=EventType.ACCOUNTS_INCIDENT),
        status=DeliveryStatus.DELIVERED,
    )
    informed = set(sent.values_list("event__subject", "channel_id"))
    found = {}
    for delivery, channel in pairs:
        is_end = delivery.event.payload.get("count") == 0
        if not is_end and delivery.event.subject in over:
            found[delivery.pk] = "No longer needed: all of the incident's accounts are back."
        elif is_end and (delivery.event.subject, channel.pk) not in informed:
            found[delivery.pk] = "No longer needed: the incident was over before anybody was told."
    return found


def _alert_of_incident(event: Event) -> Alert:
    incident = Incident.objects.filter(pk=event.subject).first()
    if incident is None:
        return Alert(closed=True, url=_back_office("incident", event.subject))
    outages = Outage.objects.filter(Q(incident=incident) | Q(incident__part_of=incident))
    everyone = list(outages.order_by("id").values_list("account_id", "agency_id", "back_at"))
    down = [account_id for account_id, _, back_at in everyone if back_at is None]
    names = Account.objects.filter(pk__in=down[:MAX_NAMED_ACCOUNTS]).in_bulk()
    return Alert(
        at_risk=leads_at_risk(down),
        accounts=tuple(str(names[pk]) for pk in down[:MAX_NAMED_ACCOUNTS] if pk in names),
        down=len(down),
        total=len({account_id for account_id, _, _ in everyone}),
        agencies=len({agency_id for _, agency_id, _ in everyone}),
        cause=incident.cause,
        closed=event.payload.get("count") == 0,
        url=_back_office("incident", f"{incident.pk}/change/"),
    )


def _back_office(pages: str, page: str) -> str:
    return f"{settings.PUBLIC_URL}/admin/accounts/{pages}/{page}"
