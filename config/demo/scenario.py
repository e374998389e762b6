"""Describe a day of every provider's webhooks: all samples, and the steps between them. Each run gets new ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.core.enums import EventType as E
from accounts.core.enums import ProviderSlug, RequestAction
from accounts.events.outbox import iso_timestamp
from config.demo.setup import COMPANY_ID
from webhooks import samples


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request, and what it must become. `about` names the object whose state `becomes` describes."""

    provider: ProviderSlug
    title: str
    payload: dict[str, Any]
    about: tuple[str, str]
    becomes: str
    events: tuple[E, ...] = ()
    receipt: str = "processed"
    answer: str = "accepted"
    status_code: int = 200
    forged: bool = False
    same_body_as_before: bool = False
    registers: tuple[str, RequestAction] | None = None  # We-Link: registered before the result arrives
    registers_late: tuple[str, RequestAction] | None = None  # registered after the result waited in quarantine


def day(run: str, now: datetime) -> list[Step]:
    """Return the steps of a day that ends at `now`. `run` makes every id new."""
    return [
        *salesflow(run),
        *welink(run),
        *sendpilot(run, now),
        *linkedin(run, now),
        *linkedconnector(run, now),
        *highlevel(run, now),
    ]


def salesflow(run: str) -> Iterator[Step]:
    number = int(run, 36)
    account = ("account", str(number))

    def step(title: str, status: str, becomes: str, *events: E, **more: Any) -> Step:
        payload = samples.load_sample("salesflow", "account_active")
        payload["LinkedInAccountId"] = number
        payload["Payload"]["Data"]["Status"] = status
        return Step(
            provider=ProviderSlug.SALESFLOW, title=title, payload=payload, about=account, becomes=becomes,
            events=events, **more,
        )  # fmt: skip

    yield step("account_active", "ACCOUNT_ACTIVE", "account active", E.LINKEDIN_CONNECTED)
    yield step("account_active, once more", "ACCOUNT_ACTIVE", "account active")
    yield step("account_paused", "ACCOUNT_PAUSED", "account incomplete", E.LINKEDIN_INCOMPLETE, E.REAUTH_REQUESTED)
    yield step("… onboarding completed", "ACCOUNT_ACTIVE", "account active", E.LINKEDIN_RECONNECTED)
    yield step(
        "account_blocked", "ACCOUNT_BLOCKED", "account disconnected", E.LINKEDIN_DISCONNECTED, E.REAUTH_REQUESTED
    )
    yield step(
        "a forged request",
        "ACCOUNT_ACTIVE",
        "account disconnected",
        forged=True,
        status_code=401,
        answer="",
        receipt="",
    )
    yield step("… the challenge solved", "ACCOUNT_ACTIVE", "account active", E.LINKEDIN_RECONNECTED)
    yield step("a word nobody knows", "ACCOUNT_HIBERNATING", "account active", receipt="quarantined")
    yield step("account_deleted", "ACCOUNT_DELETED", "account deleted", E.LINKEDIN_DELETED)
    legacy = samples.load_sample("salesflow", "legacy_member_connected")
    legacy |= {"LinkedInMemberId": number, "MemberUrl": f"https://linkedin.com/in/john-smith-{run}"}
    legacy |= {"Email": f"john.{run}@example.com"}
    yield Step(
        provider=ProviderSlug.SALESFLOW,
        title="legacy_member_connected",
        payload=legacy,
        about=("lead", str(number)),
        becomes="lead CONNECTION_ACCEPTED",
        events=(E.LEAD_CREATED, E.LEAD_STATUS_CHANGED),
    )


def welink(run: str) -> Iterator[Step]:
    login = (f"login-{run}", RequestAction.LOGIN)
    invitation = (f"connect-{run}", RequestAction.CONNECT)
    account = ("account", f"jane-doe-{run}")

    def step(sample: str, request: str, becomes: str, *events: E, **more: Any) -> Step:
        payload = samples.load_sample("welink", sample) | {"request_id": request}
        if sample == "login_success":
            payload["result"] |= {"profile_id": f"jane-doe-{run}", "public_identifier": f"jane-doe-{run}"}
        if sample == "connection_sent":
            payload["result"]["profile_id"] = f"target-{run}"
        return Step(
            **{"provider": ProviderSlug.WELINK, "title": sample, "payload": payload, "about": account}
            | {"becomes": becomes, "events": events}
            | more
        )

    yield step("login_success", login[0], "account active", E.LINKEDIN_CONNECTED, registers=login)
    yield step("login_pin_required", login[0], "account incomplete", E.LINKEDIN_INCOMPLETE, E.REAUTH_REQUESTED)
    yield step("login_failed", login[0], "account auth_error", E.LINKEDIN_AUTH_ERROR)
    yield step("login_failed_error_model", login[0], "account auth_error")
    yield step("account_restricted", login[0], "account blocked", E.LINKEDIN_BLOCKED)
    yield step(
        "connection_sent",
        invitation[0],
        "lead CONNECTION_SENT",
        E.LEAD_CREATED,
        E.LEAD_STATUS_CHANGED,
        about=("lead", f"target-{run}"),
        registers_late=invitation,
    )
    yield step("rate_limited", login[0], "account blocked, waiting", E.LINKEDIN_RATE_LIMIT)


