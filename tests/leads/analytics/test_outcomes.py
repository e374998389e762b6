"""How far leads came is counted from the furthest status that each ever had."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from accounts.models import Agency, Campaign
from leads.analytics.outcomes import Outcomes, outcomes_by_campaign
from leads.enums import ChangedBy, LeadStatus, furthest
from leads.models import Lead
from leads.pipeline.changes import create_lead, set_status
from tests.leads.reporting import report
from tests.reactions import react
from webhooks.processing.processor import process_due_receipts


def campaign_of(agency: Agency, number: int = 1) -> Campaign:
    return Campaign.objects.create(agency=agency, provider="sendpilot", external_id=f"c{number}", name=f"Q{number}")


def lead_at(agency: Agency, campaign: Campaign, *statuses: LeadStatus, is_test: bool = False) -> Lead:
    lead = create_lead(agency, name="Ada", email="ada@example.com", campaign=campaign, is_test=is_test)
    for status in statuses:
        set_status(lead, status=status, changed_by=ChangedBy.USER)
    react()
    return lead


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((), ""),
        (("", "PENDING"), "PENDING"),
        (("OPPORTUNITY", "DONE"), "OPPORTUNITY"),
        (("DONE",), ""),
        (("NOT_INTERESTED", "MESSAGE_SENT"), "REPLY_RECEIVED"),
        (("NOT_INTERESTED", "MEETING_BOOKED"), "MEETING_BOOKED"),
    ],
)
def test_the_furthest_status_is_no_end(statuses: tuple[str, ...], expected: str) -> None:
    assert furthest(statuses) == expected


def test_a_campaign_counts_whom_it_invited_who_accepted_replied_and_converted(agency: Agency, stranger: Agency) -> None:
    campaign, empty = campaign_of(agency), campaign_of(agency, 2)
    lead_at(agency, campaign)
    lead_at(agency, campaign, LeadStatus.CONNECTION_SENT)
    lead_at(agency, campaign, LeadStatus.MESSAGE_SENT, LeadStatus.DONE)
    lead_at(agency, campaign, LeadStatus.NOT_INTERESTED)
    lead_at(agency, campaign, LeadStatus.OPPORTUNITY, LeadStatus.DONE)
    lead_at(agency, campaign, LeadStatus.OPPORTUNITY, is_test=True)
    theirs = campaign_of(stranger)
    lead_at(stranger, theirs, LeadStatus.OPPORTUNITY)
    found = outcomes_by_campaign(agency)
    assert found == {campaign.pk: Outcomes(leads=5, invited=4, accepted=3, replied=3, converted=2)}
    assert (found[campaign.pk].acceptance, found[campaign.pk].conversion) == (3 / 4, 2 / 5)
    assert outcomes_by_campaign(agency, [empty.pk, theirs.pk]) == {}
    assert Outcomes().reply_rate is None


def test_a_lead_came_as_far_as_any_report_says_in_whatever_order_they_come(agency: Agency) -> None:
    url = "https://www.linkedin.com/in/ada"
    for number, status in ((30, "DONE"), (10, "OPPORTUNITY"), (20, "MESSAGE_SENT")):
        report(agency, number, url, leadId="ada", newStatus=status)
        process_due_receipts()
    lead = Lead.objects.get()
    assert (lead.status, lead.furthest_status) == (LeadStatus.DONE, LeadStatus.OPPORTUNITY)


def test_facts_are_rebuilt_from_the_history(agency: Agency, staff: User, capsys: pytest.CaptureFixture[str]) -> None:
    lead = lead_at(agency, campaign_of(agency), LeadStatus.OPPORTUNITY, LeadStatus.DONE)
    Lead.objects.update(furthest_status="")
    call_command("rebuild_facts", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["leads"], answer["seconds"] >= 0) == (1, True)
    lead.refresh_from_db()
    assert lead.furthest_status == LeadStatus.OPPORTUNITY
