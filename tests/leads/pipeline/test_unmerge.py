"""Parted records are as if they had never been merged, whatever happened between."""

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.core.errors import FieldError
from accounts.models import Agency
from leads.enums import LeadStatus
from leads.models import Lead, LeadChange, LeadMerge, LeadReference, OwnValues
from leads.pipeline import changes
from leads.pipeline.dto import Contact
from leads.pipeline.merge import lock_root, merge_leads, root_id
from leads.pipeline.provenance import CONTACT_FIELDS
from leads.pipeline.unmerge import unmerge
from tests.leads.pipeline.test_merge import ANNA, merged, report

COMPARED = (*CONTACT_FIELDS, "linkedin_key", "tags", "status", "status_since", "furthest_status", "received_at")
RECORDS = range(4)
STATUSES = (LeadStatus.CONNECTION_SENT, LeadStatus.MESSAGE_SENT, LeadStatus.REPLY_RECEIVED, LeadStatus.NOT_INTERESTED)


def merge(one: str, other: str) -> None:
    roots = sorted({root_id(one), root_id(other)})
    if len(roots) == 2:
        merge_leads(*(lock_root(pk) for pk in roots))  # type: ignore[arg-type]


def test_undo_brings_back_two_leads_with_their_own_values_and_rows(agency: Agency) -> None:
    root, record = merged(agency)
    report(agency, "l2", 5, status=LeadStatus.NOT_INTERESTED, contact=Contact(company="Example"))
    assert Lead.objects.get(pk=root.pk).company == "Example"
    unmerge(agency, record.pk)
    root, record = Lead.objects.get(pk=root.pk), Lead.objects.get(pk=record.pk)
    assert (root.first_name, root.email, root.company, root.linkedin_key) == ("Anna", "", "", "")
    assert (root.status, root.furthest_status) == (LeadStatus.REPLY_RECEIVED, LeadStatus.REPLY_RECEIVED)
    assert (record.email, record.title, record.company) == ("anna@example.com", "Boss", "Example")
    assert (record.status, record.linkedin_key) == (LeadStatus.NOT_INTERESTED, "linkedin.com/in/anna-example")
    assert not LeadMerge.objects.exists()
    assert not OwnValues.objects.exists()


def test_undo_leaves_no_children_behind(agency: Agency) -> None:
    root, record = merged(agency)
    report(agency, "l2", 5, status=LeadStatus.MESSAGE_SENT)
    unmerge(agency, record.pk)
    assert [row.external_id for row in LeadReference.objects.filter(lead=record)] == ["l2"]
    assert [row.reference.external_id for row in LeadChange.objects.filter(lead=record) if row.reference] == ["l2"] * 2
    assert {row.reference.external_id for row in LeadChange.objects.filter(lead=root) if row.reference} == {"l1"}


def test_what_people_wrote_on_the_merged_lead_stays_with_it(agency: Agency) -> None:
    root, record = merged(agency)
    changes.update_lead(root, email="typed@example.com", tags=["vip"])
    changes.update_lead(root, title="")
    assert Lead.objects.get().title == ""
    report(agency, "l2", 5, contact=Contact(title="Owner", location="Berlin"))
    assert (Lead.objects.get().title, Lead.objects.get().location) == ("", "Berlin")
    unmerge(agency, record.pk)
    root, record = Lead.objects.get(pk=root.pk), Lead.objects.get(pk=record.pk)
    assert (root.email, root.tags, root.location) == ("typed@example.com", ["vip"], "")
    assert (record.email, record.tags, record.title, record.location) == ("anna@example.com", [], "Boss", "Berlin")


def test_a_record_in_the_middle_takes_along_what_was_merged_into_it(agency: Agency) -> None:
    first, second, third = (
        report(agency, f"l{number}", number, contact=Contact(email=f"{number}@example.com" if number else ""))
        for number in range(3)
    )
    merge(second.pk, third.pk)
    merge(first.pk, second.pk)
    report(agency, "l2", 9, status=LeadStatus.REPLY_RECEIVED)
    unmerge(agency, second.pk)
    assert [(lead.pk, lead.email) for lead in Lead.objects.order_by("pk")] == [
        *((first.pk, ""), (second.pk, "1@example.com")),
    ]
    assert Lead.objects.get(pk=second.pk).status == LeadStatus.REPLY_RECEIVED
    unmerge(agency, third.pk)
    assert Lead.objects.get(pk=third.pk).status == LeadStatus.REPLY_RECEIVED
    assert Lead.objects.get(pk=second.pk).status == LeadStatus.CONNECTION_SENT


