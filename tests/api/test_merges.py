"""Leads are merged and parted over the API, and every id goes on answering."""

from accounts.models import Agency, Event
from leads.models import Lead
from leads.pipeline.changes import create_lead
from leads.pipeline.dto import Contact
from tests.api.client import Api
from tests.leads.pipeline.test_merge import report
from tests.reactions import react


def test_leads_are_merged_by_hand_and_parted_again(agency: Agency, api: Api) -> None:
    first = report(agency, "l1", contact=Contact(email="anna@example.com"))
    second = report(agency, "l2", 1, contact=Contact(phone="+49 30 1234567"))
    answer = api.post(f"leads/{second.pk}/merge", {"other": first.pk})
    assert answer.status_code == 202, answer.content
    shown = answer.json()
    assert (shown["id"], shown["merged_from"], shown["email"], shown["phone"]) == (
        *(first.pk, [second.pk], "anna@example.com", "+49 30 1234567"),
    )
    assert api.get(f"leads/{second.pk}").json()["id"] == first.pk
    event = Event.objects.get(event_type="lead_merged")
    assert (event.payload["lead_id"], event.payload["merged_lead_ids"]) == (first.pk, [second.pk])
    report(agency, "l2", 9)
    assert Event.objects.filter(event_type="lead_merged").count() == 1
    parted = api.post(f"leads/{first.pk}/unmerge", {"record": second.pk})
    assert (parted.status_code, parted.json()["id"], parted.json()["phone"]) == (202, first.pk, None)
    assert "merged_from" not in parted.json()
    assert api.get(f"leads/{second.pk}").json()["phone"] == "+49 30 1234567"


def test_webhooks_about_a_merged_lead_name_all_its_ids(agency: Agency, api: Api) -> None:
    first, second = report(agency, "l1"), report(agency, "l2", 1)
    api.post(f"leads/{first.pk}/merge", {"other": second.pk})
    api.send("patch", f"leads/{second.pk}", {"status": "DONE"})
    payload = Event.objects.get(event_type="lead_status_changed", subject=first.pk, payload__status="DONE").payload
    assert (payload["lead_id"], payload["merged_lead_ids"]) == (first.pk, [second.pk])


def test_a_lead_of_another_agency_is_no_lead_to_merge(agency: Agency, stranger: Agency, api: Api) -> None:
    ours, theirs = report(agency, "l1"), report(stranger, "l1")
    for rest, body in (("merge", {"other": theirs.pk}), ("unmerge", {"record": theirs.pk})):
        assert api.post(f"leads/{ours.pk}/{rest}", body).status_code == 400
    assert Lead.objects.count() == 2


def test_duplicates_are_listed_merged_and_dismissed(agency: Agency, api: Api) -> None:
    leads = [create_lead(agency, email=f"{n}@example.com", phone="+49 30 1234567") for n in range(3)]
    react()
    listed = api.get("duplicates").json()["results"]
    assert [(one["leads"], one["why"]) for one in reversed(listed)] == [
        ([leads[a].pk, leads[b].pk], ["phone"]) for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    merged = api.post(f"duplicates/{listed[2]['id']}/merge")
    assert (merged.status_code, merged.json()["id"], merged.json()["merged_from"]) == (
        *(202, leads[0].pk, [leads[1].pk]),
    )
    react()
    (left,) = api.get("duplicates").json()["results"]
    assert left["leads"] == [leads[0].pk, leads[2].pk]
    assert api.post(f"duplicates/{left['id']}/dismiss").status_code == 202
    assert api.get("duplicates").json()["results"] == []
    assert api.post(f"duplicates/{listed[2]['id']}/dismiss").status_code == 400
