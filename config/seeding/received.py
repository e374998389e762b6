"""What else comes in: campaigns that change, words nobody knows, requests that nobody registered, forged ones."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from accounts.core.enums import CampaignStatus, EventType, PausedBy, ProviderSlug
from accounts.events import outbox
from accounts.events.ordering import Origin
from accounts.models import Campaign, SubAccount
from config.seeding.accounts import pause_campaign
from config.seeding.happenings import Happening
from config.seeding.place import Place
from webhooks.models import RejectedRequest

UNKNOWN_REQUEST = "Nobody has said what this request was for, and the answer does not tell."
WRONG_SIGNATURE = "wrong_signature"
BROKEN = "RuntimeError: Its processing was broken off again and again."


def other_stories(place: Place) -> Iterator[Happening]:
    """Yield what happens besides to accounts and leads."""
    yield from _campaigns(place)
    for number in range(6):
        body = {
            "EventType": "ACCOUNT_STATUS_CHANGED", "Payload": {"Data": {"Status": "ACCOUNT_HIBERNATING"}},
            "LinkedInAccountId": 7000 + number, "LinkedInEmail": place.accounts[number].email,
        }  # fmt: skip
        yield Happening(place.working_time(40 + 3 * number), _nothing, ProviderSlug.SALESFLOW, body)
    for number in range(4):
        at = place.working_time(30 + 7 * number)
        body = _sendpilot(place, "lead.snoozed", at, {"leadId": f"snoozed_{number}"})
        yield Happening(at, _nothing, ProviderSlug.SENDPILOT, body)
    for number in range(3):
        request = f"connect-{place.random.getrandbits(48):012x}"
        body = {"event_type": "CONNECTION_SENT", "status": "SUCCESS", "request_id": request, "result": {}}
        yield Happening(
            place.now - timedelta(hours=2 + 9 * number), _nothing, ProviderSlug.WELINK, body, correlation=request,
            reason="unknown_request", error=UNKNOWN_REQUEST,
        )  # fmt: skip
    for number in range(2):
        at = place.working_time(48 + 5 * number)
        body = _sendpilot(place, "message.sent", at, {"leadId": f"{place.random.getrandbits(48)}"})
        yield Happening(at, _nothing, ProviderSlug.SENDPILOT, body, error=BROKEN)
    for sub_account in place.sub_accounts:
        body = {
            "event_type": "install", "ghl_company_id": place.agency.ghl_company_id,
            "ghl_location_id": sub_account.location_id, "timestamp": outbox.iso_timestamp(sub_account.created_at),
            **_installer(sub_account),
        }  # fmt: skip
        happen = partial(_installed, place, sub_account)
        yield Happening(sub_account.created_at, happen, ProviderSlug.LINKEDCONNECTOR, body)


def rejected_requests(place: Place) -> list[RejectedRequest]:
    """Return what failed verification: a tool that still signs with an old secret, and a scanner."""
    sendpilot, salesflow = place.sources[ProviderSlug.SENDPILOT], place.sources[ProviderSlug.SALESFLOW]
    return [
        RejectedRequest(
            source=sendpilot, reason=WRONG_SIGNATURE, count=14, first_seen=place.working_time(31),
            last_seen=place.working_time(32),
        ),
        RejectedRequest(
            source=salesflow, reason="missing_signature", count=3, first_seen=place.working_time(12),
            last_seen=place.now - timedelta(days=1),
        ),
    ]  # fmt: skip


def _campaigns(place: Place) -> Iterator[Happening]:
    """One is paused at its provider by a person, one is finished."""
    paused, finished = place.campaigns[1], place.campaigns[0]
    yield _campaign(place, paused, "campaign.paused", place.now - timedelta(days=4), partial(_paused, place, paused))
    yield _campaign(place, finished, "campaign.finished", place.now - timedelta(days=9), partial(_finished, finished))


def _campaign(
    place: Place, campaign: Campaign, event: str, at: datetime, happen: Callable[[Origin], None]
) -> Happening:
    data = {"campaignId": campaign.external_id, "campaignName": campaign.name}
    more = {"pausedAt": outbox.iso_timestamp(at), "pausedBy": "user"} if event == "campaign.paused" else {}
    body = _sendpilot(place, event, at, data | more)
    return Happening(at, happen, ProviderSlug.SENDPILOT, body)


def _paused(place: Place, campaign: Campaign, origin: Origin) -> None:
    campaign.reported_at, campaign.reported_sequence = origin.order
    if campaign.status == CampaignStatus.ACTIVE:
        pause_campaign(place, campaign, PausedBy.USER, "", origin)


def _finished(campaign: Campaign, origin: Origin) -> None:
    campaign.reported_at, campaign.reported_sequence = origin.order
    campaign.status, campaign.paused_by, campaign.pause_reason = CampaignStatus.FINISHED, "", ""
    campaign.updated_at = origin.at


def _installed(place: Place, sub_account: SubAccount, origin: Origin) -> None:
    outbox.record_event(
        place.agency, EventType.INSTALL, subject=sub_account.id, location_id=sub_account.location_id,
        occurred_at=origin.at, receipt_id=origin.receipt_id, work=place.rows, **_installer(sub_account),
    )  # fmt: skip


def _installer(sub_account: SubAccount) -> dict[str, Any]:
    names = ("installer_name", "installer_email", "ghl_user_id")
    return {name: getattr(sub_account, name) for name in names}


def _sendpilot(place: Place, event: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventId": f"evt_{place.random.getrandbits(64):016x}", "eventType": event,
        "timestamp": outbox.iso_timestamp(at),
        "workspaceId": "ws_seeded", "data": data,
    }  # fmt: skip


def _nothing(origin: Origin) -> None:
    """Do nothing: it waits for somebody who understands it."""