def test_a_merge_of_the_release_before_can_be_undone(agency: Agency) -> None:
    root, record = merged(agency)
    OwnValues.objects.all().delete()
    Lead.objects.update(has_records=False)
    LeadMerge.objects.update(linkedin_key="")
    unmerge(agency, record.pk)
    root, record = Lead.objects.get(pk=root.pk), Lead.objects.get(pk=record.pk)
    assert (root.first_name, root.email, root.linkedin_key) == ("Anna", "", "")
    assert record.linkedin_key == "linkedin.com/in/anna-example"


def test_a_profile_that_another_lead_has_by_now_is_not_given_back(agency: Agency) -> None:
    root, record = merged(agency)
    changes.update_lead(root, linkedin_url="https://www.linkedin.com/in/bea-example")
    other = report(agency, "l9", 9, url=ANNA)
    if other.pk != root.pk:
        unmerge(agency, record.pk)
        assert Lead.objects.get(pk=record.pk).linkedin_key == ""


def test_only_merged_records_of_the_agency_can_be_parted(agency: Agency, stranger: Agency) -> None:
    root, record = merged(agency)
    for owner, pk in ((stranger, record.pk), (agency, root.pk), (agency, "lead_nobody")):
        with pytest.raises(FieldError):
            unmerge(owner, pk)
    assert Lead.all_records.get(pk=record.pk).merged_into_id == root.pk


@dataclasses.dataclass(frozen=True)
class Step:
    kind: str
    one: int
    other: int
    field: str
    status: LeadStatus


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(("report", "report", "type", "tag", "merge", "merge", "undo")),
        st.sampled_from(RECORDS),
        st.sampled_from(RECORDS),
        st.sampled_from(("email", "title", "company", "first_name")),
        st.sampled_from(STATUSES),
    ),
    max_size=14,
)


def play(agency: Agency, other: Agency, steps: list[Step]) -> None:
    """Play the steps in one agency with merges and undos, in the other without, and compare every record."""
    ids, alone = (
        [report(each, f"l{number}", number, status=LeadStatus.PENDING).pk for number in RECORDS]
        for each in (agency, other)
    )
    for minute, step in enumerate(steps, start=10):
        shown = root_id(ids[step.one])
        twin = alone[ids.index(shown)]
        value = f"{step.field}{minute}@example.com"
        match step.kind:
            case "report":
                for each in (agency, other):
                    contact: Any = Contact(**{step.field: value})
                    report(each, f"l{step.one}", minute, status=step.status, contact=contact)
            case "type":
                for pk in (shown, twin):
                    changes.update_lead(Lead.objects.get(pk=pk), **{step.field: value})
            case "tag":
                for pk in (shown, twin):
                    changes.update_lead(Lead.objects.get(pk=pk), tags=[value])
            case "merge":
                merge(ids[step.one], ids[step.other])
            case "undo" if shown != ids[step.one]:
                unmerge(agency, ids[step.one])
    compare(agency, ids, alone)


def compare(agency: Agency, ids: list[str], alone: list[str]) -> None:
    """Undo every merge that is left, and compare each record with the one that was never merged."""
    for pk in reversed(ids):
        if root_id(pk) != pk:
            unmerge(agency, pk)
    for pk, twin in zip(ids, alone, strict=True):
        lead, expected = Lead.objects.get(pk=pk), Lead.objects.get(pk=twin)
        assert {name: getattr(lead, name) for name in COMPARED} == {name: getattr(expected, name) for name in COMPARED}
        assert lead.provenance == expected.provenance
        own = lead.changes.filter(sentence__isnull=True).order_by("id")  # without the merges themselves
        assert list(own.values_list("new_status", "occurred_at")) == list(
            expected.changes.order_by("id").values_list("new_status", "occurred_at")
        )


def check(steps: list[Step], agency: Agency, stranger: Agency) -> None:
    Lead.all_records.all().delete()
    play(agency, stranger, steps)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_merges_and_undos_in_any_order_equal_the_replay(agency: Agency, stranger: Agency, steps: list[Step]) -> None:
    check(steps, agency, stranger)


@pytest.mark.fault
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_hundreds_of_orders_equal_the_replay(agency: Agency, stranger: Agency, steps: list[Step]) -> None:
    check(steps, agency, stranger)
