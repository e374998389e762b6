"""What HighLevel has after our calls, over HTTP, whatever fails on the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import urllib3

from accounts.providers import client as provider_client
from leads.crm import highlevel, oauth
from leads.crm.highlevel import HighLevel
from leads.crm.interface import (
    ContactWrite,
    CrmError,
    DealStatus,
    DealWrite,
    Failure,
    Pipeline,
    SavedContact,
    TaskWrite,
)
from tests.leads.crm.stand_in import CrmStandIn, running

pytestmark = pytest.mark.one_backend
ADA = ContactWrite(
    lead_id="lead_1",
    fields={"firstName": "Ada", "email": "ada@example.com", "phone": "+12125550147", "custom:f1": "Engineer"},
    email="ada@example.com",
    phone="+12125550147",
    tags=["linkedin"],
)
DUE = datetime(2026, 3, 4, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def program() -> Iterator[CrmStandIn]:
    with running("highlevel") as stand_in:
        yield stand_in


@pytest.fixture
def crm(program: CrmStandIn) -> CrmStandIn:
    program.reset()
    return program


def connector(crm: CrmStandIn, token: str = "access-1") -> HighLevel:
    return HighLevel(highlevel.client(crm.base, token), "location")


def save(crm: CrmStandIn, contact: ContactWrite = ADA) -> SavedContact:
    result = connector(crm).save_contacts([contact])[contact.lead_id]
    if isinstance(result, CrmError):
        raise result
    return result


def test_a_contact_is_created_once_and_then_only_its_changes_are_sent(crm: CrmStandIn) -> None:
    first = save(crm)
    assert first.is_new
    assert crm.records("contact")[0]["customFields"] == [{"id": "f1", "field_value": "Engineer"}]

    known = replace(ADA, record_id=first.record_id, known=first.sent, tags=())
    before = len(crm.calls())
    assert save(crm, known).sent == {}
    assert len(crm.calls()) == before  # nothing has changed
    assert save(crm, replace(known, fields={**ADA.fields, "firstName": "Augusta"})).sent == {"firstName": "Augusta"}
    (put,) = crm.calls()[before:]
    assert (put["method"], put["body"]) == ("PUT", {"firstName": "Augusta"})
    assert crm.records("contact")[0]["tags"] == ["linkedin"]
    assert not crm.calls(path="/contacts/upsert")
    assert {call["version"] for call in crm.calls()} == {"2021-07-28"}


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 422}, {"status": 201, "body": {}}, {"sleep": 0.6, "status": 201}]
)
def test_a_contact_whose_creation_was_in_doubt_is_not_created_again(
    crm: CrmStandIn, monkeypatch: pytest.MonkeyPatch, fault: dict[str, object]
) -> None:
    """HighLevel created the contact, and said something else, or nothing in time."""
    impatient = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(0.4))
    monkeypatch.setattr(provider_client, "_pool", impatient)
    crm.fail("/contacts/", method="POST", done=True, **fault)

    if fault["status"] == 422:
        assert not save(crm).is_new
    else:
        with pytest.raises(CrmError) as caught:
            save(crm)
        assert caught.value.failure is Failure.DOUBTFUL
        assert not save(crm).is_new
    assert len(crm.records("contact")) == 1


def test_a_contact_is_found_by_telephone_and_keeps_its_tags(crm: CrmStandIn) -> None:
    found = save(crm)
    again = save(crm, replace(ADA, lead_id="lead_2", email="", fields={"firstName": "A."}, tags=["new"]))
    assert (again.record_id, again.is_new) == (found.record_id, False)
    other = replace(
        ADA, lead_id="lead_3", email="other@example.com", fields={**ADA.fields, "email": "other@example.com"}
    )
    assert save(crm, other).record_id == found.record_id
    (contact,) = crm.records("contact")
    assert (contact["tags"], contact["email"]) == (["linkedin", "new"], "ada@example.com")


def test_a_contact_that_was_deleted_there_is_created_anew(crm: CrmStandIn) -> None:
    saved = save(crm, replace(ADA, record_id="gone"))
    assert saved.is_new
    assert len(crm.records("contact")) == 1


def test_errors_say_what_they_mean_for_the_work(crm: CrmStandIn) -> None:
    with pytest.raises(CrmError) as caught:
        connector(crm, "wrong").pipelines()
    assert caught.value.failure is Failure.HELD
    crm.fail("/contacts/", status=429, headers={"Retry-After": "7"})
    with pytest.raises(CrmError) as caught:
        save(crm)
    assert (caught.value.failure, caught.value.retry_after) == (Failure.THROTTLED, 7)
    assert "ada" not in str(caught.value).casefold()
    with pytest.raises(CrmError) as caught:
        save(crm, replace(ADA, email="", phone=""))
    assert caught.value.failure is Failure.REFUSED

    crm.fail("/contacts/", status=400)
    bob = replace(ADA, lead_id="lead_2", email="bob@example.com", phone="", fields={"email": "bob@example.com"})
    results = connector(crm).save_contacts([ADA, bob])
    assert isinstance(results["lead_1"], CrmError)
    assert isinstance(results["lead_2"], SavedContact)


def test_an_opportunity_is_created_once_moved_and_lost(crm: CrmStandIn) -> None:
    highlevel_ = connector(crm)
    contact = save(crm).record_id
    deal = DealWrite(contact, "Ada", "pipeline", "stage-new", owner_id=highlevel_.owner_id("owner@example.com"))
    crm.fail("/opportunities/", method="POST", done=True, status=500)
    with pytest.raises(CrmError):
        highlevel_.save_deal(deal)
    record = highlevel_.save_deal(deal)
    assert highlevel_.save_deal(replace(deal, stage_id="stage-engaged", record_id="gone")) == record
    lost = replace(deal, record_id=record, status=DealStatus.LOST, lost_reason_id="reason")
    assert highlevel_.save_deal(lost) == record
    (row,) = crm.records("opportunity")
    assert (row["pipelineStageId"], row["status"], row["lostReasonId"]) == ("stage-new", "lost", "reason")
    assert row["assignedTo"] == "user-1"
    assert not crm.calls(path="/opportunities/upsert")


def test_a_task_and_a_note_are_created_once(crm: CrmStandIn) -> None:
    contact = save(crm).record_id
    task = TaskWrite(contact, "Call Ada", DUE, text="She asked for a price.")
    crm.fail(f"/contacts/{contact}/tasks", method="POST", done=True, status=503)
    with pytest.raises(CrmError):
        connector(crm).save_task(task)
    assert connector(crm).save_task(task) == crm.records("task")[0]["id"]
    assert connector(crm).save_note(contact, "Met her.") == connector(crm).save_note(contact, "Met her.")
    assert (len(crm.records("task")), len(crm.records("note"))) == (1, 1)
    assert crm.records("task")[0]["dueDate"] == "2026-03-04T09:00:00.000Z"


def test_pipelines_have_their_stages(crm: CrmStandIn) -> None:
    wanted = Pipeline("pipeline", "LinkedIn", {"stage-new": "New", "stage-engaged": "Engaged"})
    assert connector(crm).pipelines() == [wanted]


def test_a_refresh_token_is_valid_once_and_an_inactive_location_is_held(crm: CrmStandIn) -> None:
    app = oauth.OAuthApp("id", "secret", crm.base)
    first = oauth.exchange_highlevel_code(app, "code", "https://example.com/back")
    second = oauth.refresh_highlevel(app, first.refresh)
    assert second.refresh != first.refresh
    with pytest.raises(CrmError) as caught:
        oauth.refresh_highlevel(app, first.refresh)
    assert caught.value.failure is Failure.HELD
    assert oauth.location_token(app, second, "location").location_id == "location"
    with pytest.raises(CrmError) as caught:
        oauth.location_token(app, second, "inactive")
    assert caught.value.failure is Failure.HELD
    assert "state=s" in oauth.highlevel_url(app, "https://example.com/back", "s")
