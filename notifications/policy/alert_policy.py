"""Alerts of drops: people's mail and Slack wait, and an incident takes the place of what it tells.

Webhooks get everything at once. `due_at` makes a Delivery wait; when it is claimed, `told_elsewhere` says whether it
is still to be sent, and `alerts_for` what it says of the accounts and leads as they stand then.
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
from leads.pipeline.at_risk import at_risk
from notifications.message import Alert
from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus

OUTAGE_EVENTS = frozenset(
    {
        EventType.LINKEDIN_DISCONNECTED,
        EventType.LINKEDIN_AUTH_ERROR,
        EventType.LINKEDIN_BLOCKED,
        EventType.LINKEDIN_INCOMPLETE,
    }
)
#: What follows on a drop: told with it, if it is told in an incident.
FOLLOWS = frozenset({EventType.LINKEDIN_RECONNECTED, EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_RESUMED})
TOLD_IN = "Told in the incident"
NAMED = 10  # accounts that an incident's mail names

Replaced = Mapping[str, str]  # deliveries' ids --> why they are not sent


def due_at(event: Event, channel: Channel) -> datetime | None:
    """When a Delivery of `event` to `channel` is to leave after the wait of an alert; None: at once."""
    if channel.kind == ChannelKind.WEBHOOK:
        return None
    due = None
    if is_about_an_outage(event):
        due = event.created_at + ALERT_DELAY
    elif event.event_type == EventType.ACCOUNTS_INCIDENT and event.payload.get("count"):
        noted_at = Outage.objects.filter(incident=event.subject).aggregate(first=Min("noted_at"))["first"]
        due = (noted_at or event.created_at) + ALERT_DELAY  # as the first of those whose place it takes
    return due if due and due > timezone.now() else None


def stands_for(event: Event, channel: Channel) -> bool:
    """Whether people who listen to drops, not to incidents by name, get this incident in the place of its drops."""
    if event.event_type != EventType.ACCOUNTS_INCIDENT or channel.kind == ChannelKind.WEBHOOK:
        return False
    if channel.event_types and not {EventType.ACCOUNTS_INCIDENT, *OUTAGE_EVENTS} & set(channel.event_types):
        return False
    outages = Outage.objects.filter(incident=event.subject)
    return not channel.locations or outages.filter(account__sub_account__location_id__in=channel.locations).exists()


def stands_in_for(event: Event) -> set[EventType]:
    """Of an incident, what its drops would have been told as."""
    if event.event_type != EventType.ACCOUNTS_INCIDENT:
        return set()
    statuses = Outage.objects.filter(incident=event.subject).values_list("status", flat=True)
    return {STATUS_EVENTS[status] for status in map(AccountStatus, statuses) if status in STATUS_EVENTS}


def told_elsewhere(deliveries: Iterable[Delivery], channels: Mapping[str, Channel]) -> Replaced:
    """Which of these deliveries (their events loaded) say what an incident's says, and what incidents have outlived."""
    mine = [
        (delivery, channel)
        for delivery in deliveries
        if (channel := channels.get(delivery.channel_id or "")) and channel.kind != ChannelKind.WEBHOOK
    ]
    incidents = [(d, c) for d, c in mine if d.event.event_type == EventType.ACCOUNTS_INCIDENT]
    outages = [(d, c) for d, c in mine if d.event.event_type in OUTAGE_EVENTS | FOLLOWS and _account_of(d.event)]
    found = _outlived(incidents) if incidents else {}
    return {**found, **(_in_incidents(outages) if outages else {})}


def alerts_for(events: Iterable[Event]) -> dict[str, Alert]:
    """What the alerts among these events say, by the events' ids."""
    found = {}
    for event in events:
        if event.subject == SLOW_ANSWERS:
            found[event.pk] = Alert(closed=event.payload["count"] == 0, url=_back_office("sourceissue", "?state=open"))
        elif event.subject.startswith("inc_"):
            found[event.pk] = _alert_of_incident(event)
        elif event.event_type in OUTAGE_EVENTS | {EventType.STAFF_ALERT} and (account_id := _account_of(event)):
            found[event.pk] = Alert(at_risk=at_risk([account_id]), url=_back_office("account", f"{account_id}/change/"))
    return found


