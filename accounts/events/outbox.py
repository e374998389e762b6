"""Write the event log in the transaction that makes an event so. `notifications` delivers the events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.sentences import stored
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.reactions import react_to
from accounts.events.signals import event_recorded
from accounts.models import Account, Agency, Campaign, Event


def record_event(
    agency: Agency,
    event_type: EventType,
    *,
    occurred_at: datetime | None = None,
    not_before: datetime | None = None,
    subject: str = "",
    location_id: str = "",
    receipt_id: str = "",
    for_channel: str = "",
    recipient: str = "",
    is_test: bool = False,
    creation_locale: str = "",
    also_for: Sequence[str] = (),
    example_of: EventType | None = None,
    work: UnitOfWork = AT_ONCE,
    **fields: Any,
) -> Event:
    """Write one Event. `fields` are the optional fields of the body; those without a value are left out.
    An `error_detail` of ours is a sentence, so that people read it in their language.

    With `for_channel` (an id) or `recipient` the event goes to that channel or address only. `is_test` keeps it from
    channels that do not ask for test leads, `creation_locale` from those that chose other form languages. The body of
    a test says that it is of the type `example_of`. Nobody gets the event earlier than `not_before`.
    Channels with the ids of `also_for` get it too, whatever they listen to.
    """
    event = Event(
        agency=agency,
        event_type=event_type,
        subject=subject,
        location_id=location_id,
        receipt_id=receipt_id,
        channel_id=for_channel,
        recipient=recipient,
        is_test=is_test,
        creation_locale=creation_locale,
        also_for=list(also_for) or None,
        detail_sentence=stored(fields.get("error_detail", "")),
        occurred_at=occurred_at or timezone.now(),
    )
    if not_before is not None:
        event.next_attempt_at = not_before
    body = {
        "event_type": (example_of or event_type).value,
        "event_id": event.id,
        "ghl_company_id": agency.ghl_company_id,
        "ghl_location_id": location_id,
        "timestamp": iso_timestamp(event.occurred_at),
        "is_test": is_test or None,
        **fields,
    }
    event.payload = {name: value for name, value in body.items() if value not in (None, "", [], {})}
    work.add(event)
    react_to(event, work)
    transaction.on_commit(partial(_wake_up, event), robust=True)
    return event


def _wake_up(event: Event) -> None:
    """Have the event fanned out. One that awaits reactions is, once they were carried out."""
    if not event.awaits_reactions:
        event_recorded.send(sender=Event)


def iso_timestamp(when: datetime) -> str:
    """Return a time in ISO 8601 in UTC with three fractional digits and `Z`, the product's format everywhere."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def account_fields(account: Account) -> dict[str, Any]:
    """Return the body fields that name the account of an event."""
    return {
        "location_id": account.sub_account.location_id if account.sub_account else "",
        "linkedin_account_id": account.id,
        "linkedin_account_name": account.display_name,
        "linkedin_account_email": account.email,
        "provider": account.provider,
    }


def campaign_fields(campaign: Campaign | None) -> dict[str, Any]:
    return {"campaign_id": campaign.id, "campaign_name": campaign.name} if campaign else {}
