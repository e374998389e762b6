"""What HubSpot has after our calls, over HTTP, whatever fails on the way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leads.crm import hubspot
from leads.crm.hubspot import HubSpot
from leads.crm.interface import ContactWrite, CrmError, DealWrite, Failure, SavedContact, TaskWrite
from tests.leads.crm.stand_in import CrmStandIn, running

pytestmark = pytest.mark.one_backend
BATCHES = "/crm/v3/objects/contacts/batch/"


@pytest.fixture(scope="module")
def program() -> Iterator[CrmStandIn]:
    with running("hubspot") as stand_in:
        yield stand_in


@pytest.fixture
def crm(program: CrmStandIn) -> CrmStandIn:
    program.reset()
    return program


def connector(crm: CrmStandIn) -> HubSpot:
    return HubSpot(hubspot.client(crm.base, "pat-1"))


def contact(number: int, email: str = "") -> ContactWrite:
    email = email or f"lead{number}@example.com"
    return ContactWrite(f"lead_{number}", {"firstname": f"N{number}", "email": email}, email=email)


def test_contacts_are_written_a_hundred_in_a_call_and_again_after_doubt(crm: CrmStandIn) -> None:
    people = [contact(number) for number in range(250)]
    crm.fail(BATCHES, done=True, status=500)
    with pytest.raises(CrmError):
        connector(crm).save_contacts(people)
    before = len(crm.calls())
    results = connector(crm).save_contacts(people)
    assert len(crm.calls()) - before == 3
    assert len(crm.records("contact")) == 250
    saved = results["lead_200"]
    assert isinstance(saved, SavedContact)
    assert saved.is_new


def test_one_bad_record_does_not_fail_the_rest(crm: CrmStandIn) -> None:
    people = [*(contact(number) for number in range(7)), contact(7, "no address"), contact(8, "LEAD1@example.com")]
    results = connector(crm).save_contacts([*people, ContactWrite("lead_9", {})])
    refused = {lead for lead, result in results.items() if isinstance(result, CrmError)}
    assert refused == {"lead_7", "lead_9"}
    assert len(crm.records("contact")) == 7
    assert results["lead_1"] == results["lead_8"]


def test_a_known_contact_whose_address_changed_stays_one_contact(crm: CrmStandIn) -> None:
    first = connector(crm).save_contacts([contact(1)])["lead_1"]
    assert isinstance(first, SavedContact)
    known = replace(contact(1, "new@example.com"), record_id=first.record_id, known=first.sent)
    gone = replace(contact(2), record_id="gone")
    results = connector(crm).save_contacts([known, gone])
    assert results["lead_1"] == SavedContact(first.record_id, is_new=False, sent={"email": "new@example.com"})
    assert isinstance(results["lead_2"], CrmError)
    (row,) = crm.records("contact")
    assert row["properties"]["email"] == "new@example.com"
    before = len(crm.calls())
    unchanged = replace(known, known=known.fields)
    assert isinstance(connector(crm).save_contacts([unchanged])["lead_1"], SavedContact)
    assert len(crm.calls()) == before


def test_a_deal_a_task_and_a_note_are_created_once(crm: CrmStandIn) -> None:
    saved = connector(crm).save_contacts([contact(1)])["lead_1"]
    assert isinstance(saved, SavedContact)
    deal = DealWrite(saved.record_id, "N1", "default", "new", owner_id=connector(crm).owner_id("owner@example.com"))
    task = TaskWrite(saved.record_id, "Call", datetime(2026, 3, 4, 9, tzinfo=UTC))
    for kind in ("deals", "tasks", "notes"):
        crm.fail(f"/crm/v3/objects/{kind}", exact=True, method="POST", done=True, status=500)
    record_id = saved.record_id
    calls: tuple[Callable[[], str], ...] = (
        lambda: connector(crm).save_deal(replace(deal, stage_id="engaged")),
        lambda: connector(crm).save_task(task),
        lambda: connector(crm).save_note(record_id, "Met her."),
    )
    for call in calls:
        with pytest.raises(CrmError) as caught:
            call()
        assert caught.value.failure is Failure.DOUBTFUL
    assert [call() for call in calls] == [crm.records(kind)[0]["id"] for kind in ("deals", "tasks", "notes")]
    assert [len(crm.records(kind)) for kind in ("deals", "tasks", "notes")] == [1, 1, 1]
    properties = crm.records("deals")[0]["properties"]
    assert (properties["dealstage"], properties["hubspot_owner_id"]) == ("engaged", "71")
    assert connector(crm).pipelines()[0].stages == {"new": "New", "engaged": "Engaged"}


def test_a_token_that_is_not_accepted_holds_the_connection(crm: CrmStandIn) -> None:
    with pytest.raises(CrmError) as caught:
        HubSpot(hubspot.client(crm.base, "wrong")).save_contacts([contact(1)])
    assert caught.value.failure is Failure.HELD
