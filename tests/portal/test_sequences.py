"""Sequences on their pages: made, read, switched on, edited; leads enrolled; e-mails that are held; the sender."""

import pytest
from django.core import mail
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency
from leads.models import EmailSender, Enrolment, Lead, OutboundEmail, Sequence
from leads.pipeline.changes import create_lead
from leads.sequences.templates import create_template
from tests.leads.sequences.world import confirm_sender, work
from tests.portal.browser import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


@pytest.fixture
def lead(agency: Agency) -> Lead:
    return create_lead(agency, name="Ada Lovelace", email="ada@example.com", country="Germany")


def rows(*steps: dict[str, str], known: int = 0) -> dict[str, str]:
    """The rows of the form's steps."""
    found = {"steps-TOTAL_FORMS": str(len(steps)), "steps-INITIAL_FORMS": str(known)}
    for place, step in enumerate(steps):
        found |= {f"steps-{place}-{name}": value for name, value in {"ORDER": str(place + 1), **step}.items()}
    return found


def test_a_sequence_is_made_read_edited_and_moved_to(agency: Agency, manager: Client, lead: Lead) -> None:
    template = create_template(agency, name="Hello", channel="email", subject="Hello", text="Hello {{ first_name }}")
    confirm_sender(agency)
    call = {"kind": "phone_task", "note": "Call {{ name }}", "delay": "2"}
    mail_step = {"kind": "email", "template": template.pk, "begin": "00:00", "end": "23:59"}
    base = {"name": "After connecting", "kind": "status_reached", "status": "CONNECTION_ACCEPTED"}
    page = manager.post("/sequences/new", {**base, **rows(mail_step, call, {})}, follow=True)
    sequence = Sequence.objects.get()
    html = page.content.decode()
    assert page.redirect_chain == [(f"/sequences/{sequence.pk}", 302)]
    for text in (
        "Connected",
        "Call {{ name }}",
        "2 sending days later",
        "Ada Lovelace",
        "switched off",
        "The lead replied.",
    ):
        assert text in html, text
    manager.post(f"/sequences/{sequence.pk}/switch", {"active": "1"})
    html = manager.post(f"/leads/{lead.pk}/enrol", {"sequence": sequence.pk}, follow=True).content.decode()
    assert "is enrolled in “After connecting”" in html
    form = manager.get(f"/sequences/{sequence.pk}/edit").content.decode()
    first, second = sequence.versions.get().steps
    assert f'value="{first["id"]}"' in form
    changed = rows(
        {**mail_step, "id": first["id"], "ORDER": "2"}, {**call, "id": second["id"], "DELETE": "on"},
        {"kind": "wait", "delay": "1", "ORDER": "1"}, known=2,
    )  # fmt: skip
    html = manager.post(f"/sequences/{sequence.pk}/edit", {**base, **changed}, follow=True).content.decode()
    assert [step["kind"] for step in sequence.versions.get(number=2).steps] == ["wait", "email"]
    assert "1 lead moves to the latest version." in html
    manager.post(f"/sequences/{sequence.pk}/move")
    assert Enrolment.objects.get().version.number == 2
    refused = manager.post(f"/sequences/{sequence.pk}/delete", follow=True).content.decode()
    assert "Stop them first" in refused
    enrolment = Enrolment.objects.get()
    for change, state in (("pause", "paused"), ("resume", "active"), ("stop", "stopped")):
        manager.post(f"/enrolments/{enrolment.pk}/{change}")
        assert Enrolment.objects.get().state == state
    assert "A person stopped it." in manager.get(f"/leads/{lead.pk}").content.decode()
    manager.post(f"/sequences/{sequence.pk}/delete")
    assert not Sequence.objects.exists()


def test_what_is_wrong_is_said_at_its_step(agency: Agency, manager: Client) -> None:
    for step, message in (
        ({"kind": "email"}, "Choose a template"),
        ({"kind": "wait"}, "Say how many sending days"),
        ({"kind": "phone_task", "note": "{{ nickname }}"}, "nickname"),
        ({"kind": "wait", "delay": "1", "begin": "17:00", "end": "09:00"}, "Give a window"),
        ({"kind": "wait", "delay": "1", "condition": '{"field": "nickname"}'}, "nickname"),
    ):
        answer = manager.post("/sequences/new", {"name": "A", "kind": "hand", **rows(step)})
        assert (answer.status_code, message in answer.content.decode()) == (422, True), message
    assert not agency.sequences.exists()


def test_a_held_mail_is_shown_and_sent_once_somebody_says_so(agency: Agency, manager: Client, lead: Lead) -> None:
    confirm_sender(agency)
    held = OutboundEmail.objects.create(
        agency=agency, lead=lead, kind="step", recipient=lead.email, subject="Hello", text="Hi", state="held",
        hold="doubtful", next_attempt_at=None,
    )  # fmt: skip
    assert "Nobody knows whether it was sent." in manager.get("/mailing").content.decode()
    manager.post(f"/emails/{held.pk}/sent")
    assert OutboundEmail.objects.get().state == "sent"
    again = manager.post(f"/emails/{held.pk}/again", follow=True).content.decode()
    assert "not held any more" in again
    assert "No e-mail is held" in manager.get("/mailing").content.decode()


def test_the_sender_is_set_and_its_password_never_shown(agency: Agency, manager: Client) -> None:
    values = {"name": "Ada", "address": "ada@northwind.example.com", "host": "mail.example.com", "port": "587"}
    data = {**values, "security": "starttls", "username": "ada", "password": "hush-hush"}
    html = manager.post("/mailing/change", data, follow=True).content.decode()
    assert "is on its way there" in html
    assert "hush-hush" not in html
    work()
    assert [each.to for each in mail.outbox] == [["ada@northwind.example.com"]]
    assert EmailSender.objects.get().password == "hush-hush"
    manager.post("/mailing/verify")
    work()
    assert len(mail.outbox) == 1


def test_who_wants_no_more_messages_is_enrolled_no_more(agency: Agency, manager: Client, lead: Lead) -> None:
    manager.post("/sequences/new", {"name": "Calls", "kind": "hand", **rows({"kind": "wait", "delay": "1"})})
    sequence = Sequence.objects.get()
    manager.post(f"/sequences/{sequence.pk}/switch", {"active": "1"})
    manager.post(f"/leads/{lead.pk}/opt-out")
    html = manager.post(f"/leads/{lead.pk}/enrol", {"sequence": sequence.pk}, follow=True).content.decode()
    assert "cannot be enrolled" in html
    assert "wants no more automatic messages" in html
