"""Of the leads of one person one is shown, the others stay, and every way in finds the one that is shown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import EventType
from accounts.events.ordering import Origin
from accounts.models import Agency, Event, Member
from leads.analytics.counting import facts_in
from leads.analytics.export import csv_chunks
from leads.enums import ChangedBy, LeadStatus
from leads.models import Enrichment, Lead, LeadChange, LeadMerge, LeadReference, Tombstone
from leads.pipeline import changes
from leads.pipeline import reports as services
from leads.pipeline.dto import Contact, Identity
from leads.pipeline.matching import digest_of
from leads.pipeline.merge import lock_root, merge_leads, root_id, root_ids
from leads.pipeline.own_values import records_of
from leads.pipeline.tombstones import OWN_PROVIDER
from leads.privacy import retention
from leads.privacy.erasure import erase_lead
from tests.reactions import react
from tests.receiving import drain, receive, source_of

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANNA = "https://www.linkedin.com/in/anna-example"


def report(agency: Agency, lead: str, minutes: int = 0, *, url: str = "", campaign: str = "", **extra: Any) -> Lead:
    found = services.report_status(
        agency,
        provider="sendpilot",
        identity=Identity(external_id=lead, linkedin_url=url, campaign_id=campaign),
        status=extra.pop("status", LeadStatus.CONNECTION_SENT),
        stated=True,
        origin=Origin(by="sendpilot", at=NOON + timedelta(minutes=minutes), sequence=minutes),
        **extra,
    )
    assert found is not None
    return found


def merged(agency: Agency) -> tuple[Lead, Lead]:
    """Two leads of one person, the older of which is shown, and the record that was merged into it."""
    older = report(agency, "l1", contact=Contact(first_name="Anna"))
    younger = report(agency, "l2", 1, url=ANNA, contact=Contact(email="anna@example.com", title="Boss"))
    assert older.pk != younger.pk
    root = report(agency, "l1", 2, url=ANNA, status=LeadStatus.REPLY_RECEIVED)
    assert root.pk == older.pk
    return Lead.objects.get(pk=root.pk), Lead.all_records.get(pk=younger.pk)


def test_the_record_that_is_merged_stays_as_it_was_and_its_history_moves(agency: Agency) -> None:
    root, record = merged(agency)
    assert (record.merged_into, record.email, record.title, record.status) == (
        *(root, "anna@example.com", "Boss", LeadStatus.CONNECTION_SENT),
    )
    assert (root.first_name, root.email, root.linkedin_url, root.status) == (
        *("Anna", "anna@example.com", ANNA, LeadStatus.REPLY_RECEIVED),
    )
    assert set(root.references.values_list("external_id", "origin")) == {("l1", None), ("l2", record.pk)}
    assert list(root.changes.order_by("id").values_list("origin", "is_report")) == [
        *((None, True), (record.pk, True), (None, False), (None, True)),
    ]
    replaced = LeadMerge.objects.get(record=record).replaced
    assert (replaced["email"], replaced["linkedin_key"], replaced["status_sequence"]) == ("", "", 0)


def test_what_comes_later_is_born_where_its_reference_was(agency: Agency) -> None:
    root, record = merged(agency)
    report(agency, "l2", 5, status=LeadStatus.MESSAGE_SENT)
    report(agency, "l1", 6, status=LeadStatus.MESSAGE_SENT)
    assert list(LeadChange.objects.order_by("id").values_list("lead", "origin"))[-2:] == [
        (root.pk, record.pk),
        (root.pk, None),
    ]


def test_a_reference_that_comes_by_the_profile_of_a_merged_record_was_born_there(agency: Agency) -> None:
    root, record = merged(agency)
    report(agency, "l3", 5, url=ANNA, status=LeadStatus.MESSAGE_SENT)
    assert set(root.references.values_list("external_id", "origin")) == {
        *(("l1", None), ("l2", record.pk), ("l3", record.pk)),
    }
    oldest = Lead.objects.create(agency=agency, id="lead_0", status_since=NOON, received_at=NOON)
    merge_leads(oldest, root)
    report(agency, "l4", 6, url=ANNA)
    assert LeadReference.objects.get(external_id="l4").origin_id == record.pk


def test_a_profile_of_another_kind_goes_on_leading_to_the_lead(agency: Agency) -> None:
    sales = "https://www.linkedin.com/sales/lead/ACwAAExample1,NAME_SEARCH,a1B2"
    root = report(agency, "l1", url=ANNA)
    record = report(agency, "l2", 1, url=sales)
    assert report(agency, "l1", 2, url=sales).pk == root.pk
    assert Lead.all_records.get(pk=record.pk).merged_into_id == root.pk
    found = report(agency, "l3", 3, url="https://www.linkedin.com/sales/people/ACwAAExample1")
    assert found.pk == root.pk
    assert found.references.get(external_id="l3").origin_id == record.pk
    assert report(agency, "l4", 4, url=ANNA).pk == root.pk
    assert Lead.objects.count() == 1


@pytest.mark.parametrize("together", [True, False])
def test_a_batch_finds_the_lead_by_a_merged_record_too(agency: Agency, together: bool) -> None:
    sales = "https://www.linkedin.com/sales/lead/ACwAAExample1"
    root, record = report(agency, "l1", url=ANNA), report(agency, "l2", 1, url=sales)
    merge_leads(lock_root(root.pk), lock_root(record.pk))  # type: ignore[arg-type]
    for number in range(3, 8):
        data = {"leadId": f"l{number}", "linkedinUrl": (ANNA, sales)[number % 2], "newStatus": "MESSAGE_SENT"}
        body = {"eventId": str(number), "eventType": "lead.status.changed", "timestamp": NOON.isoformat()}
        receive(source_of(agency, "sendpilot"), {**body, "data": data})
        if not together:
            drain()
    drain()
    assert Lead.objects.get().references.count() == 7
    assert LeadReference.objects.filter(origin=record).count() == 4


def test_what_people_typed_is_shown_also_from_the_younger_record(agency: Agency) -> None:
    root = report(agency, "l1", contact=Contact(first_name="A", email="old@example.com", phone="1"))
    record = report(agency, "l2", 1, url=ANNA)
    changes.update_lead(record, name="Anna Example", email="anna@example.com", tags=["vip"], company="Example")
    changes.update_lead(root, company="Example Inc", tags=["hot"])
    report(agency, "l1", 2, url=ANNA)
    lead = Lead.objects.get()
    assert (lead.name, lead.email, lead.company, lead.tags) == (
        *("Anna Example", "anna@example.com", "Example Inc", ["hot", "vip"]),
    )
    assert {lead.provenance[name] for name in ("name", "email", "company")} == {"person"}
    assert LeadMerge.objects.get().replaced["email"] == "old@example.com"
    assert Lead.all_records.get(pk=record.pk).company == "Example"


def test_a_telephone_is_never_shown_with_the_number_to_dial_of_another(agency: Agency) -> None:
    root, record = report(agency, "l1", contact=Contact(phone="12")), report(agency, "l2", 1, url=ANNA)
    changes.update_lead(record, phone="+49 30 1234567")
    Lead.objects.filter(pk=root.pk).update(provenance={"phone": "person"})
    report(agency, "l1", 2, url=ANNA)
    assert (Lead.objects.get().phone, Lead.objects.get().phone_e164) == ("12", "")


def test_a_real_lead_is_no_test_because_a_test_was_merged(agency: Agency) -> None:
    report(agency, "l1")
    record = report(agency, "l2", 1, url=ANNA)
    Lead.objects.filter(pk=record.pk).update(is_test=True)
    report(agency, "l1", 2, url=ANNA)
    assert Lead.objects.get().is_test is False


def test_two_profiles_are_two_people_even_if_a_provider_mixes_them_up(agency: Agency) -> None:
    anna = report(agency, "l1", url=ANNA)
    bea = report(agency, "l2", 1, url="https://www.linkedin.com/in/bea-example")
    assert report(agency, "l1", 2, url="https://www.linkedin.com/in/bea-example").pk == anna.pk
    assert [lead.pk for lead in Lead.objects.order_by("pk")] == [anna.pk, bea.pk]


def test_a_lead_that_was_made_of_several_people_gets_nobody_more(agency: Agency) -> None:
    fused = report(agency, "l1")
    LeadReference.objects.filter(pk=report(agency, "l2", 1).references.get().pk).update(lead=fused)
    Lead.objects.exclude(pk=fused.pk).delete()
    Lead.objects.update(linkedin_url="https://www.linkedin.com/in/")
    anna = report(agency, "l3", 2, url=ANNA)
    assert report(agency, "l1", 3, url=ANNA).pk == fused.pk
    assert report(agency, "l2", 4, url="https://www.linkedin.com/in/bea-example").pk == fused.pk
    fused.refresh_from_db()
    assert (fused.linkedin_key, fused.linkedin_url) == ("", "https://www.linkedin.com/in/")
    assert {lead.pk for lead in Lead.objects.all()} == {fused.pk, anna.pk}


def test_merged_records_are_in_no_list_count_report_or_file(agency: Agency, rf_client: Client) -> None:
    root, record = merged(agency)
    assert [lead.pk for lead in agency.leads.all()] == [root.pk]
    assert "".join(csv_chunks(agency, agency.leads.all())).count("lead_") == 1
    for path in ("/leads", "/leads?q=anna", f"/leads?q={record.pk}", "/"):
        page = rf_client.get(path).content.decode()
        assert f"/leads/{record.pk}" not in page, path
    assert f"/leads/{root.pk}" in rf_client.get(f"/leads?q={record.pk}").content.decode()


@pytest.fixture
def rf_client(agency: Agency) -> Client:
    user = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse battery")
    Member.objects.create(agency=agency, user=user, role="owner")
    client = Client()
    client.force_login(user)
    return client


def test_the_page_of_an_old_id_is_that_of_the_lead(agency: Agency, stranger: Agency, rf_client: Client) -> None:
    root, record = merged(agency)
    foreign, foreign_record = merged(stranger)
    answer = rf_client.get(f"/leads/{record.pk}")
    assert (answer.status_code, answer["Location"]) == (302, f"/leads/{root.pk}")
    assert rf_client.post(f"/leads/{record.pk}/status", {"status": "DONE"}).status_code == 302
    assert Lead.objects.get(pk=root.pk).status == LeadStatus.DONE
    for pk in (foreign.pk, foreign_record.pk, "lead_nobody"):
        assert rf_client.get(f"/leads/{pk}").status_code == 404


def test_changes_by_an_old_id_are_made_to_the_lead(agency: Agency) -> None:
    root, record = merged(agency)
    assert changes.update_lead(record, company="Example").pk == root.pk
    assert changes.set_status(record, status=LeadStatus.DONE, changed_by=ChangedBy.API).pk == root.pk
    assert (Lead.objects.get().company, Lead.objects.get().status) == ("Example", LeadStatus.DONE)
    note = services.add_note(
        agency,
        provider="welink",
        identity=Identity(external_id="w1"),
        text="viewed",
        origin=Origin(by="welink", at=timezone.now()),
        lead=record,
    )
    assert note is not None
    assert note.pk == root.pk


def test_merges_of_merges_lead_to_one(agency: Agency) -> None:
    first, second, third = (report(agency, f"l{number}", number) for number in range(3))
    middle = merge_leads(second, third)
    assert middle.pk == second.pk
    root = merge_leads(lock_root(first.pk), lock_root(second.pk))  # type: ignore[arg-type]
    assert root_ids([first.pk, second.pk, third.pk]) == dict.fromkeys([first.pk, second.pk, third.pk], first.pk)
    assert [record.pk for record in records_of(root)] == [second.pk, third.pk]
    assert root_id(third.pk, agency) == first.pk
    assert set(root.references.values_list("external_id", "origin")) == {
        *(("l0", None), ("l1", second.pk), ("l2", third.pk)),
    }


def test_erasing_one_erases_the_group(agency: Agency) -> None:
    root, record = merged(agency)
    Enrichment.objects.create(lead=record)
    recorded_before = Event.objects.filter(subject=record.pk).count()
    assert recorded_before
    receipt = erase_lead(record)
    assert receipt["leads"] == 1
    for model in (Lead, LeadReference, LeadChange, LeadMerge, Enrichment):
        assert not model._base_manager.exists(), model
    erased = Event.objects.filter(event_type=EventType.LEAD_ERASED)
    assert sorted(erased.values_list("subject", flat=True)) == sorted([root.pk, record.pk])
    assert not [event for event in Event.objects.filter(subject=record.pk) if "lead_name" in event.payload]
    digests = set(Tombstone.objects.values_list("provider", "digest"))
    assert digests == {
        *(("sendpilot", digest_of(agency.pk, name)) for name in ("l1", "l2")),
        *((OWN_PROVIDER, digest_of(agency.pk, pk)) for pk in (root.pk, record.pk)),
    }


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_nobody_of_an_erased_group_comes_back(agency: Agency, name: str) -> None:
    root, _ = merged(agency)
    erase_lead(root, origin=Origin(by="staff", at=NOON + timedelta(minutes=10)))
    again = services.report_status(
        agency,
        provider="sendpilot",
        identity=Identity(external_id=name, linkedin_url=ANNA),
        status=LeadStatus.DONE,
        stated=True,
        origin=Origin(by="sendpilot", at=NOON + timedelta(minutes=9)),
    )
    assert again is None
    assert not Lead.all_records.exists()


def test_a_backup_from_after_the_merge_brings_no_record_back(
    agency: Agency, settings: Settings, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.ERASURE_JOURNAL = str(tmp_path / "journal")
    root, _ = merged(agency)
    rows = [(model, list(model._base_manager.order_by("pk"))) for model in (Lead, LeadReference, LeadChange)]
    with django_capture_on_commit_callbacks(execute=True):
        erase_lead(root)
    Tombstone.objects.all().delete()
    for _, kept in rows:
        for row in kept:
            row.save(force_insert=True)
    retention.replay_erasure_log()
    assert not Lead.all_records.exists()


def test_retention_erases_the_group_by_its_lead(agency: Agency) -> None:
    merged(agency)
    list(retention.erase_inactive_leads("", timezone.now() + timedelta(days=1), lambda pks, cutoff: set()))
    assert not Lead.all_records.exists()


def test_reports_do_not_count_a_person_twice(agency: Agency) -> None:
    merged(agency)

    class Question:
        include_test = include_inactive = True
        provider = location_id = campaign = member = ""

    react()
    assert facts_in(agency, Question()).count() == 1  # type: ignore[arg-type]
