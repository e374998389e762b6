"""Have messages to leads sent on behalf of people and automations, and decide about those that were not."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.enums import ProviderSlug
from accounts.core.errors import FieldError, StateError
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import restart
from accounts.core.text import plain
from leads.enums import MessageAuthor, MessageState, SendingKind
from leads.inbox.ways import NoWay, Way, conversation_with, refuse_unready, way_of
from leads.models import Lead, Message, Sending, StepRun, Thread
from leads.pipeline.dto import MAX_MESSAGE_LENGTH
from leads.pipeline.history import request_sequence_reaction
from leads.pipeline.sendings import record_sent

#: The same text of the same person within this time is one click too many.
SAME_CLICK = timedelta(seconds=10)
#: States in which a person may send a message again.
REPEATABLE = (MessageState.FAILED, MessageState.UNKNOWN)
#: States in which nothing was sent.
UNSENT = (MessageState.HELD, MessageState.QUEUED, MessageState.FAILED)


def clean_text(text: str) -> str:
    """Return a message as it is sent. Raises FieldError.

    `{{` is refused, because a provider would put something of its own in its place.
    """
    text = plain(text, lines=True).strip()
    if not text:
        raise FieldError("text", gettext("Write a message."))
    if len(text) > MAX_MESSAGE_LENGTH:
        raise FieldError("text", gettext("Write at most %(n)d characters.") % {"n": MAX_MESSAGE_LENGTH})
    if "{{" in text:
        raise FieldError("text", gettext("Fill in what stands between {{ and }}: the provider would replace it."))
    return text


@transaction.atomic
def reply(
    thread: Thread,
    text: str,
    *,
    user: User | None = None,
    author: MessageAuthor = MessageAuthor.MEMBER,
    must_be_ready: bool = False,
) -> Message:
    """Have a message sent in a conversation. It waits while the account is not ready.

    Raises FieldError for the text, NoWay if nothing can be sent here, and with `must_be_ready` StateError with the
    reasons while the account is not ready.
    """
    text = clean_text(text)
    way = way_of(thread)
    if must_be_ready:
        refuse_unready(way)
    now = timezone.now()
    _lock(thread)
    again = thread.messages.filter(text=text, author=author, user=user, occurred_at__gt=now - SAME_CLICK)
    if user is not None and (known := again.exclude(sending_state__in=("", MessageState.FAILED)).first()):
        return known
    return _queue(thread, text, way, user=user, author=author, kind=SendingKind.MESSAGE)


@transaction.atomic
def invite(thread: Thread, note: str, *, author: MessageAuthor = MessageAuthor.AUTOMATION) -> Message:
    """Have the lead invited to connect, with a note or bare. Raises FieldError for the note, and NoWay."""
    way = way_of(thread)
    if way.provider is ProviderSlug.WELINK and not way.profile_id:
        raise NoWay("no_address", gettext("We-Link needs the lead's profile id, which no report has named."))
    _lock(thread)
    text = clean_text(note) if note else ""
    return _queue(thread, text, way, user=None, author=author, kind=SendingKind.INVITATION)


def _lock(thread: Thread) -> None:
    """Lock a conversation. A new one is saved."""
    if thread._state.adding:
        thread.last_message_at = timezone.now()
        thread.save()
    Thread.objects.select_for_update().get(pk=thread.pk)


def _queue(
    thread: Thread, text: str, way: Way, *, user: User | None, author: MessageAuthor, kind: SendingKind
) -> Message:
    message = Message.objects.create(
        agency_id=thread.agency_id,
        lead_id=thread.lead_id,
        thread=thread,
        account_id=thread.account_id,
        provider=thread.provider,
        author=author,
        user=user,
        text=text,
        occurred_at=timezone.now(),
        sending_state=MessageState.QUEUED,
    )
    Sending.objects.create(message=message, kind=kind, source=way.source)
    transaction.on_commit(_wake_up, robust=True)
    return message


def send_to(lead: Lead, text: str, *, user: User | None = None, must_be_ready: bool = False) -> Message:
    """Have a message sent to a lead in the newest conversation, or in a new one. Raises what `reply` raises."""
    return reply(conversation_with(lead), text, user=user, must_be_ready=must_be_ready)


@transaction.atomic
def send_again(message: Message) -> Message:
    """Send a message that failed, or of which nobody knows whether it was sent. Raises StateError for others."""
    way = way_of(_thread(message))
    if StepRun.objects.filter(message=message, enrolment__ended_at__isnull=False).exists():
        raise StateError("", gettext("The sequence that wrote this has ended. Write to the lead yourself."))
    if not _move(message, REPEATABLE, MessageState.QUEUED):
        raise StateError("", gettext("This message cannot be sent again: it is on its way, or was sent."))
    fresh: dict[str, Any] = {
        "called_at": None,
        "external_id": "",
        "echoed_at": None,
        "held_codes": [],
        "source": way.source,
    }
    restart(Sending.objects.filter(pk=message.pk), **fresh)
    _inform_sequence(message)
    transaction.on_commit(_wake_up, robust=True)
    return message


@transaction.atomic
def mark_sent(message: Message) -> Message:
    """Record that a message of which nobody knew it was sent, as a person has seen. Raises StateError for others."""
    sending = Sending.objects.select_for_update().get(pk=message.pk)
    if not _move(message, (MessageState.UNKNOWN,), MessageState.SENDING):
        raise StateError(
            "", gettext("Only a message of which it is not known whether it was sent can be marked as sent.")
        )
    record_sent(message, at=sending.called_at or message.occurred_at)
    return message


@transaction.atomic
def discard(message: Message) -> None:
    """Delete a message that was not sent. Raises StateError if it is being sent, or was."""
    unsent = Sending.objects.select_for_update().filter(pk=message.pk, called_at__isnull=True)
    if message.state not in UNSENT or not unsent.exists():
        raise StateError("", gettext("This message is being sent, or was sent already."))
    Message.objects.filter(pk=message.pk).delete()
    _inform_sequence(message)


def _thread(message: Message) -> Thread:
    if message.thread is None:
        raise StateError("", gettext("The provider reported this message."))
    return message.thread


def _move(message: Message, states: tuple[MessageState, ...], state: MessageState) -> bool:
    """Move a message from one of these states to another. Return False if it is in none of them."""
    if not Message.objects.filter(pk=message.pk, sending_state__in=states).update(sending_state=state):
        return False
    message.sending_state = state
    return True


def _inform_sequence(message: Message) -> None:
    if message.author == MessageAuthor.AUTOMATION:
        request_sequence_reaction(message.lead)


def _wake_up() -> None:
    wake_up_jobs("sync")
