"""Templates over the API."""

from accounts.models import Agency
from leads.pipeline.changes import create_lead
from tests.api.client import Api


def test_a_template_is_made_previewed_for_a_lead_changed_and_deleted(api: Api, agency: Agency) -> None:
    text = 'Hello {{ first_name|default:"there" }}, how is {{ company }}?'
    made = api.post("templates", {"name": "Welcome", "channel": "email", "subject": "{{ company }}", "text": text})
    assert made.status_code == 201, made.text
    path = f"templates/{made.json()['id']}"
    assert made.json()["fields"] == ["company", "first_name"]
    lead = create_lead(agency, name="Ada Lovelace", company="Acme")
    assert api.post(f"{path}/preview", {"lead": lead.pk}).json() == {
        "subject": "Acme",
        "text": "Hello Ada, how is Acme?",
        "missing": [],
    }
    unknown = create_lead(agency, name="Grace")
    assert api.post(f"{path}/preview", {"lead": unknown.pk}).json() == {
        "subject": None,
        "text": "Hello there, how is ?",
        "missing": ["company"],
    }
    assert api.patch(path, {"text": "Hello"}).json()["fields"] == ["company"]
    assert api.delete(path).status_code == 204


def test_a_field_that_there_is_not_is_a_400_that_names_it(api: Api, agency: Agency) -> None:
    for body, named in (
        ({"name": "A", "channel": "linkedin", "text": "{{ nickname }}"}, "nickname"),
        ({"name": "A", "channel": "linkedin", "subject": "B", "text": "Hello"}, "subject"),
        ({"name": "A", "channel": "email", "text": "Hello"}, "subject"),
        ({"name": "A", "channel": "fax", "text": "Hello"}, "channel"),
    ):
        answer = api.post("templates", body)
        assert (answer.status_code, named in answer.text) == (400, True), answer.text
    made = api.post("templates", {"name": "A", "channel": "linkedin", "text": "Hello"}).json()
    answer = api.post(f"templates/{made['id']}/preview", {"lead": "lead_0"})
    assert (answer.status_code, "lead" in answer.text) == (400, True)
    assert api.post(f"templates/{made['id']}/preview", {}).status_code == 400
    assert agency.message_templates.count() == 1