def is_about_an_outage(event: Event) -> bool:
    """Whether people are told of it only after a wait."""
    if event.event_type == EventType.CAMPAIGN_PAUSED:
        return bool(_account_of(event)) and event.payload.get("paused_by") == PausedBy.SYSTEM
    return event.event_type in OUTAGE_EVENTS and bool(_account_of(event))


def _account_of(event: Event) -> str:
    return str(event.payload.get("linkedin_account_id", ""))


def _in_incidents(mine: Collection[tuple[Delivery, Channel]]) -> dict[str, str]:
    """Those about accounts that were down in an incident when the event was recorded, and whose channel hears of it."""
    outages = Outage.objects.filter(account__in={_account_of(d.event) for d, _ in mine}, incident__isnull=False)
    by_account: dict[str, list[Outage]] = {}
    for outage in outages:
        by_account.setdefault(outage.account_id, []).append(outage)
    told = Event.objects.filter(subject__in={outage.incident_id for outage in outages if outage.incident_id})
    openings: dict[str, Event] = {}
    for event in told.filter(event_type=EventType.ACCOUNTS_INCIDENT).order_by("-id"):
        openings[event.subject] = event
    found = {}
    for delivery, channel in mine:
        for outage in by_account.get(_account_of(delivery.event), ()):
            opening = openings.get(outage.incident_id or "")
            covers = outage.back_at is None or outage.back_at >= delivery.event.occurred_at
            if covers and opening and stands_for(opening, channel):
                found[delivery.pk] = f"{TOLD_IN} {outage.incident_id}."
    return found


def _outlived(mine: Collection[tuple[Delivery, Channel]]) -> dict[str, str]:
    """Openings of incidents that are closed by now, and ends of incidents whose opening was never sent."""
    closed = Incident.objects.filter(pk__in={d.event.subject for d, _ in mine}, closed_at__isnull=False)
    over = set(closed.values_list("pk", flat=True))
    sent = Delivery.objects.filter(
        event__in=Event.objects.filter(subject__in=over, event_type=EventType.ACCOUNTS_INCIDENT),
        status=DeliveryStatus.DELIVERED,
    )
    heard = set(sent.values_list("event__subject", "channel_id"))
    found = {}
    for delivery, channel in mine:
        is_end = delivery.event.payload.get("count") == 0
        if not is_end and delivery.event.subject in over:
            found[delivery.pk] = "No longer needed: all of the incident's accounts are back."
        elif is_end and (delivery.event.subject, channel.pk) not in heard:
            found[delivery.pk] = "No longer needed: the incident was over before anybody was told."
    return found


def _alert_of_incident(event: Event) -> Alert:
    incident = Incident.objects.filter(pk=event.subject).first()
    if incident is None:
        return Alert(closed=True, url=_back_office("incident", event.subject))
    outages = Outage.objects.filter(Q(incident=incident) | Q(incident__part_of=incident))
    everyone = list(outages.order_by("id").values_list("account_id", "agency_id", "back_at"))
    down = [account_id for account_id, _, back_at in everyone if back_at is None]
    names = Account.objects.filter(pk__in=down[:NAMED]).in_bulk()
    return Alert(
        at_risk=at_risk(down),
        accounts=tuple(str(names[pk]) for pk in down[:NAMED] if pk in names),
        down=len(down),
        total=len({account_id for account_id, _, _ in everyone}),
        agencies=len({agency_id for _, agency_id, _ in everyone}),
        cause=incident.cause,
        closed=event.payload.get("count") == 0,
        url=_back_office("incident", f"{incident.pk}/change/"),
    )


def _back_office(pages: str, page: str) -> str:
    return f"{settings.PUBLIC_URL}/admin/accounts/{pages}/{page}"
