"""What the payload files about leads and campaigns say, to the last field."""

from datetime import UTC, datetime

from accounts.core.enums import CampaignStatus
from leads.enums import ChangedBy, LeadStatus
from leads.pipeline.dto import Identity
from webhooks.providers.events import (
    CampaignReported,
    LeadStatusReported,
    LeadSubmitted,
    LeadTagged,
    LeadWithdrawn,
    NothingToDo,
    ProviderEvent,
)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, us: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, us, tzinfo=UTC)


# LinkedIn

SPONSORED_FORM = "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:1,1)"


def event_lead(external_id: str, occurred_at: datetime) -> LeadSubmitted:
    return LeadSubmitted(
        external_id=external_id,
        occurred_at=occurred_at,
        lead_type="EVENT",
        form=SPONSORED_FORM,
        owner="urn:li:organization:123",
        associated_entity="urn:li:event:123",
    )


LINKEDIN: dict[str, tuple[str, ProviderEvent]] = {
    "lead_created": (
        "LEAD_ACTION",
        LeadSubmitted(
            external_id="1a2b3c-4",
            occurred_at=at(2023, 6, 7, 23, 59, 18, 881000),
            lead_type="SPONSORED",
            form=SPONSORED_FORM,
            owner="urn:li:sponsoredAccount:123",
        ),
    ),
    "lead_created_event": ("LEAD_ACTION", event_lead("2b3c4d-5", at(2023, 6, 7, 23, 59, 18))),
    "lead_created_documented_sample": ("LEAD_ACTION", event_lead("1a2b3c-4", at(1973, 11, 29, 21, 33, 9))),
    "lead_deleted": (
        "LEAD_ACTION",
        LeadWithdrawn(external_id="1a2b3c-4", occurred_at=at(2023, 6, 8, 0, 0, 58, 881000)),
    ),
}

# SendPilot

FEBRUARY = at(2026, 2, 24, 10, 30)
URL = "https://www.linkedin.com/in/john-doe"
LEAD = Identity(external_id="lead_abc123", campaign_id="camp_xyz789", linkedin_url=URL)
SENT_BY_1 = Identity(external_id="lead_abc123", campaign_id="camp_xyz789", linkedin_url=URL, sender_id="sender_1")


def derived(
    event: str, status: LeadStatus, lead: Identity = SENT_BY_1, *, text: str = "", is_preview: bool = False
) -> tuple[str, ProviderEvent]:
    return event, LeadStatusReported(
        lead=lead, status=status, stated=False, occurred_at=FEBRUARY, text=text, is_preview=is_preview
    )


def campaign(
    event: str, status: CampaignStatus, changed_by: str = "", when: datetime = FEBRUARY
) -> tuple[str, ProviderEvent]:
    return event, CampaignReported(
        external_id="camp_xyz789",
        status=status,
        occurred_at=when,
        name="Q1 Tech Founders Outreach",
        changed_by=changed_by,
    )


SENDPILOT: dict[str, tuple[str, ProviderEvent]] = {
    "lead_status_changed": (
        "lead.status.changed",
        LeadStatusReported(
            lead=LEAD,
            status=LeadStatus.OPPORTUNITY,
            stated=True,
            occurred_at=at(2024, 2, 24, 10, 30),
            previous_status=LeadStatus.REPLY_RECEIVED,
            changed_by=ChangedBy.API,
        ),
    ),
    "lead_updated": (
        "lead.updated",
        LeadStatusReported(
            lead=LEAD,
            status=LeadStatus.MEETING_BOOKED,
            stated=True,
            occurred_at=FEBRUARY,
            previous_status=LeadStatus.OPPORTUNITY,
            changed_by=ChangedBy.PROVIDER,
        ),
    ),
    "connection_sent": derived("connection.sent", LeadStatus.CONNECTION_SENT),
    "connection_request_sent": derived("connection_request.sent", LeadStatus.CONNECTION_SENT),
    "connection_accepted": derived("connection.accepted", LeadStatus.CONNECTION_ACCEPTED),
    "connection_request_accepted": derived(
        "connection_request.accepted",
        LeadStatus.CONNECTION_ACCEPTED,
        Identity(external_id="lead_abc123", linkedin_url=URL, sender_id="sender_1"),
    ),
    "message_sent_old": derived("message.sent", LeadStatus.MESSAGE_SENT, text="Hi John, thanks for…", is_preview=True),
    "message_sent": derived("message.sent", LeadStatus.MESSAGE_SENT, text="Hi John, thanks for connecting."),
    "message_received": derived("message.received", LeadStatus.REPLY_RECEIVED, text="Sounds good"),
    "reply_received": derived("reply.received", LeadStatus.REPLY_RECEIVED, text="Sounds good 👍"),
    "campaign_started": campaign("campaign.started", CampaignStatus.ACTIVE),
    "campaign_paused": campaign("campaign.paused", CampaignStatus.PAUSED, "api", at(2024, 2, 24, 10, 30)),
    "campaign_paused_by_system": campaign("campaign.paused", CampaignStatus.PAUSED, "system"),
    "campaign_resumed": campaign("campaign.resumed", CampaignStatus.ACTIVE, "user"),
    "campaign_finished": campaign("campaign.finished", CampaignStatus.FINISHED),
    "lead_tag_updated": (
        "lead.tag.updated",
        LeadTagged(lead=LEAD, tags=("hot", "founder"), occurred_at=FEBRUARY),
    ),
    "lead_database_search_completed": (
        "lead_database.search.completed",
        NothingToDo(about="lead_database.search.completed"),
    ),
    "lead_extractor_job_completed": (
        "lead_extractor.job.completed",
        NothingToDo(about="lead_extractor.job.completed"),
    ),
}
