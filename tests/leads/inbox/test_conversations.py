"""Messages that providers report become conversations, whatever is reported twice, cut or late."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.events.ordering import Origin
from accounts.models import Agency
from leads.enums import LeadStatus, MessageAuthor
from leads.inbox.service import WAITING, mark_read, set_label
from leads.models import Lead, Message, Thread
from leads.pipeline import reports
from leads.pipeline.changes import create_lead
from leads.pipeline.dto import Identity
from leads.pipeline.merge import merge_leads
from leads.pipeline.unmerge import unmerge
from leads.privacy.erasure import erase_lead
from leads.sla.responses import answer_elsewhere
from tests.reactions import react
from tests.receiving import drain, receive, source_of

T0 = timezone.now().replace(microsecond=0) - timedelta(days=1)
LEAD, MEMBER, SEQUENCE = MessageAuthor.LEAD, MessageAuthor.MEMBER, MessageAuthor.AUTOMATION


def write(
    lead: Lead, text: str, *, by: MessageAuthor = LEAD, minute: float = 0, is_preview: bool = False, **more: Any
) -> None:
    """Report a message as a provider does, and sort it."""
    reports.report_status(
        lead.agency,
        provider="sendpilot",
        identity=Identity(external_id=lead.pk),
        status=LeadStatus.REPLY_RECEIVED if by is LEAD else LeadStatus.MESSAGE_SENT,
        stated=False,
        by_person=by is MEMBER,
        origin=Origin(by="sendpilot", at=T0 + timedelta(minutes=minute)),
        lead=lead,
        text=text,
        is_preview=is_preview,
        **more,
    )
    react()


def texts(agency: Agency) -> list[tuple[str, str]]:
    rows = Message.objects.filter(agency=agency, thread__isnull=False).order_by("occurred_at", "pk")
    return list(rows.values_list("author", "text"))


@pytest.fixture
def lead(agency: Agency) -> Lead:
    return create_lead(agency, name="Ada")


def test_what_is_written_is_one_conversation_in_the_order_of_its_times(agency: Agency, lead: Lead) -> None:
    write(lead, "Hello Ada", by=SEQUENCE)
    write(lead, "Tuesday at ten?", by=MEMBER, minute=20)
    write(lead, "Tell me more", minute=10)  # reported late
    assert texts(agency) == [("automation", "Hello Ada"), ("lead", "Tell me more"), ("member", "Tuesday at ten?")]
    thread = Thread.objects.get()
    assert thread.last_message_at == T0 + timedelta(minutes=20)
    assert thread.waiting_since is None  # it was answered


def test_a_lead_waits_from_its_first_message_that_no_person_answered(lead: Lead) -> None:
    write(lead, "Tell me more", minute=1)
    write(lead, "Are you there?", minute=30)
    write(lead, "Did you see my last message?", by=SEQUENCE, minute=40)  # a sequence answers nobody
    thread = Thread.objects.get()
    assert thread.waiting_since == T0 + timedelta(minutes=1)
    assert Thread.objects.filter(WAITING).exists()
    write(lead, "Yes, I am", by=MEMBER, minute=50)
    assert not Thread.objects.filter(WAITING).exists()
    write(lead, "Good", minute=60)
    assert Thread.objects.get().waiting_since == T0 + timedelta(minutes=60)


def test_an_answer_given_elsewhere_ends_the_wait(lead: Lead) -> None:
    write(lead, "Call me", minute=1)
    answer_elsewhere(lead, how="by telephone")
    assert not Thread.objects.filter(WAITING).exists()


def test_a_message_that_two_events_report_is_there_once(agency: Agency, lead: Lead) -> None:
    write(lead, "Tell me  more", minute=1)
    write(lead, "tell me more", minute=1.5)
    write(lead, "Tell me more", by=MEMBER, minute=1.5)  # the same words of somebody else
    write(lead, "Tell me more", minute=9)  # and said again later
    assert [author for author, _ in texts(agency)] == ["lead", "member", "lead"]


@pytest.mark.parametrize("whole_first", [True, False])
def test_a_beginning_is_replaced_by_the_whole_text_in_either_order(
    agency: Agency, lead: Lead, whole_first: bool
) -> None:
    whole = "Thank you, please send me the prices of both"
    reported = [(f"{whole[:30]}…", True), (whole, False)]
    for text, is_preview in reversed(reported) if whole_first else reported:
        write(lead, text, is_preview=is_preview)
    assert texts(agency) == [("lead", whole)]
    assert not Message.objects.get().is_preview


def test_each_account_that_writes_has_its_own_conversation(agency: Agency, lead: Lead) -> None:
    first, second = (agency.accounts.create(provider="sendpilot", external_id=name, status_since=T0) for name in "ab")
    write(lead, "Hello", by=SEQUENCE, account=first)
    write(lead, "Hello again", by=SEQUENCE, minute=5, account=second)
    write(lead, "Hi", minute=6, account=first)
    counts = {thread.account_id: thread.messages.count() for thread in Thread.objects.all()}
    assert counts == {first.pk: 2, second.pk: 1}


def test_sendpilots_messages_are_kept_as_they_were_written(agency: Agency) -> None:
    source = source_of(agency, "sendpilot")
    for kind, fields in (
        ("message.sent", {"message": "Hello Ada", "sequenceStep": 1}),
        ("message.received", {"reply": "Tell me\nmore"}),
        ("reply.received", {"replyPreview": "Tell me more"}),
        ("message.sent", {"message": "Tuesday at ten?"}),
    ):
        receive(source, {
            "eventType": kind, "eventId": f"{kind}{fields}", "timestamp": timezone.now().isoformat(),
            "workspaceId": "w", "data": {"leadId": "l1", "campaignId": "c1", **fields},
        })  # fmt: skip
    drain()
    react()
    assert texts(agency) == [("automation", "Hello Ada"), ("lead", "Tell me\nmore"), ("member", "Tuesday at ten?")]


def test_merged_leads_share_their_conversations_and_take_them_home_again(agency: Agency, lead: Lead) -> None:
    other = create_lead(agency, name="Ada L.")
    write(lead, "From the first")
    write(other, "From the second", minute=5)
    merge_leads(Lead.objects.get(pk=lead.pk), Lead.objects.get(pk=other.pk))
    assert Thread.objects.filter(lead=lead).count() == 2
    write(Lead.objects.get(pk=lead.pk), "Later", minute=9)
    unmerge(agency, other.pk)
    assert [m.text for m in Message.objects.filter(lead=other)] == ["From the second"]
    assert [m.text for m in Message.objects.filter(lead=lead).order_by("occurred_at")] == ["From the first", "Later"]


def test_an_erased_lead_leaves_no_message(lead: Lead) -> None:
    write(lead, "My secret")
    erase_lead(lead)
    assert (Thread.objects.count(), Message.objects.count()) == (0, 0)


def test_what_was_read_is_unread_again_when_the_lead_writes(lead: Lead) -> None:
    write(lead, "One")
    thread = Thread.objects.get()
    assert thread.is_unread
    mark_read(thread, at=T0 + timedelta(minutes=2))
    assert not Thread.objects.get().is_unread
    write(lead, "Two", minute=5)
    assert Thread.objects.get().is_unread


def test_a_label_is_short_and_plain(lead: Lead) -> None:
    write(lead, "One")
    set_label(Thread.objects.get(), " pri\u202ecing ")
    assert Thread.objects.get().label == "pricing"
    with pytest.raises(ValueError, match="at most 40"):
        set_label(Thread.objects.get(), "a" * 41)
