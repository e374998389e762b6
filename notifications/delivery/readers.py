"""Load what a message needs besides its event: in which language its reader reads, and what the lead answered."""

from collections.abc import Iterable, Mapping

from accounts.core.email_addresses import email_key
from accounts.core.enums import EventType
from accounts.models import Agency, Event
from accounts.tenancy.languages import DEFAULT_LOCALES, languages_of_addresses, locale_in
from leads.enums import LeadStatus
from leads.pipeline.replies import texts_of_replies
from notifications.models import Channel, ChannelKind, Delivery
from notifications.staff.alerts import SLACK_PREFIX

_ABOUT_A_REPLY = frozenset({EventType.LEAD_REPLIED, EventType.LEAD_STATUS_CHANGED, EventType.MESSAGE_RECEIVED})


def locales_of(
    deliveries: Iterable[Delivery], channels: Mapping[str, Channel], agencies: Mapping[str, Agency]
) -> dict[str, str]:
    """Return the locale of the reader of each delivery to people: that of the member with this address, else that of
    the agency. The staff reads English."""
    addresses = {delivery.pk: _address_of(delivery, channels) for delivery in deliveries}
    chosen = languages_of_addresses(filter(None, addresses.values()))
    return {
        delivery.pk: DEFAULT_LOCALES["en"]
        if delivery.event.event_type == EventType.STAFF_ALERT
        else locale_in(chosen.get(email_key(addresses[delivery.pk]), ""), agencies[delivery.agency_id])
        for delivery in deliveries
    }


def replies_to(events: Iterable[Event]) -> dict[str, str]:
    """Return what leads answered, by the ids of those events that are about a reply."""
    about = [
        event
        for event in events
        if event.event_type in _ABOUT_A_REPLY and event.payload.get("status") == LeadStatus.REPLY_RECEIVED
    ]
    return texts_of_replies(about) if about else {}


def _address_of(delivery: Delivery, channels: Mapping[str, Channel]) -> str:
    channel = channels.get(delivery.channel_id or "")
    if channel is not None:
        return channel.email if channel.kind == ChannelKind.EMAIL else ""
    return "" if delivery.recipient.startswith(SLACK_PREFIX) else delivery.recipient
