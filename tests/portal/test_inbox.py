"""The inbox: who waits longest, what was written, read by each member for themselves, and what is done there."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.core.enums import Role
from accounts.models import Agency, Member
from leads.models import Lead, Message, Thread
from leads.pipeline.changes import create_lead
from tests.factories import make_message
from tests.portal.browser import Browser

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def client(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


@pytest.fixture
def me(client: Client, agency: Agency) -> Member:
    return agency.members.get(user=client.session["_auth_user_id"])


def conversation(agency: Agency, name: str, *, hours: float, **lead: Any) -> Thread:
    """A conversation with a lead who wrote so many hours ago."""
    found = create_lead(agency, name=name, email=f"{name.lower()}@example.com")
    Lead.objects.filter(pk=found.pk).update(**lead)
    thread = make_message(found, text=f"I am {name}", at=NOW - timedelta(hours=hours)).thread
    assert thread
    return thread


def page(client: Client, path: str = "/inbox", **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_who_waits_longest_is_first_and_who_was_answered_is_not_there(agency: Agency, client: Client) -> None:
    conversation(agency, "Second", hours=1)
    conversation(agency, "First", hours=5)
    conversation(agency, "Answered", hours=3, last_response_at=NOW)
    shown = page(client)
    assert shown.index("I am First") < shown.index("I am Second")
    assert "I am Answered" not in shown
    assert "I am Answered" in page(client, "/inbox?view=all")


def test_each_view_has_its_conversations(agency: Agency, client: Client, me: Member) -> None:
    conversation(agency, "Mine", hours=1, assigned_to=me.user)
    conversation(agency, "Free", hours=1)
    assert "I am Mine" in (mine := page(client, "/inbox?view=mine"))
    assert "I am Free" not in mine
    assert "I am Free" in (free := page(client, "/inbox?view=unassigned"))
    assert "I am Mine" not in free
    assert "Nobody waits" not in page(client, "/inbox?view=nonsense")


def test_an_empty_inbox_says_where_messages_come_from(client: Client) -> None:
    assert "Nobody waits for an answer" in page(client)
    assert "Connect a source that reports them" in page(client, "/inbox?view=mine")


def test_a_conversation_shows_who_wrote_what_beside_the_lead(agency: Agency, client: Client) -> None:
    thread = conversation(agency, "Ada", hours=2)
    make_message(thread.lead, text="Hello <b>Ada</b>", author="automation", at=NOW - timedelta(hours=3))
    make_message(thread.lead, text="Tuesday?", author="member", at=NOW)
    shown = page(client, f"/inbox/{thread.pk}")
    places = [shown.index(text) for text in ("Hello &lt;b&gt;Ada&lt;/b&gt;", "I am Ada", "Tuesday?")]
    assert places == sorted(places)
    assert "Sequence" in shown
    assert f'href="/leads/{thread.lead_id}"' in shown


def test_a_leads_page_leads_to_its_newest_conversation(agency: Agency, client: Client) -> None:
    thread = conversation(agency, "Ada", hours=2)
    newer = make_message(thread.lead, text="On the other account", new_thread=True, at=NOW).thread
    assert newer
    assert f'href="/inbox/{newer.pk}"' in page(client, f"/leads/{thread.lead_id}")


def test_a_long_conversation_shows_its_newest_messages(agency: Agency, client: Client) -> None:
    thread = conversation(agency, "Ada", hours=9)
    Message.objects.bulk_create(
        Message(
            agency=agency, lead=thread.lead, thread=thread, provider="sendpilot", author="lead", text=f"message {n};",
            occurred_at=NOW + timedelta(seconds=n),
        )
        for n in range(200)
    )  # fmt: skip
    shown = page(client, f"/inbox/{thread.pk}")
    assert "Older messages are not shown" in shown
    assert "message 199;" in shown
    assert "I am Ada" not in shown


def test_what_one_member_has_read_is_new_for_the_others(agency: Agency, sign_in: Browser) -> None:
    thread = conversation(agency, "Ada", hours=2)
    anna, ben = sign_in(Role.MANAGER), sign_in(Role.READ_ONLY)
    assert "Mark as read" in page(anna, f"/inbox/{thread.pk}")
    assert "Mark as read" in page(anna, f"/inbox/{thread.pk}")  # looking changes nothing
    anna.post(f"/inbox/{thread.pk}/read")
    assert "Mark as read" not in page(anna, f"/inbox/{thread.pk}")
    assert "</span> New<" not in page(anna)
    assert "</span> New<" in page(ben)
    ben.post(f"/inbox/{thread.pk}/read")
    assert "</span> New<" not in page(ben)


def test_a_label_is_given_and_refused_if_it_is_too_long(agency: Agency, client: Client) -> None:
    thread = conversation(agency, "Ada", hours=2)
    client.post(f"/inbox/{thread.pk}/label", {"label": "pricing"})
    assert Thread.objects.get().label == "pricing"
    client.post(f"/inbox/{thread.pk}/label", {"label": "a" * 41})
    assert Thread.objects.get().label == "pricing"


def test_the_list_and_the_messages_are_asked_for_alone(agency: Agency, client: Client) -> None:
    thread = conversation(agency, "Ada", hours=2)
    parts = page(client, "/inbox", **{"HX-Target": "threads"}), page(client, f"/inbox/{thread.pk}/messages")
    assert all("I am Ada" in part and "<html" not in part for part in parts)


def test_the_list_asks_no_more_for_more_conversations(agency: Agency, client: Client) -> None:
    counts = []
    for number in (1, 12):
        for n in range(number):
            conversation(agency, f"Ada{number}{n}", hours=2)
        with CaptureQueriesContext(connection) as asked:
            page(client, "/inbox", **{"HX-Target": "threads"})
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_closed_lead_waits_no_more_until_it_writes_again(agency: Agency, sign_in: Browser) -> None:
    lead = create_lead(agency, name="Grace")
    make_message(lead, text="Tell me more", at=timezone.now() - timedelta(hours=1))
    client = sign_in(Role.MANAGER)
    assert "Grace" in client.get("/inbox").content.decode()
    client.post(f"/leads/{lead.pk}/status", {"status": "DONE"})
    assert "Nobody waits for an answer" in client.get("/inbox").content.decode()
    again = make_message(lead, text="One more question")
    Thread.objects.filter(pk=again.thread_id).update(last_received_at=timezone.now())
    assert "Grace" in client.get("/inbox").content.decode()
