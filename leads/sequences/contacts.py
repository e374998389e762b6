"""Find out what keeps a sequence from writing to a person: what the person did, other automations, and the brake."""

from datetime import datetime, timedelta

from django.db.models import Max, Min, Q

from accounts.core.enums import CampaignStatus, ProviderSlug
from accounts.core.ids import first_id
from leads.enums import (
    OUTBOUND,
    ChangedBy,
    EmailKind,
    EndReason,
    LeadStatus,
    MessageAuthor,
    MessageState,
)
from leads.models import Enrolment, Lead, LeadReference, Message, OutboundEmail
from leads.sequences.opt_outs import has_opted_out

#: A person gets at most one automated message in this time, over all providers and channels.
BRAKE = timedelta(hours=24)
#: Providers whose campaigns go on whatever we send.
WITH_CAMPAIGNS = (ProviderSlug.SENDPILOT, ProviderSlug.SALESFLOW)
#: What stops a sequence for a lead. Erasing the lead removes it with everything.
STOPS = (
    EndReason.REPLY,
    EndReason.OPT_OUT,
    EndReason.NOT_INTERESTED,
    EndReason.MEETING_BOOKED,
    EndReason.CONVERTED,
    EndReason.STOPPED,
    EndReason.BOUNCE,
)
_ENDED_BY_STATUS = {
    LeadStatus.NOT_INTERESTED: EndReason.NOT_INTERESTED,
    LeadStatus.MEETING_BOOKED: EndReason.MEETING_BOOKED,
    LeadStatus.OPPORTUNITY: EndReason.CONVERTED,
    LeadStatus.DONE: EndReason.CONVERTED,
}


def refusal_for(lead: Lead) -> EndReason | None:
    """Return why a lead cannot be written to by a sequence at all, or None."""
    if has_opted_out(lead):
        return EndReason.OPT_OUT
    return _ENDED_BY_STATUS.get(LeadStatus(lead.status))


def stop_reason(lead: Lead, enrolment: Enrolment) -> EndReason | None:
    """Return why an enrolment has to stop now, as the database says, or None."""
    if (reason := refusal_for(lead)) is not None:
        return reason
    return EndReason.REPLY if has_replied_since(lead, enrolment.created_at) else None


def has_replied_since(lead: Lead, since: datetime) -> bool:
    """Return whether a lead wrote on any channel since a time, or we learned since then that the lead had written."""
    new_messages = Q(occurred_at__gte=since) | Q(pk__gte=first_id("msg", since))
    new_reports = Q(occurred_at__gte=since) | Q(arrived_at__gte=since)
    messages = Message.objects.filter(new_messages, lead=lead, author=MessageAuthor.LEAD)
    replies = lead.changes.filter(new_reports, is_report=True, new_status=LeadStatus.REPLY_RECEIVED)
    return messages.exists() or replies.exists()


def connected_since(lead: Lead) -> datetime | None:
    """Return when the lead first showed that it is a connection: it accepted an invitation, or wrote. None: never."""
    shown = lead.changes.filter(
        is_report=True, new_status__in=(LeadStatus.CONNECTION_ACCEPTED, LeadStatus.REPLY_RECEIVED)
    )
    messages = Message.objects.filter(lead=lead, author=MessageAuthor.LEAD)
    times = (shown.aggregate(at=Min("occurred_at"))["at"], messages.aggregate(at=Min("occurred_at"))["at"])
    return min((at for at in times if at is not None), default=None)


def last_touch(lead: Lead, *, recipient: str = "", besides: str = "") -> datetime | None:
    """Return when an automation last wrote to a person, or began to. The e-mail or message `besides` does not count."""
    emails = OutboundEmail.objects.filter(
        Q(lead=lead) | Q(recipient=recipient) if recipient else Q(lead=lead),
        agency=lead.agency_id,
        kind=EmailKind.STEP,
        sending_since__isnull=False,
    ).exclude(pk=besides)
    messages = Message.objects.filter(lead=lead, author=MessageAuthor.AUTOMATION)
    messages = messages.exclude(sending_state=MessageState.FAILED).exclude(pk=besides)
    reports = lead.changes.filter(is_report=True, new_status__in=OUTBOUND).exclude(changed_by=ChangedBy.USER)
    times = (
        emails.aggregate(at=Max("sending_since"))["at"],
        messages.aggregate(at=Max("occurred_at"))["at"],
        reports.aggregate(at=Max("occurred_at"))["at"],
    )
    return max((at for at in times if at is not None), default=None)


def brake_ends(lead: Lead, now: datetime, *, recipient: str = "", besides: str = "") -> datetime | None:
    """Return until when nothing automated may be sent to a person, or None if it may now."""
    touched = last_touch(lead, recipient=recipient, besides=besides)
    return touched + BRAKE if touched is not None and touched + BRAKE > now else None


def live_campaign_of(lead: Lead) -> LeadReference | None:
    """Return the lead's place in a campaign of SendPilot or Salesflow that goes on, or None.

    Their sequence does not notice ours, so such a lead would be written to by both.
    """
    references = LeadReference.objects.filter(lead=lead, provider__in=WITH_CAMPAIGNS, campaign__isnull=False)
    going_on = references.exclude(campaign__status=CampaignStatus.FINISHED)
    return going_on.select_related("campaign").order_by("pk").first()
