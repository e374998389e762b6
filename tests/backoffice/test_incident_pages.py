"""What staff sees and does about incidents, unprotected campaigns, keys of sources, and their own alerts."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import services
from accounts.campaigns.service import campaign_of
from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.incidents import update_incidents
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Agency, Campaign, CampaignCommand, Incident, Sender
from accounts.sources.service import create_source
from notifications.models import StaffAlerts
from notifications.staff.alerts import alert_recipients, slack_url
from tests.backoffice.forms import form_of
from tests.reactions import react


@pytest.fixture
def incident(agency: Agency) -> Incident:
    for name in ("Ann", "Bea", "Cid"):
        services.report_status(
            agency,
            provider="salesflow",
            identity=AccountIdentity(external_id=name, name=name),
            status=AccountStatus.DISCONNECTED,
            origin=Origin(by="salesflow", at=timezone.now()),
        )
    react()
    update_incidents()
    return Incident.objects.get()


def test_an_incident_is_on_the_dashboard_in_the_list_and_on_its_page(signed_in: Client, incident: Incident) -> None:
    page = f"/admin/accounts/incident/{incident.pk}/change/"
    assert page in signed_in.get("/admin/").content.decode()
    response = signed_in.get("/admin/accounts/incident/?open=yes")
    assert [row.pk for row in response.context["cl"].result_list] == [incident.pk]
    content = signed_in.get(page).content.decode()
    assert all(f">{name}</a>" in content for name in ("Ann", "Bea", "Cid"))
    assert "Opened: 3 accounts dropped within 5 minutes." in content
    Incident.objects.update(closed_at=timezone.now())
    assert page not in signed_in.get("/admin/").content.decode()
    assert not signed_in.get("/admin/accounts/incident/?open=yes").context["cl"].result_list


# --- my alerts ---------------------------------------------------------------------------------------


def test_a_person_of_the_staff_switches_alerts_on_for_themselves(
    signed_in: Client, staff: User, settings: Settings
) -> None:
    settings.STAFF_ALERT_EMAILS = []
    url = "https://hooks.slack.com/services/T0/B0/secret"
    saved = signed_in.post("/admin/my-alerts/", {"by_email": "on", "by_slack": "on", "slack_url": url})
    assert saved.status_code == 302
    assert alert_recipients() == ["staff@example.com", f"slack:{staff.pk}"]
    assert slack_url(f"slack:{staff.pk}") == url
    page = signed_in.get("/admin/my-alerts/").content.decode()
    assert "secret" not in page
    assert page.count("checked") == 2
    signed_in.post("/admin/my-alerts/", {"by_slack": "on"})
    assert (alert_recipients(), slack_url(f"slack:{staff.pk}")) == ([f"slack:{staff.pk}"], url)
    refused = signed_in.post("/admin/my-alerts/", {"by_slack": "on", "forget_slack_url": "on"})
    assert "enter your webhook URL" in refused.content.decode()
    signed_in.post("/admin/my-alerts/", {"forget_slack_url": "on"})
    assert (alert_recipients(), slack_url(f"slack:{staff.pk}")) == ([], "")


@pytest.mark.once
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://169.254.169.254/latest", "ftp://example.com", "x"])
def test_a_webhook_that_may_not_be_reached_is_refused(signed_in: Client, url: str) -> None:
    answer = signed_in.post("/admin/my-alerts/", {"by_slack": "on", "slack_url": url})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not StaffAlerts.objects.filter(has_own_slack=True).exists()


def test_only_staff_has_alerts(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("member"))
    assert client.get("/admin/my-alerts/").status_code in (302, 403)
    assert client.post("/admin/my-alerts/", {"by_email": "on"}).status_code in (302, 403)
    assert not StaffAlerts.objects.exists()


# --- sources ---------------------------------------------------------------------------------------------


def test_staff_writes_a_sources_keys_and_never_reads_them(signed_in: Client, agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="sendpilot")
    page = f"/admin/accounts/source/{source.pk}/change/"
    saved = signed_in.post(page, form_of(signed_in, page) | {"api_key": "sp-key", "api_secret": "sp-secret"})
    assert saved.status_code == 302
    source.refresh_from_db()
    assert source.credentials == {"api_key": "sp-key", "api_secret": "sp-secret"}
    content = signed_in.get(page).content.decode()
    assert "stored: api_key, api_secret" in content
    assert "sp-key" not in content
    assert "sp-secret" not in content
    signed_in.post(page, form_of(signed_in, page) | {"api_key": "newer"})
    source.refresh_from_db()
    assert source.credentials == {"api_key": "newer", "api_secret": "sp-secret"}
    signed_in.post(page, form_of(signed_in, page) | {"name": "Renamed"})
    source.refresh_from_db()
    assert (source.name, source.credentials) == ("Renamed", {"api_key": "newer", "api_secret": "sp-secret"})
    signed_in.post(page, form_of(signed_in, page) | {"forget_keys": "on"})
    source.refresh_from_db()
    assert source.credentials == {}


def test_staff_sets_the_networks_a_source_may_be_called_from(signed_in: Client, agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="salesflow")
    page = f"/admin/accounts/source/{source.pk}/change/"
    signed_in.post(page, form_of(signed_in, page) | {"allowed_networks": "203.0.113.0/24\n2001:db8::/32"})
    source.refresh_from_db()
    assert source.allowed_networks == ["203.0.113.0/24", "2001:db8::/32"]
    assert "203.0.113.0/24" in signed_in.get(page).content.decode()
    refused = signed_in.post(page, form_of(signed_in, page) | {"allowed_networks": "203.0.113.0/99"})
    assert "is not a network" in refused.content.decode()
    signed_in.post(page, form_of(signed_in, page) | {"allowed_networks": ""})
    source.refresh_from_db()
    assert source.allowed_networks == []


# --- campaigns ---------------------------------------------------------------------------------------------


def test_campaigns_without_an_account_are_listed_as_unprotected(
    signed_in: Client, agency: Agency, incident: Incident
) -> None:
    loose, protected = (campaign_of(agency, provider="sendpilot", external_id=name) for name in ("loose", "kept"))
    Campaign.objects.filter(pk=protected.pk).update(account=agency.accounts.first())
    content = signed_in.get("/admin/accounts/campaign/?protected=no").context["cl"].result_list
    assert [row.pk for row in content] == [loose.pk]


def test_staff_tries_again_what_the_provider_refused(signed_in: Client, agency: Agency) -> None:
    campaign = campaign_of(agency, provider="sendpilot", external_id="c1")
    CampaignCommand.objects.create(
        campaign=campaign, action="pause", status="failed", next_attempt_at=None, error="SendPilot answered 500."
    )
    page = f"/admin/accounts/campaign/{campaign.pk}/"
    assert "SendPilot answered 500." in signed_in.get(f"{page}change/").content.decode()
    assert "failed campaign pauses" in signed_in.get("/admin/").content.decode()
    content = signed_in.get("/admin/accounts/campaign/?protected=failed").context["cl"].result_list
    assert [row.pk for row in content] == [campaign.pk]
    signed_in.post(f"{page}press/try_again/")
    command = CampaignCommand.objects.get()
    assert (command.status, command.error) == ("pending", "")
    assert command.next_attempt_at is not None
    assert command.next_attempt_at - timezone.now() < timedelta(seconds=1)


def test_staff_says_which_account_a_sender_is(signed_in: Client, agency: Agency, incident: Incident) -> None:
    campaign = campaign_of(agency, provider="sendpilot", external_id="c1")
    Campaign.objects.update(sender_id="s1")
    sender = Sender.objects.create(agency=agency, provider="sendpilot", external_id="s1")
    account = agency.accounts.first()
    assert account is not None
    page = f"/admin/accounts/sender/{sender.pk}/change/"
    signed_in.post(page, form_of(signed_in, page) | {"account": account.pk})
    campaign.refresh_from_db()
    assert campaign.account == account
