"""Drafts: of a template, and of a model that a stand-in plays; what is in no input is marked."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client, override_settings

from accounts.core.enums import Role
from accounts.models import Agency
from leads.models import Lead
from leads.pipeline.changes import create_lead
from leads.sequences.drafts import DraftError, Fact, ModelDrafter, drafter_for, facts_about, marked
from leads.sequences.templates import create_template
from tests.factories import make_message
from tests.portal.browser import Browser


class Model:
    """A stand-in of an OpenAI-compatible endpoint: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.status, self.answer, self.asked = 200, b"", []  # type: ignore[var-annotated]
        self.say("Hello Ada, Acme has 40 seats.")
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                model.asked.append((self.path, self.headers["Authorization"], json.loads(body)))
                self.send_response(model.status)
                self.send_header("Content-Length", str(len(model.answer)))
                self.end_headers()
                self.wfile.write(model.answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def say(self, text: Any) -> None:
        self.answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


@pytest.fixture
def model() -> Iterator[Model]:
    model = Model()
    thread = threading.Thread(target=model.server.serve_forever, daemon=True)
    thread.start()
    yield model
    model.server.shutdown()
    model.server.server_close()


@pytest.fixture
def lead(agency: Agency) -> Lead:
    answers = [{"label": "Seats", "value": "40"}]
    return create_lead(agency, name="Ada Lovelace", company="Acme", answers=answers)


def unsupported(text: str, *facts: Fact) -> list[str]:
    return [part.text for part in marked(text, facts).parts if part.is_unsupported]


def test_each_word_is_linked_to_its_facts_and_what_is_in_none_is_marked() -> None:
    facts = (Fact("f1", "field: company", "Acme Ltd"), Fact("f2", "answer: Seats", "40 seats, from May"))
    draft = marked("ACME wants 40 seats by June.", facts)
    assert draft.needs_person
    assert "".join(part.text for part in draft.parts) == draft.text
    assert {part.text: part.sources for part in draft.parts if part.sources} == {
        "ACME": ("field: company",),
        "40": ("answer: Seats",),
        "seats": ("answer: Seats",),
    }
    assert unsupported("ACME wants 40 seats by June.", *facts) == ["wants", "by", "June"]
    assert unsupported("400 seats, 4 seats", *facts) == ["400", "4"]
    assert unsupported("Acme seats", *facts) == []


@pytest.mark.django_db
def test_a_template_is_the_default_and_needs_every_value(agency: Agency, lead: Lead) -> None:
    template = create_template(agency, name="Hello", channel="linkedin", text="Hello {{ first_name }} of {{ company }}")
    drafter = drafter_for(template)
    assert drafter is not None
    draft = drafter.write(lead, facts_about(lead), "")
    assert (draft.text, draft.needs_person) == ("Hello Ada of Acme", False)
    with pytest.raises(DraftError, match="company"):
        drafter.write(create_lead(agency, name="Grace Hopper"), [], "")
    assert drafter_for(None) is None


@pytest.mark.django_db
def test_a_model_is_asked_with_the_facts_and_the_brief_and_nothing_else_of_the_lead(
    agency: Agency, lead: Lead, model: Model
) -> None:
    make_message(lead, text="Do you support SSO?")
    Lead.objects.filter(pk=lead.pk).update(email="ada@example.com", phone="+49 30 901820")
    draft = ModelDrafter(model.url, "small", "hush").write(lead, facts_about(lead), "Offer a call")
    (path, key, body), *others = model.asked
    assert (path, key, body["model"], others) == ("/v1/chat/completions", "Bearer hush", "small", [])
    given = json.dumps(body["messages"])
    for known in ("Acme", "Seats", "40", "Do you support SSO?", "Offer a call"):
        assert known in given
    assert "ada@example.com" not in given
    assert "901820" not in given
    assert [part.text for part in draft.parts if part.is_unsupported] == ["Hello", "has"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "answer"), [(500, b"{}"), (200, b"<html>"), (200, b"{}"), (302, b""), (200, b"x" * 300_000)]
)
def test_a_model_that_fails_is_a_sentence(lead: Lead, model: Model, status: int, answer: bytes) -> None:
    model.status, model.answer = status, answer
    with pytest.raises(DraftError, match="drafter"):
        ModelDrafter(model.url, "small", "hush").write(lead, [], "")
    for said in (None, "", 5):
        model.status = 200
        model.say(said)
        with pytest.raises(DraftError, match="drafter"):
            ModelDrafter(model.url, "small", "").write(lead, [], "")


@pytest.mark.django_db
@pytest.mark.one_backend
def test_the_page_underlines_what_is_in_no_input(agency: Agency, lead: Lead, model: Model, sign_in: Browser) -> None:
    client: Client = sign_in(Role.MANAGER)
    path = f"/leads/{lead.pk}/draft"
    assert "Write a template first." in client.get(path).content.decode()
    with override_settings(DRAFTER_URL=model.url, DRAFTER_MODEL="small", DRAFTER_KEY="hush"):
        assert not model.asked
        html = client.post(path, {"template": "", "brief": "Be short"}).content.decode()
        assert ">Hello</u>" in html
        assert ">Acme</u>" not in html
        assert "hush" not in html
        model.status = 503
        failed = client.post(path, {"template": ""})
    assert (failed.status_code, "refused" in failed.content.decode()) == (422, True)
