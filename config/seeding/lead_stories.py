"""What happens to leads: invited, connected, written to, answered; then people of the agency take over."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from accounts.core.enums import ProviderSlug, RequestAction
from accounts.core.linkedin_identity import linkedin_key
from accounts.events.outbox import iso_timestamp
from accounts.models import Account, Campaign
from config.seeding import people
from config.seeding.happenings import Happening
from config.seeding.leads import change_status, report_lead
from config.seeding.place import Place
from config.seeding.team_work import TeamWork
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead, LeadReference
from leads.pipeline.phones import e164
from leads.pipeline.provenance import ValueOrigin
from webhooks.models import ProviderRequest

#: Leads of an agency by what reports them.
LEADS = {ProviderSlug.SENDPILOT: 700, ProviderSlug.WELINK: 80, ProviderSlug.SALESFLOW: 30}
#: From how many of a hundred leads the next step comes, after so many days at most.
ACCEPTED, WRITTEN_TO, REPLIED = (46, 5.0), (92, 1.0), (36, 4.0)
#: What people make of a hundred replies.
OUTCOMES = ((40, LeadStatus.OPPORTUNITY), (65, LeadStatus.NOT_INTERESTED))
BOOKED, CLOSED = 55, 30
#: How many of a hundred replies that people make nothing of are answered.
ANSWERED = 85
EVENTS = {  # our status --> SendPilot's event
    LeadStatus.CONNECTION_SENT: "connection.sent",
    LeadStatus.CONNECTION_ACCEPTED: "connection.accepted",
    LeadStatus.MESSAGE_SENT: "message.sent",
    LeadStatus.REPLY_RECEIVED: "reply.received",
}


def lead_stories(place: Place, team: TeamWork) -> Iterator[Happening]:
    """Yield all that happens to the agency's leads."""
    for provider, count in LEADS.items():
        for _ in range(count):
            yield from _story(place, team, provider)


def _story(place: Place, team: TeamWork, provider: ProviderSlug) -> Iterator[Happening]:
    """One lead from its first report on. The later it began, the less has happened."""
    campaign = place.random.choice(place.campaigns) if provider is ProviderSlug.SENDPILOT else None
    earliest = (campaign.created_at - place.begin).total_seconds() / 86400 if campaign else 15.0
    account = _account_of(place, provider, campaign)
    at = min(place.working_time(place.random.uniform(earliest, 60)), place.now - timedelta(minutes=5))
    lead, reference = _make_lead(place, provider, campaign, account, at)
    report = partial(_report, place, lead, reference, account)
    if provider is not ProviderSlug.SALESFLOW:
        yield report(LeadStatus.CONNECTION_SENT, at)
        if provider is ProviderSlug.SENDPILOT and not _chance(place, ACCEPTED[0]):
            return
        at = _later(place, at, ACCEPTED[1])
    if provider is not ProviderSlug.WELINK:
        yield report(LeadStatus.CONNECTION_ACCEPTED, at)
    if provider is not ProviderSlug.SALESFLOW:
        if not _chance(place, WRITTEN_TO[0]):
            return
        at = _later(place, at, WRITTEN_TO[1])
        yield report(LeadStatus.MESSAGE_SENT, at)
    if _chance(place, REPLIED[0]):
        at = _later(place, at, REPLIED[1])
        yield report(LeadStatus.REPLY_RECEIVED, at)
        yield from _after_a_reply(place, team, lead, reference, at)


def _after_a_reply(
    place: Place, team: TeamWork, lead: Lead, reference: LeadReference, at: datetime
) -> Iterator[Happening]:
    """Somebody of the agency gets it, answers, judges it, and perhaps books a meeting."""
    drawn = place.random.randrange(100)
    outcome = next((status for limit, status in OUTCOMES if drawn < limit), None)
    is_answered = outcome is not None or _chance(place, ANSWERED)
    follows = team.waits(lead, reference, at, is_answered=is_answered)
    yield from follows
    if outcome is None:
        return
    change = partial(change_status, place, lead, reference)
    at = _later(place, max(at, *(each.at for each in follows)), 1.5)
    yield Happening(at, partial(change, outcome, ""), by=ChangedBy.USER)
    if outcome is LeadStatus.OPPORTUNITY:
        yield from team.task(lead, reference, at)
    if outcome is LeadStatus.OPPORTUNITY and _chance(place, BOOKED):
        at = _later(place, at, 4)
        yield Happening(at, partial(change, LeadStatus.MEETING_BOOKED, "Booked by phone."), by=ChangedBy.USER)
        if _chance(place, CLOSED):
            yield Happening(_later(place, at, 9), partial(change, LeadStatus.DONE, ""), by=ChangedBy.USER)


def _account_of(place: Place, provider: ProviderSlug, campaign: Campaign | None) -> Account | None:
    """Whose lead it is: a campaign's account, that of a We-Link request, none where nobody says."""
    if campaign:
        return campaign.account
    mine = [account for account in place.accounts if account.provider == provider]
    return place.random.choice(mine) if provider is ProviderSlug.WELINK else None


