"""The portal's pages about campaigns."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.core.enums import AccountStatus, PausedBy, Role
from accounts.models import Account, Agency, AuditEntry, Campaign, CampaignCommand, Event
from accounts.web.portal.pagination import SIZE
from leads.analytics.rebuilding import rebuild_facts
from leads.enums import LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead
from tests.factories import Everything
from tests.portal.browser import Browser
from tests.reactions import react


@pytest.fixture
def owner(sign_in: Browser) -> Client:
    return sign_in(Role.OWNER)


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def names(page: str) -> list[str]:
    return re.findall(r'<a href="/campaigns/cmp_\w+">([^<]+)</a>', page)


def make_campaigns(agency: Agency, *converted: int) -> list[Campaign]:
    """A campaign for each number, with ten leads of which so many converted."""
    made = []
    for number, wanted in enumerate(converted):
        campaign = Campaign.objects.create(
            agency=agency, provider="sendpilot", external_id=f"{number}", name=f"C{number}"
        )
        for lead in range(10):
            status = LeadStatus.OPPORTUNITY if lead < wanted else LeadStatus.CONNECTION_SENT
            create_lead(agency, name="Ada", email="ada@example.com", campaign=campaign, status=status)
        made.append(campaign)
    react()
    return made


def test_campaigns_are_listed_with_their_figures_and_sorted_by_them(agency: Agency, owner: Client) -> None:
    make_campaigns(agency, 1, 5, 3)
    Campaign.objects.create(agency=agency, provider="sendpilot", external_id="none", name="Empty")
    assert names(html(owner, "/campaigns")) == ["Empty", "C2", "C1", "C0"]
    page = html(owner, "/campaigns?sort=-conversion")
    assert names(page) == ["C1", "C2", "C0", "Empty"]
    assert 'aria-sort="descending"' in page
    assert 'data-label="Conversion" class="number">50%<' in page
    assert names(html(owner, "/campaigns?sort=conversion")) == ["C0", "C2", "C1", "Empty"]
    assert names(html(owner, "/campaigns?sort=-leads&q=empty")) == ["Empty"]


def test_a_ranked_list_has_pages(agency: Agency, owner: Client) -> None:
    now = timezone.now()
    campaigns = [
        Campaign.objects.create(agency=agency, provider="sendpilot", external_id=f"{number}", name=f"N{number}")
        for number in range(SIZE + 10)
    ]
    Lead.objects.bulk_create(Lead(agency=agency, campaign=one, status_since=now, received_at=now) for one in campaigns)
    rebuild_facts()
    first = html(owner, "/campaigns?sort=-leads")
    [following] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = html(owner, "/campaigns" + following.replace("&amp;", "&"))
    assert len(names(first)) == SIZE
    assert {*names(first), *names(second)} == {campaign.name for campaign in campaigns}


def test_a_campaign_says_who_paused_it_and_why_and_a_person_resumes_it(ours: Everything, owner: Client) -> None:
    path = f"/campaigns/{ours.campaign.pk}"
    Account.objects.filter(pk=ours.account.pk).update(status=AccountStatus.ACTIVE, reported_at=timezone.now())
    owner.post(f"{path}/pause", {"reason": "Too many replies"})
    ours.campaign.refresh_from_db()
    assert (ours.campaign.status, ours.campaign.paused_by) == ("paused", PausedBy.USER)
    page = html(owner, path)
    assert "<strong>Paused by a person.</strong> Too many replies" in page
    assert "It stays paused until a person resumes it." in page
    assert f'href="/leads?campaign={ours.campaign.pk}"' in page
    owner.post(f"{path}/resume")
    ours.campaign.refresh_from_db()
    assert (ours.campaign.status, ours.campaign.paused_by) == ("active", "")
    assert Event.objects.filter(subject=ours.campaign.pk).count() == 2
    logged = AuditEntry.objects.filter(object_id=ours.campaign.pk).values_list("action", "detail")
    assert set(logged) == {("Paused", "Too many replies"), ("Resumed", "")}
    assert "Resumed</span>" in html(owner, path)


@pytest.mark.parametrize("limit", [None, timedelta(hours=1)])
def test_a_campaign_does_not_resume_while_its_account_is_not_ready(
    ours: Everything, owner: Client, limit: timedelta | None
) -> None:
    state = AccountStatus.ACTIVE if limit else AccountStatus.AUTH_ERROR
    until = timezone.now() + limit if limit else None
    Account.objects.filter(pk=ours.account.pk).update(status=state, rate_limited_until=until)
    Campaign.objects.filter(pk=ours.campaign.pk).update(status="paused", paused_by="user")
    answer = owner.post(f"/campaigns/{ours.campaign.pk}/resume", follow=True).content.decode()
    assert "The campaign can run again when that has ended." in answer
    ours.campaign.refresh_from_db()
    assert ours.campaign.status == "paused"


def test_what_a_provider_did_not_do_is_asked_again(ours: Everything, owner: Client) -> None:
    CampaignCommand.objects.create(
        campaign=ours.campaign, action="pause", status="failed", next_attempt_at=None, error="SendPilot answered 500."
    )
    path = f"/campaigns/{ours.campaign.pk}"
    assert "did not carry it out.</strong> SendPilot answered 500." in html(owner, path)
    owner.post(f"{path}/retry")
    assert CampaignCommand.objects.get().status == "pending"
    assert "did not carry it out" not in html(owner, path)


def test_a_reader_sees_a_campaign_without_its_buttons(ours: Everything, sign_in: Browser) -> None:
    assert "Pause campaign" not in html(sign_in(Role.READ_ONLY), f"/campaigns/{ours.campaign.pk}")
