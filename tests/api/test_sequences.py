"""Sequences and enrolments over the API."""

from typing import Any

from accounts.models import Agency
from leads.models import OutboundEmail
from leads.pipeline.changes import create_lead
from leads.sequences.senders import set_sender, verify_address
from tests.api.client import Api
from tests.leads.sequences.world import work

WAIT = {"kind": "wait", "delay": 2}


def make(api: Api, agency: Agency, **more: Any) -> Any:
    template = api.post("templates", {"name": "A", "channel": "email", "subject": "Hello", "text": "Hello"}).json()
    mail = {"kind": "email", "template": template["id"], "window": {"from": "09:00", "to": "17:00"}}
    return api.post("sequences", {"name": "Follow-up", "trigger": {"kind": "hand"}, "steps": [WAIT, mail], **more})


def test_a_sequence_is_made_versioned_previewed_and_says_what_stops_it(api: Api, agency: Agency) -> None:
    made = make(api, agency)
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["active"], body["version"], len(body["steps"])) == (False, 1, 2)
    assert set(body["stops"]) == {
        *("reply", "opt_out", "not_interested", "meeting_booked", "converted", "stopped_by_person", "bounce")
    }
    assert body["steps"][1]["window"] == {"from": "09:00", "to": "17:00"}
    path = f"sequences/{body['id']}"
    lead = create_lead(agency, name="Ada", email="ada@example.com")
    plan = api.post(f"{path}/preview", {"lead": lead.pk}).json()
    assert [step["kind"] for step in plan["steps"]] == ["wait", "email"]
    assert "switched off" in plan["refusal"]
    changed = api.patch(path, {"steps": [*body["steps"], WAIT]}).json()
    assert changed["version"] == 2
    assert [step["id"] for step in changed["steps"]][:2] == [step["id"] for step in body["steps"]]
    assert [one["number"] for one in api.get(f"{path}/versions").json()["results"]] == [2, 1]
    assert api.patch(path, {"name": "Renamed"}).json()["version"] == 2


def test_a_lead_is_enrolled_paused_resumed_moved_and_stopped(api: Api, agency: Agency) -> None:
    sequence = make(api, agency).json()
    path, lead = f"sequences/{sequence['id']}", create_lead(agency, name="Ada", email="ada@example.com")
    enrol = f"leads/{lead.pk}/enrol"
    refused = api.post(enrol, {"sequence": sequence["id"]})
    assert (refused.status_code, "switched off" in refused.text) == (409, True)
    unconfirmed = api.patch(path, {"active": True})
    assert (unconfirmed.status_code, "active" in unconfirmed.text) == (400, True)
    verify_address(set_sender(agency, address="a@example.com", name="A").verification_token)
    assert api.patch(path, {"active": True}).json()["active"] is True
    enrolled = api.post(enrol, {"sequence": sequence["id"]})
    assert enrolled.status_code == 202, enrolled.text
    assert (enrolled.json()["state"], enrolled.json()["step"]) == ("active", sequence["steps"][0]["id"])
    again = api.post(enrol, {"sequence": sequence["id"]})
    assert (again.status_code, "Follow-up" in again.text) == (409, True)
    one = f"enrolments/{enrolled.json()['id']}"
    assert api.post(f"{one}/pause", {"until": "2030-01-01T00:00:00.000Z"}).json()["state"] == "paused"
    assert api.post(f"{one}/resume").json()["state"] == "active"
    assert api.post(f"{one}/resume").status_code == 409
    api.patch(path, {"steps": [WAIT, *sequence["steps"]]})
    preview = api.post(f"{path}/move", {"preview": True}).json()
    assert (preview["moved"], preview["moves"][0]["lead"]) == (0, lead.pk)
    assert api.get(one).json()["version"] == 1
    assert api.post(f"{path}/move", {}).json()["moved"] == 1
    assert api.get(one).json()["version"] == 2
    assert api.post(f"{one}/stop").json()["reason"] == "stopped_by_person"
    assert api.post(f"{one}/stop").status_code == 409
    assert [row["id"] for row in api.get(f"{path}/enrolments").json()["results"]] == [enrolled.json()["id"]]
    assert api.get("enrolments", {"state": "active"}).json()["results"] == []
    work()
    assert not OutboundEmail.objects.filter(kind="step").exists()


def test_a_wrong_step_is_a_400_that_names_its_place(api: Api, agency: Agency) -> None:
    for steps, named in (
        ([WAIT, {"kind": "email", "template": "tpl_0"}], "steps.1.template"),
        ([WAIT, {"kind": "linkedin_connect", "note": "a" * 201}], "steps.1.note"),
        ([{"kind": "fax"}], "kind"),
        ([], "steps"),
        ([{**WAIT, "nickname": 1}], "nickname"),
        ([{**WAIT, "condition": {"field": "nickname", "op": "exists"}}], "steps.0.condition"),
    ):
        answer = api.post("sequences", {"name": "A", "trigger": {"kind": "hand"}, "steps": steps})
        assert (answer.status_code, named in answer.text) == (400, True), answer.text
    answer = api.post("sequences", {"name": "A", "trigger": {"kind": "tag"}, "steps": [WAIT]})
    assert (answer.status_code, "trigger.tag" in answer.text) == (400, True)
    assert not agency.sequences.exists()