def _make_lead(
    place: Place, provider: ProviderSlug, campaign: Campaign | None, account: Account | None, at: datetime
) -> tuple[Lead, LeadReference]:
    who, firm = place.person(), people.company(place.random)
    url = f"https://www.linkedin.com/in/{who.slug}"
    fields: dict[str, str] = {
        "first_name": who.first_name, "last_name": who.last_name, "title": place.random.choice(people.TITLES),
        "company": firm, "location": people.city(place.random),
    }  # fmt: skip
    if provider is not ProviderSlug.SALESFLOW:
        fields["name"] = who.name
    if _chance(place, 70):
        fields["email"] = f"{who.slug}@{people.slug(firm)}.example.com"
    if _chance(place, 25):
        fields["phone"] = f"+44 20 7946 0{place.random.randrange(1000):03d}"  # kept for drama by its regulator
    came_from = ValueOrigin.PROVIDER if provider is ProviderSlug.SALESFLOW else ValueOrigin.PERSON
    lead = Lead(
        id=place.rows.new_id("lead", at), agency=place.agency, linkedin_url=url, linkedin_key=linkedin_key(url),
        source=place.sources[provider], campaign=campaign, account=account, status_since=at, received_at=at,
        created_at=at, updated_at=at, provenance=dict.fromkeys(fields, came_from.value), **fields,
    )  # fmt: skip
    lead.phone_e164 = e164(lead.phone)
    if _chance(place, 12):
        lead.tags = place.random.sample(people.TAGS, place.random.randint(1, 2))
    external_id = who.slug if provider is ProviderSlug.WELINK else f"{place.random.getrandbits(48)}"
    reference = LeadReference(
        lead=lead, agency=place.agency, provider=provider, external_id=external_id, campaign=campaign,
        source=place.sources[provider], status_since=at,
    )  # fmt: skip
    return lead, reference


def _report(
    place: Place, lead: Lead, reference: LeadReference, account: Account | None, status: LeadStatus, at: datetime
) -> Happening:
    """A provider's report of where the lead stands; none of these providers states it, all of them imply it."""
    match reference.provider:
        case ProviderSlug.SENDPILOT:
            body = _sendpilot(place, lead, reference, status, at)
        case ProviderSlug.WELINK:
            body = _welink(place, lead, reference, account, status, at)
        case _:
            body = _salesflow(lead, reference, status, at)
    data, result = body.get("data", {}), body.get("result", {})
    text = data.get("reply") or data.get("message") or result.get("message", "")
    happen = partial(report_lead, place, lead, reference, status, text)
    return Happening(at, happen, reference.provider, body, lead_id=lead.pk, correlation=str(body.get("request_id", "")))


def _sendpilot(place: Place, lead: Lead, reference: LeadReference, status: LeadStatus, at: datetime) -> dict[str, Any]:
    campaign = reference.campaign
    assert campaign is not None  # noqa: S101 (SendPilot's leads have one)
    data: dict[str, Any] = {
        "leadId": reference.external_id, "campaignId": campaign.external_id, "campaignName": campaign.name,
        "linkedinUrl": lead.linkedin_url, "senderId": campaign.sender_id,
    }  # fmt: skip
    if status is LeadStatus.REPLY_RECEIVED:
        data["reply"] = place.random.choice(people.REPLIES)
    if status is LeadStatus.MESSAGE_SENT:
        data["message"] = people.OPENERS[int(reference.external_id) % len(people.OPENERS)]
        data["sequenceStep"] = 1
    return {
        "eventId": f"evt_{place.random.getrandbits(64):016x}", "eventType": EVENTS[status],
        "timestamp": iso_timestamp(at),
        "workspaceId": "ws_seeded", "data": data,
    }  # fmt: skip


def _welink(
    place: Place, lead: Lead, reference: LeadReference, account: Account | None, status: LeadStatus, at: datetime
) -> dict[str, Any]:
    is_invitation = status is LeadStatus.CONNECTION_SENT
    request = ProviderRequest(
        source=place.sources[reference.provider], account=account, lead=lead if at < place.now else None,
        action=RequestAction.CONNECT if is_invitation else RequestAction.MESSAGE,
        request_id=f"{'connect' if is_invitation else 'message'}-{place.random.getrandbits(48):012x}", created_at=at,
    )  # fmt: skip
    if at < place.now:
        place.requests.append(request)
    event = "MESSAGE_REPLY" if status is LeadStatus.REPLY_RECEIVED else status.value
    result: dict[str, Any] = {"profile_id": reference.external_id} | ({"connected": True} if is_invitation else {})
    if status is LeadStatus.REPLY_RECEIVED:
        result["message"] = place.random.choice(people.REPLIES)
    return {"event_type": event, "status": "SUCCESS", "request_id": request.request_id, "result": result}


def _salesflow(lead: Lead, reference: LeadReference, status: LeadStatus, at: datetime) -> dict[str, Any]:
    is_reply = status is LeadStatus.REPLY_RECEIVED
    return {
        "IntegrationType": "INTEGRATION_TYPE_WEBHOOK",
        "IntegrationRunOn": "INTEGRATION_RUN_ON_REPLIED" if is_reply else "INTEGRATION_RUN_ON_CONNECTED",
        "LinkedInMemberId": int(reference.external_id), "FirstName": lead.first_name, "LastName": lead.last_name,
        "Occupation": lead.title, "Company": lead.company, "Location": lead.location, "PhoneNumber": lead.phone,
        "Email": lead.email, "MemberUrl": lead.linkedin_url, "ConnectedAt": iso_timestamp(at),
        "Status": "REPLY_DETECTED" if is_reply else "MEMBER_CONNECTED",
    }  # fmt: skip


def _chance(place: Place, percent: int) -> bool:
    return place.random.randrange(100) < percent


def _later(place: Place, at: datetime, days: float) -> datetime:
    return at + timedelta(minutes=3) + timedelta(days=place.random.uniform(0.02, days))
