"""Whose word a contact field holds, and which word may take the place of which."""

import json
from pathlib import Path

import pytest

from accounts.core.enums import RequestAction
from accounts.models import Account, Agency
from leads.models import Lead
from leads.pipeline.changes import create_lead, update_lead
from leads.pipeline.provenance import ValueOrigin, fill_contact_fields
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, work
from tests.receiving import receive
from tests.receiving import source_of as source_at
from webhooks.processing.processor import process_due_receipts, register_request

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parents[2] / "webhooks" / "payloads" / "welink"


@pytest.mark.once
@pytest.mark.parametrize(
    ("held", "came", "stays"),
    [
        (ValueOrigin.ENRICHMENT, ValueOrigin.FORM, False),
        (ValueOrigin.FORM, ValueOrigin.ENRICHMENT, True),
        (ValueOrigin.PROVIDER, ValueOrigin.ENRICHMENT, True),
        ("", ValueOrigin.ENRICHMENT, False),
        ("", ValueOrigin.SCRAPE, False),
        (ValueOrigin.PERSON, ValueOrigin.FORM, True),
        (ValueOrigin.FORM, ValueOrigin.SCRAPE, True),
        (ValueOrigin.FORM, ValueOrigin.PROVIDER, True),
        (ValueOrigin.PROVIDER, ValueOrigin.FORM, False),
        (ValueOrigin.SCRAPE, ValueOrigin.FORM, False),
        (ValueOrigin.SCRAPE, ValueOrigin.PROVIDER, True),
        (ValueOrigin.FORM, ValueOrigin.FORM, True),
    ],
)
def test_which_word_counts(held: str, came: ValueOrigin, stays: bool) -> None:
    lead = Lead(title="old" if held else "", provenance={"title": held} if held else {})
    assert fill_contact_fields(lead, {"title": "new", "company": ""}, origin=came) == ([] if stays else ["title"])
    assert (lead.title, lead.provenance["title"]) == (("old", held) if stays else ("new", came))


def test_what_people_type_is_theirs(agency: Agency) -> None:
    lead = create_lead(agency, name="Ada", phone="+1 (212) 555-0147")
    assert lead.provenance == {"name": "person", "phone": "person"}
    assert lead.phone_e164 == "+12125550147"
    lead = update_lead(lead, phone="+49 30 901820", name="")
    assert (lead.phone, lead.phone_e164) == ("+49 30 901820", "+4930901820")
    assert lead.provenance == {"phone": "person"}


def test_a_form_leaves_alone_what_people_typed(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        notify(source, stand_in.world.submit())
        process_due_receipts()
        update_lead(Lead.objects.get(), title="Typed", phone="+49 30 901820")
        work()
    lead = Lead.objects.get()
    assert (lead.title, lead.provenance["title"]) == ("Typed", "person")
    assert (lead.phone, lead.phone_e164) == ("+49 30 901820", "+4930901820")
    assert (lead.company, lead.provenance["company"]) == ("Example Industries", "form")


def test_a_profile_that_welink_read_fills_only_what_is_empty(agency: Agency) -> None:
    source = source_at(agency, "welink")
    lead = create_lead(agency, email="jane@example.com", first_name="Typed")
    account = Account.objects.create(
        agency=agency, provider="welink", external_id="me", source=source, status="active",
        status_since=lead.received_at,
    )  # fmt: skip
    body = json.loads((PAYLOADS / "profile_data.json").read_text())
    receive(source, json.dumps(body, separators=(",", ":")).encode())
    register_request(source, request_id=body["request_id"], action=RequestAction.PROFILE, account=account, lead=lead)
    process_due_receipts()
    lead.refresh_from_db()
    assert (lead.first_name, lead.provenance["first_name"]) == ("Typed", "person")
    assert (lead.last_name, lead.provenance["last_name"]) == ("Ångström", "scrape")
