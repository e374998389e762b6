"""Leads that look like one person are proposed once, and what people decide is remembered."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.core.errors import FieldError
from accounts.models import Agency, AuditEntry, Member
from leads.duplicates import service
from leads.duplicates.likeness import MAX_SHARED
from leads.duplicates.proposals import open_proposals, update_proposals
from leads.models import DuplicateProposal, Lead, LeadChange
from leads.pipeline.changes import create_lead, update_lead
from leads.pipeline.merge import root_id
from leads.pipeline.merge_by_hand import merge_by_hand
from leads.privacy.erasure import erase_lead
from tests.reactions import react
from tests.threads import at_once

PHONE = "+49 30 1234567"


@pytest.fixture
def anna(agency: Agency) -> User:
    user = User.objects.create_user("anna", "anna@example.com", first_name="Anna")
    Member.objects.create(agency=agency, user=user, role="manager")
    return user


def pair(agency: Agency, **fields: Any) -> tuple[Lead, Lead]:
    """Two leads with the same values, each also with an address of its own, after what follows their creation."""
    leads = [create_lead(agency, **{"email": f"{name}@example.com", **fields}) for name in ("one", "two")]
    react()
    return leads[0], leads[1]


def proposed(agency: Agency) -> list[tuple[str, str, list[str]]]:
    return [(one.lead_id, one.other_id, one.reasons) for one in open_proposals(agency).order_by("pk")]


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"phone": PHONE}, ["phone"]),
        ({"email": "Same@Example.com"}, ["email"]),
        ({"name": "Zoë Müller", "company": "Acme GmbH"}, ["name_and_company"]),
        (
            {"first_name": "Zoë", "last_name": "Müller", "company": "acme", "phone": PHONE},
            ["phone", "name_and_company"],
        ),
        ({"name": "Zoë Müller"}, None),
        ({"company": "Acme GmbH"}, None),
        ({"name": "Zoë", "company": "Acme GmbH"}, None),
        ({"phone": "12"}, None),
    ],
)
def test_leads_are_proposed_by_what_they_have_in_common(
    agency: Agency, stranger: Agency, fields: dict[str, str], reasons: list[str] | None
) -> None:
    create_lead(stranger, **{"email": "three@example.com", **fields})
    one, two = pair(agency, **fields)
    assert proposed(agency) == ([(one.pk, two.pk, reasons)] if reasons else [])
    assert proposed(stranger) == []


def test_a_name_is_compared_in_either_form_and_without_accents(agency: Agency) -> None:
    one = create_lead(agency, email="one@example.com", first_name="Zoë", last_name="Müller", company="Acme Inc.")
    two = create_lead(agency, email="two@example.com", name="ZOE  MULLER", company="ACME")
    react()
    assert proposed(agency) == [(one.pk, two.pk, ["name_and_company"])]


def test_details_that_change_later_propose_and_withdraw(agency: Agency) -> None:
    one, two = pair(agency)
    update_lead(one, phone=PHONE)
    update_lead(two, phone=PHONE)
    react()
    assert proposed(agency) == [(one.pk, two.pk, ["phone"])]
    update_lead(two, phone="+49 30 7654321", name="Zoë Müller", company="Acme")
    update_lead(one, name="Zoë Müller", company="Acme")
    react()
    assert proposed(agency) == [(one.pk, two.pk, ["name_and_company"])]
    update_lead(two, company="Globex")
    react()
    assert proposed(agency) == []


def test_reacting_twice_proposes_once(agency: Agency) -> None:
    one, two = pair(agency, phone=PHONE)
    update_proposals([one.pk])
    update_proposals([two.pk])
    assert DuplicateProposal.objects.count() == 1


def test_a_switchboards_number_proposes_nobody(agency: Agency) -> None:
    for number in range(MAX_SHARED + 2):
        create_lead(agency, email=f"{number}@example.com", phone=PHONE)
    react()
    before = DuplicateProposal.objects.count()
    late = create_lead(agency, email="late@example.com", phone=PHONE)
    react()
    assert DuplicateProposal.objects.count() == before
    update_proposals([late.pk])
    assert not DuplicateProposal.objects.filter(other=late).exists()


def test_test_leads_are_never_proposed(agency: Agency) -> None:
    one, two = pair(agency)
    Lead.objects.filter(pk=two.pk).update(is_test=True, phone_e164="+49301234567")
    update_lead(one, phone=PHONE)
    react()
    update_proposals([two.pk])
    assert proposed(agency) == []


def test_a_refusal_is_remembered_also_after_a_merge_with_somebody_else(agency: Agency, anna: User) -> None:
    one, two = pair(agency, phone=PHONE)
    service.dismiss(DuplicateProposal.objects.get(), by=anna)
    update_lead(two, title="Owner")
    react()
    assert proposed(agency) == []
    third = create_lead(agency, email="three@example.com", name="Zoë Müller")
    merge_by_hand(agency, two.pk, third.pk)
    react()
    update_proposals([one.pk])
    update_proposals([two.pk])
    assert proposed(agency) == []
    assert AuditEntry.objects.get(action="Duplicate dismissed").user == anna


def test_what_a_merged_record_holds_still_proposes_its_lead(agency: Agency) -> None:
    one, two = pair(agency)
    Lead.objects.filter(pk=one.pk).update(phone="12", provenance={"phone": "person"})
    Lead.objects.filter(pk=two.pk).update(phone=PHONE, phone_e164="+49301234567")
    merge_by_hand(agency, one.pk, two.pk)
    third = create_lead(agency, email="three@example.com", phone=PHONE)
    react()
    assert proposed(agency) == [(one.pk, third.pk, ["phone"])]


def test_an_accepted_proposal_merges_is_audited_and_stands_in_the_history(agency: Agency, anna: User) -> None:
    one, two = pair(agency, phone=PHONE)
    lead = service.accept(DuplicateProposal.objects.get(), by=anna)
    assert (lead.pk, root_id(two.pk)) == (one.pk, one.pk)
    assert proposed(agency) == []
    decided = DuplicateProposal.objects.get()
    assert (decided.decision, decided.decided_by) == ("merged", anna)
    change = LeadChange.objects.filter(lead=one, is_report=False).get()
    assert (change.note, change.user_id, change.changed_by) == (
        *(f"The lead {two.pk} was merged into this one.", anna.pk, "user"),
    )
    entry = AuditEntry.objects.get(action="Leads merged")
    assert (entry.object_id, entry.detail, entry.user) == (one.pk, two.pk, anna)
    with pytest.raises(FieldError):
        service.dismiss(decided, by=anna)


def test_an_undone_merge_is_not_proposed_again_and_stands_in_both_histories(agency: Agency, anna: User) -> None:
    one, two = pair(agency, phone=PHONE)
    merge_by_hand(agency, one.pk, two.pk)
    service.undo_merge(agency, two.pk, by=anna)
    react()
    assert proposed(agency) == []
    rows = LeadChange.objects.filter(is_report=False).order_by("pk")
    notes = {lead.pk: list(rows.filter(lead=lead).values_list("note", flat=True)) for lead in (one, two)}
    assert notes == {
        one.pk: [
            f"The lead {two.pk} was merged into this one.",
            f"The merge of the lead {two.pk} into this one was undone.",
        ],
        two.pk: [f"The merge into the lead {one.pk} was undone."],
    }
    assert AuditEntry.objects.get(action="Merge undone").detail == two.pk
    assert service.accept(DuplicateProposal.objects.get()).pk == one.pk
    assert root_id(two.pk) == one.pk


def test_proposals_go_with_an_erased_lead(agency: Agency) -> None:
    erase_lead(pair(agency, phone=PHONE)[1])
    assert not DuplicateProposal.objects.exists()


def test_looking_for_likeness_costs_as_much_for_many_leads_as_for_one(agency: Agency) -> None:
    fields = {"name": "Zoë Müller", "company": "Acme"}
    leads = [
        create_lead(agency, email=f"{number}@example.com", phone=f"+49 30 {1000000 + number}", **fields).pk
        for number in range(20)
    ]

    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            update_proposals(leads[:count])
        return len(queries)

    assert cost(20) == cost(1)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_propose_a_pair_once(agency: Agency) -> None:
    one, two = (create_lead(agency, email=f"{name}@example.com", phone=PHONE) for name in ("one", "two"))

    def work() -> None:
        update_proposals([one.pk])
        update_proposals([two.pk])

    at_once(work)
    assert DuplicateProposal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_people_who_merge_a_pair_at_once_merge_it_once(agency: Agency) -> None:
    one, two = (create_lead(agency, email=f"{name}@example.com", phone=PHONE) for name in ("one", "two"))
    react()
    proposal = DuplicateProposal.objects.get()

    def work() -> None:
        assert service.accept(DuplicateProposal.objects.select_related("agency").get(pk=proposal.pk)).pk == one.pk

    at_once(work)
    assert root_id(two.pk) == one.pk
    assert LeadChange.objects.filter(note__contains="was merged").count() == 1
    assert DuplicateProposal.objects.get().decision == "merged"
