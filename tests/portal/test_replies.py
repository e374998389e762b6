"""A lead is answered on the page of its conversation, and a person decides about what was not sent."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus, Role
from accounts.models import Account, Agency
from accounts.sources.service import create_source
from leads.enums import MessageState
from leads.models import Message, Sending, Thread, ThreadRead
from leads.pipeline.changes import create_lead
from tests.factories import make_message, make_sending
from tests.portal.browser import Browser

URL = "https://www.linkedin.com/in/grace"


@pytest.fixture
def client(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


@pytest.fixture
def account(agency: Agency) -> Account:
    create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})
    account = Account.objects.create(
        agency=agency, provider="sendpilot", external_id="ada", email="ada@example.com", status=AccountStatus.ACTIVE,
        status_since=timezone.now(), reported_at=timezone.now(),
    )  # fmt: skip
    set_senders(account, ["sender-1"])
    return account


@pytest.fixture
def thread(agency: Agency, account: Account) -> Thread:
    """A conversation over SendPilot in which the lead has written."""
    lead = create_lead(agency, name="Grace", linkedin_url=URL)
    thread = make_message(lead, text="Tell me more", at=timezone.now() - timedelta(hours=1)).thread
    assert thread
    Thread.objects.filter(pk=thread.pk).update(account=account, provider="sendpilot")
    thread.refresh_from_db()
    return thread


def page(client: Client, thread: Thread, part: str = "") -> str:
    answer = client.get(f"/inbox/{thread.pk}{part}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def unsent(thread: Thread, state: MessageState, error: str = "") -> Message:
    sending = make_sending(thread.lead, text=error, state=state)
    Message.objects.filter(pk=sending.pk).update(text="Tuesday at ten?", thread=thread)
    return Message.objects.get(pk=sending.pk)


def test_a_reply_is_on_its_way_and_the_conversation_read(client: Client, thread: Thread) -> None:
    answer = client.post(f"/inbox/{thread.pk}/reply", {"text": "Tuesday at ten?\r\nOr Wednesday?"}, follow=True)
    message = Message.objects.get(author="member")
    assert (message.text, message.state) == ("Tuesday at ten?\nOr Wednesday?", MessageState.QUEUED)
    assert message.user_id == int(client.session["_auth_user_id"])
    shown = answer.content.decode()
    assert "The message is on its way." in shown
    assert "Will be sent" in shown
    assert ThreadRead.objects.filter(thread=thread).exists()


def test_a_second_click_sends_nothing_more(client: Client, thread: Thread) -> None:
    for _ in range(2):
        client.post(f"/inbox/{thread.pk}/reply", {"text": "Tuesday at ten?"})
    assert Sending.objects.count() == 1


def test_a_refused_text_stays_in_its_box(client: Client, thread: Thread) -> None:
    answer = client.post(f"/inbox/{thread.pk}/reply", {"text": "Hello {{firstName}}"})
    assert answer.status_code == 422
    assert "Hello {{firstName}}</textarea>" in answer.content.decode()
    assert "the provider would replace it" in answer.content.decode()
    assert not Sending.objects.exists()


def test_a_page_says_what_a_message_waits_for(client: Client, thread: Thread, account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.DISCONNECTED)
    assert "A message waits until the account is ready." in page(client, thread)
    answer = client.post(f"/inbox/{thread.pk}/reply", {"text": "Tuesday at ten?"}, follow=True)
    assert "The message is sent as soon as the account is ready." in answer.content.decode()
    assert Message.objects.get(author="member").state is MessageState.QUEUED


def test_where_nothing_can_be_sent_the_page_says_why_and_shows_no_box(client: Client, thread: Thread) -> None:
    Thread.objects.filter(pk=thread.pk).update(provider="salesflow")
    shown = page(client, thread)
    assert "Messages can be sent over SendPilot and We-Link only." in shown
    assert f"/inbox/{thread.pk}/reply" not in shown
    answer = client.post(f"/inbox/{thread.pk}/reply", {"text": "Hello"})
    assert answer.status_code == 422
    assert not Sending.objects.exists()


@pytest.mark.parametrize(
    ("state", "label", "buttons"),
    [
        (MessageState.HELD, "Waits for the account", {"discard"}),
        (MessageState.QUEUED, "Will be sent", {"discard"}),
        (MessageState.SENDING, "Being sent", set()),
        (MessageState.FAILED, "Not sent", {"send-again", "discard"}),
        (MessageState.UNKNOWN, "Not known whether it was sent", {"send-again", "mark-sent"}),
        (MessageState.SENT, "", set()),
    ],
)  # fmt: skip
def test_a_message_that_was_not_sent_is_shown_as_such_with_what_a_person_can_do(
    client: Client, thread: Thread, state: MessageState, label: str, buttons: set[str]
) -> None:
    message = unsent(thread, state, "The provider did not accept the message.")
    shown = page(client, thread, "/messages")
    assert label in shown
    offered = {name for name in ("send-again", "mark-sent", "discard") if f"/messages/{message.pk}/{name}" in shown}
    assert offered == buttons
    is_explained = state not in (MessageState.HELD, MessageState.SENT)
    assert ("The provider did not accept the message." in shown) is is_explained


@pytest.mark.parametrize(
    ("state", "label"),
    [("queued", "Will be sent"), ("failed", "Not sent"), ("unknown", "Not known whether it was sent"), ("sent", "")],
)
def test_the_list_shows_no_message_as_sent_that_was_not(client: Client, thread: Thread, state: str, label: str) -> None:
    unsent(thread, MessageState(state))
    shown = " ".join(client.get("/inbox?view=all").content.decode().split())
    assert "Tuesday at ten?" in shown
    assert [name for name in ("Will be sent", "Not sent", "Not known whether it was sent") if name in shown] == [
        label
    ] * bool(label)


def test_a_failed_message_is_sent_again(client: Client, thread: Thread) -> None:
    message = unsent(thread, MessageState.FAILED)
    client.post(f"/messages/{message.pk}/send-again")
    message.refresh_from_db()
    assert message.state is MessageState.QUEUED
    assert Sending.objects.get().next_attempt_at is not None


def test_a_message_that_a_person_saw_on_linkedin_is_marked_as_sent(client: Client, thread: Thread) -> None:
    message = unsent(thread, MessageState.UNKNOWN)
    client.post(f"/messages/{message.pk}/mark-sent")
    message.refresh_from_db()
    assert message.state is MessageState.SENT


def test_a_message_is_taken_back_before_it_is_sent(client: Client, thread: Thread) -> None:
    message = unsent(thread, MessageState.QUEUED)
    client.post(f"/messages/{message.pk}/discard")
    assert not Message.objects.filter(pk=message.pk).exists()


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("send-again", "This message cannot be sent again: it is on its way, or was sent."),
        ("mark-sent", "Only a message of which it is not known whether it was sent can be marked as sent."),
        ("discard", "This message is being sent, or was sent already."),
    ],
)
def test_what_was_sent_stays_as_it_is(client: Client, thread: Thread, path: str, refusal: str) -> None:
    message = unsent(thread, MessageState.SENT)
    answer = client.post(f"/messages/{message.pk}/{path}", follow=True)
    message.refresh_from_db()
    assert message.state is MessageState.SENT
    assert refusal in answer.content.decode()