def sendpilot(run: str, now: datetime) -> Iterator[Step]:
    lead, campaign = f"lead_{run}", f"camp_{run}"
    minutes = iter(range(60))

    def step(title: str, becomes: str, *events: E, kind: str = "", earlier: bool = False, **more: Any) -> Step:
        data = {"leadId": lead, "campaignId": campaign, "linkedinUrl": f"https://www.linkedin.com/in/john-doe-{run}"}
        payload: dict[str, Any] = (
            {"eventType": kind, "workspaceId": "ws_abc123xyz", "data": {}}
            if kind
            else samples.load_sample("sendpilot", title)
        )
        number = next(minutes)
        at = now - timedelta(hours=2) if earlier else now - timedelta(minutes=60 - number)
        payload |= {"eventId": f"evt_{run}_{number}", "timestamp": iso_timestamp(at)}
        payload["data"] = payload["data"] | data | more.pop("data", {})
        if title == "campaign_paused":
            payload["data"] = {
                "campaignId": campaign, "campaignName": "Q1 Tech Founders Outreach",
                "pausedAt": iso_timestamp(at), "pausedBy": "api",
            }  # fmt: skip
        return Step(
            provider=ProviderSlug.SENDPILOT, title=title, payload=payload,
            about=more.pop("about", ("lead", lead)), becomes=becomes, events=events, **more,
        )  # fmt: skip

    changed = E.LEAD_STATUS_CHANGED
    yield step("an invitation", "lead CONNECTION_SENT", E.LEAD_CREATED, changed, kind="connection.sent")
    yield step("… accepted", "lead CONNECTION_ACCEPTED", changed, kind="connection.accepted")
    yield step("… a message", "lead MESSAGE_SENT", changed, kind="message.sent", data={"message": "Hello John"})
    yield step(
        "… and a reply", "lead REPLY_RECEIVED", changed, E.LEAD_REPLIED, E.MESSAGE_RECEIVED, kind="reply.received",
        data={"reply": "Sounds good, tell me more."},
    )  # fmt: skip
    yield step("lead_status_changed", "lead OPPORTUNITY", changed, E.LEAD_OPPORTUNITY)
    yield step("… delivered twice", "lead OPPORTUNITY", answer="duplicate", kind="-", same_body_as_before=True)
    yield step(
        "… an old report, late", "lead OPPORTUNITY", kind="lead.updated", earlier=True,
        data={"previousStatus": "PENDING", "newStatus": "CONNECTION_SENT"},
    )  # fmt: skip
    yield step("lead_updated", "lead MEETING_BOOKED", changed)
    yield step("campaign_paused", "campaign paused", E.CAMPAIGN_PAUSED, about=("campaign", campaign))


def linkedin(run: str, now: datetime) -> Iterator[Step]:
    form, event = f"form-{run}-4", f"event-{run}-5"
    minute_ago = int((now - timedelta(minutes=1)).timestamp())

    def step(title: str, response: str, occurred_at: int, becomes: str, *events: E) -> Step:
        payload = samples.load_sample("linkedin", title)
        payload |= {"leadGenFormResponse": f"urn:li:leadGenFormResponse:{response}", "occurredAt": occurred_at}
        return Step(
            provider=ProviderSlug.LINKEDIN, title=title, payload=payload, about=("lead", response), becomes=becomes,
            events=events,
        )  # fmt: skip

    yield step("lead_created", form, minute_ago * 1000, "lead PENDING", E.LEAD_CREATED)
    yield step("lead_created_event", event, minute_ago, "lead PENDING", E.LEAD_CREATED)
    yield step("lead_deleted", form, (minute_ago + 10) * 1000, "no lead", E.LEAD_ERASED)


def linkedconnector(run: str, now: datetime) -> Iterator[Step]:
    location = f"loc{run}"
    account = ("account at", location)
    samples_and_states: list[tuple[str, tuple[str, str], str, *tuple[E, ...]]] = [
        ("install", ("location", location), "installed", E.INSTALL),
        ("linkedin_disconnected", account, "account disconnected", E.LINKEDIN_DISCONNECTED),
        ("linkedin_reconnected", account, "account active", E.LINKEDIN_RECONNECTED),
        ("linkedin_rate_limit", account, "account active, waiting", E.LINKEDIN_RATE_LIMIT),
        ("linkedin_auth_error", account, "account auth_error, waiting", E.LINKEDIN_AUTH_ERROR, E.REAUTH_REQUESTED),
        ("linkedin_blocked", account, "account blocked, waiting", E.LINKEDIN_BLOCKED),
        ("linkedin_deleted", account, "account deleted, waiting", E.LINKEDIN_DELETED),
        ("uninstall", ("location", location), "uninstalled", E.UNINSTALL),
    ]
    for number, (sample, about, becomes, *events) in enumerate(samples_and_states):
        at = now - timedelta(minutes=20 - number)
        payload = samples.load_sample("linkedconnector", sample)
        payload |= {"ghl_company_id": COMPANY_ID, "ghl_location_id": location, "timestamp": iso_timestamp(at)}
        if "resets_at" in payload:
            payload["resets_at"] = iso_timestamp(now + timedelta(hours=1))
        yield Step(
            provider=ProviderSlug.LINKEDCONNECTOR,
            title=sample,
            payload=payload,
            about=about,
            becomes=becomes,
            events=tuple(events),
        )


def highlevel(run: str, now: datetime) -> Iterator[Step]:
    location = f"hl{run}"
    for number, (sample, becomes, event) in enumerate(
        [("install", "installed", E.INSTALL), ("uninstall", "uninstalled", E.UNINSTALL)]
    ):
        payload = samples.load_sample("highlevel", sample)
        payload |= {"locationId": location, "webhookId": f"wh_{run}_{number}"}
        payload |= {"timestamp": iso_timestamp(now - timedelta(minutes=5 - number))}
        if "companyId" in payload:
            payload["companyId"] = COMPANY_ID
        yield Step(
            provider=ProviderSlug.HIGHLEVEL,
            title=sample,
            payload=payload,
            about=("location", location),
            becomes=becomes,
            events=(event,),
        )
