"""Sort new messages of leads into conversations.

A report stores a message with its lead and account. A reaction puts the message into the lead's conversation over that
account. Providers report one message in several events: a second report of a message is dropped, and a text of which
only the beginning was known is replaced by the whole.
"""

from collections.abc import Sequence
from datetime import timedelta

from accounts.core.derived_fields import fold
from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.ordering import Origin
from accounts.models import Reaction
from leads.enums import MessageAuthor
from leads.models import Lead, Message, Thread
from leads.pipeline.history import record_event
from leads.pipeline.merge import lock_root
from leads.pipeline.thread_times import CARRIED_OUT, update_times

#: How far apart the times of two reports of one message may be.
SAME_MESSAGE = timedelta(minutes=2)


def react_to_messages(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Sort the messages of the leads that these reactions are about. Erased leads have none."""
    for lead_id in sorted({reaction.subject for reaction in reactions}):
        lead = lock_root(lead_id)
        if lead is not None:
            sort_messages(lead, work)


def sort_messages(lead: Lead, work: UnitOfWork = AT_ONCE) -> None:
    """Put the lead's new messages into its conversations. The lead is locked."""
    for message in Message.objects.filter(lead=lead, thread__isnull=True).order_by("occurred_at", "pk"):
        thread = _thread_for(lead, message)
        if _is_known(thread, message):
            message.delete()
            continue
        message.thread = thread
        message.save(update_fields=["thread"])
        update_times(thread)
        if message.author == MessageAuthor.LEAD:
            _record_received(message, work)


def _thread_for(lead: Lead, message: Message) -> Thread:
    """Return the lead's newest conversation over the message's account. An unknown account counts as the same."""
    for thread in lead.threads.filter(provider=message.provider).order_by("-last_message_at", "-pk"):
        if None in (thread.account_id, message.account_id) or thread.account_id == message.account_id:
            thread.account_id = thread.account_id or message.account_id
            return thread
    return Thread.objects.create(
        agency_id=lead.agency_id,
        lead=lead,
        origin_id=message.origin_id,
        account_id=message.account_id,
        provider=message.provider,
        last_message_at=message.occurred_at,
    )


def _is_known(thread: Thread, message: Message) -> bool:
    """Return whether the conversation has the message already. Complete a text of which it has the beginning."""
    near = (message.occurred_at - SAME_MESSAGE, message.occurred_at + SAME_MESSAGE)
    is_inbound = message.author == MessageAuthor.LEAD
    text = _compared(message)
    for known in thread.messages.filter(occurred_at__range=near, sending_state__in=CARRIED_OUT):
        if (known.author == MessageAuthor.LEAD) is not is_inbound:
            continue
        has = _compared(known)
        if has == text or (message.is_preview and has.startswith(text)):
            return True
        if known.is_preview and text.startswith(has):
            known.text, known.is_preview = message.text, message.is_preview
            known.save(update_fields=["text", "is_preview"])
            return True
    return False


def _compared(message: Message) -> str:
    text = fold(message.text)
    return text.rstrip(".… ") if message.is_preview else text


def _record_received(message: Message, work: UnitOfWork) -> None:
    """Record that the lead wrote a message."""
    record_event(
        message.lead,
        EventType.MESSAGE_RECEIVED,
        work=work,
        origin=Origin(by=message.provider, at=message.occurred_at, receipt_id=message.receipt_id),
        message_id=message.pk,
        thread_id=message.thread_id,
        text=message.text,
        is_preview=message.is_preview or None,
        provider=message.provider,
    )
