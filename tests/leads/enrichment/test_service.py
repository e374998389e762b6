"""Enrichers fill what is empty, after a fetch and after a pull; one that fails is seen and tried again."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.jobs import CRASHED
from accounts.models import Agency
from accounts.tasks import run_jobs
from leads.enrichment import service as enrichment
from leads.enrichment.enrichers import email_company, phone_country
from leads.enrichment.service import BACKOFF, enrich_due
from leads.lead_sync.fetching import fetch_due
from leads.models import Enrichment, Lead
from leads.pipeline.changes import create_lead, update_lead
from leads.pipeline.enrichment_requests import request_enrichment
from leads.privacy.erasure import erase_lead
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, work
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.django_db
LIST = "/admin/leads/enrichment/"
HERE = "tests.leads.enrichment.test_service"


def knows(lead: Lead) -> dict[str, str]:
    return {
        "company": "Known Ltd", "title": "Other", "phone": "(212) 555-0147", "country": "United States" * 20,
        "linkedin_url": "https://www.linkedin.com/in/other", "id": "x", "status": "DONE", "location": "",
    }  # fmt: skip


def fails(lead: Lead) -> dict[str, str]:
    raise TimeoutError(f"no answer about {lead.email}")


def erases(lead: Lead) -> dict[str, str]:
    erase_lead(lead)
    return {"company": "Known Ltd"}


def changes(lead: Lead) -> dict[str, str]:
    """Answers come in once more while the enricher still looks."""
    update_lead(lead, title="Typed meanwhile")
    request_enrichment([lead])
    return {"company": "Known Ltd", "title": "Other"}


def none(lead: Lead) -> None:
    return None


def to_enrich(agency: Agency, **fields: str) -> Lead:
    lead = create_lead(agency, **{"email": "ada@example.com", **fields})
    request_enrichment([lead])
    return lead


@pytest.mark.once
@pytest.mark.parametrize(
    ("email", "company"),
    [
        ("kevin@example.com", "example.com"),
        ("kevin@Sales.Example.COM", "sales.example.com"),
        ("kevin@gmail.com", ""),
        ("kevin@GMX.de", ""),
        ("kevin@localhost", ""),
        ("", ""),
    ],
)
def test_a_business_address_names_the_company(email: str, company: str) -> None:
    assert email_company(Lead(email=email)) == ({"company": company} if company else {})


@pytest.mark.once
@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("+12125550147", "United States"),
        ("+14165550123", "Canada"),
        ("+4930901820", "Germany"),
        ("+800 1234 5678", ""),
        ("+999123", ""),
    ],
)
def test_a_number_names_the_country(phone: str, country: str) -> None:
    assert phone_country(Lead(phone_e164=phone)) == {"country": country}
    assert phone_country(Lead()) == {}


ANSWERS = {"Work email": "kevin@example.com", "Job title": "Head", "Phone number": "(212) 555-0147"}


@pytest.mark.parametrize("way", ["fetch", "pull"])
def test_what_is_empty_is_filled_after_a_fetch_and_after_a_pull(agency: Agency, settings: Settings, way: str) -> None:
    settings.LEAD_ENRICHERS = ["email_company", f"{HERE}.knows"]
    with linkedin() as stand_in:
        if way == "pull":
            stand_in.world.submit(ANSWERS)
        source = connected(agency)
        work()
        if way == "fetch":
            notify(source, stand_in.world.submit(ANSWERS))
            process_due_receipts()
            fetch_due()
        lead = Lead.objects.get()
        assert (lead.company, lead.recovered, Enrichment.objects.count()) == ("", way == "pull", 1)
        run_jobs("sync")
    lead.refresh_from_db()
    assert (lead.company, lead.provenance["company"]) == ("example.com", "enrichment")
    assert (lead.title, lead.provenance["title"]) == ("Head", "form")
    assert (lead.country, lead.provenance["country"]) == (("United States" * 20)[:100], "enrichment")
    assert (lead.status, lead.linkedin_url) == ("PENDING", "")
    assert not Enrichment.objects.exists()


def test_leads_that_are_there_already_are_looked_at_when_somebody_says_so(
    agency: Agency, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="names no enricher"):
        call_command("enrich_leads")
    fields: dict[str, Any] = {"email": "kevin@example.com", "form": "urn:li:leadGenForm:1"}
    leads = [create_lead(agency, **fields) for _ in range(3)]
    for other in ({"form": ""}, {"is_test": True}, {"details_pending": True}):
        create_lead(agency, **fields | other)
    settings.LEAD_ENRICHERS = ["email_company"]
    monkeypatch.setattr(enrichment, "PAGE", 2)
    call_command("enrich_leads", "--json")
    assert json.loads(capsys.readouterr().out) == {"asked": 3}
    run_jobs("sync")
    assert set(Lead.objects.filter(company="example.com")) == set(leads)


def test_nobody_is_asked_where_no_setting_names_anybody(agency: Agency) -> None:
    to_enrich(agency)
    assert not Enrichment.objects.exists()


def test_test_leads_are_not_enriched(agency: Agency, settings: Settings) -> None:
    settings.LEAD_ENRICHERS = ["email_company"]
    request_enrichment([create_lead(agency, email="ada@example.com", is_test=True)])
    assert not Enrichment.objects.exists()


def test_a_number_that_an_enricher_knows_can_be_dialled(agency: Agency, settings: Settings) -> None:
    settings.LEAD_ENRICHERS = [f"{HERE}.knows"]
    lead = to_enrich(agency)
    Lead.objects.update(country="USA")
    enrich_due()
    lead.refresh_from_db()
    assert (lead.phone, lead.phone_e164) == ("(212) 555-0147", "+12125550147")


def test_one_that_fails_harms_nobody_is_tried_again_and_then_given_up(
    agency: Agency, settings: Settings, signed_in: Client
) -> None:
    settings.LEAD_ENRICHERS = [f"{HERE}.fails", "email_company", f"{HERE}.none"]
    failed = f"{HERE}.fails: TimeoutError, {HERE}.none: AttributeError"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        lead = to_enrich(agency)
        assert (enrich_due(), enrich_due()) == (1, 0)
        lead.refresh_from_db()
        assert lead.company == "example.com"
        row = Enrichment.objects.get()
        assert (row.attempts, row.error) == (1, failed)
        attempts = 1
        while row.next_attempt_at:
            clock.move_to(row.next_attempt_at)
            attempts += enrich_due()
            row.refresh_from_db()
        assert (attempts, row.attempts, row.error) == (5, 5, failed)
        assert (row.next_attempt_at, enrich_due()) == (None, 0)
    page = signed_in.get(LIST).content.decode()
    assert "Failed" in page
    assert failed in page
    assert "leads not enriched" in signed_in.get("/admin/").content.decode()
    settings.LEAD_ENRICHERS = ["email_company"]
    assert signed_in.post(f"{LIST}{lead.pk}/press/again/").status_code == 302
    assert enrich_due() == 1
    assert not Enrichment.objects.exists()


def test_one_that_kills_its_worker_comes_to_an_end(agency: Agency, settings: Settings) -> None:
    settings.LEAD_ENRICHERS = ["email_company"]
    lead = to_enrich(agency)
    Enrichment.objects.update(attempts=len(BACKOFF.steps) + 1)
    enrich_due()
    row = Enrichment.objects.get()
    assert (row.next_attempt_at, row.error) == (None, CRASHED)
    lead.refresh_from_db()
    assert lead.company == ""


def test_who_is_erased_meanwhile_stays_gone(agency: Agency, settings: Settings) -> None:
    settings.LEAD_ENRICHERS = [f"{HERE}.erases"]
    to_enrich(agency)
    assert enrich_due() == 1
    assert (Lead.objects.count(), Enrichment.objects.count()) == (0, 0)


def test_what_comes_in_meanwhile_counts_and_is_looked_at_once_more(agency: Agency, settings: Settings) -> None:
    settings.LEAD_ENRICHERS = [f"{HERE}.changes"]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        lead = to_enrich(agency)
        enrich_due()
        lead.refresh_from_db()
        assert (lead.title, lead.company) == ("Typed meanwhile", "Known Ltd")
        assert Enrichment.objects.get().attempts == 0
        settings.LEAD_ENRICHERS = ["email_company"]
        clock.shift(timedelta(seconds=1))
        assert enrich_due() == 1
    assert not Enrichment.objects.exists()


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "is_there"),
    [("email_company", True), (f"{HERE}.knows", True), ("acme.leads.look_up", False), ("nobody", False)],
)
def test_a_name_that_cannot_be_found_stops_the_start(settings: Settings, name: str, is_there: bool) -> None:
    settings.LEAD_ENRICHERS = [name]
    assert ("leadline.E003" in {message.id for message in run_checks()}) is not is_there
