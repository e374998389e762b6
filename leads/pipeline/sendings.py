"""Record what providers say of messages that Leadline sends: that one was sent, that it failed, or its echo.

SendPilot reports every message back. Such an echo is matched by lead, text and time. It also settles a message of which
nobody knew whether it was sent. We-Link's results name the request.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.core.derived_fields import fold
from accounts.core.enums import EventType
from accounts.core.jobs import end
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events.ordering import PROVIDER_CLOCK_SKEW, Origin
from accounts.models import Source
from leads.enums import Direction, MessageAuthor, MessageState
from leads.models import Lead, Message, Sending, Thread
from leads.pipeline.history import record_event, request_message_reaction, request_sequence_reaction
from leads.pipeline.thread_times import update_times

#: How long after a call its echo may come.
ECHO_TIMEOUT = timedelta(days=1)
#: States of a message that a provider was asked to send.
CALLED = (MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN)


def _load_awaited(lead_ids: Collection[str]) -> Mapping[str, list[Sending]]:
    found: dict[str, list[Sending]] = {lead_id: [] for lead_id in lead_ids}
    awaited = Sending.objects.filter(
        message__lead__in=lead_ids, message__sending_state__in=CALLED, called_at__isnull=False, echoed_at__isnull=True
    )
    for sending in awaited.select_related("message").order_by("called_at", "pk"):
        found[sending.message.lead_id].append(sending)
    return found


#: Lead id --> its messages that were sent and not reported back, the oldest first.
AWAITED_ECHOES: Lookup[str, list[Sending]] = Lookup(_load_awaited, Sending, Message)


def take_echo(lead: Lead, provider: str, text: str, *, is_preview: bool, at: datetime, work: UnitOfWork) -> bool:
    """Return whether a report of a message is the echo of one that Leadline sent. The lead is locked."""
    compared = fold(text).rstrip(".… ") if is_preview else fold(text)
    for sending in work.look_up(AWAITED_ECHOES, lead.pk):
        message, called_at = sending.message, sending.called_at
        own = fold(message.text)
        is_same = own.startswith(compared) if is_preview else own == compared
        is_near = called_at is not None and called_at - PROVIDER_CLOCK_SKEW <= at <= called_at + ECHO_TIMEOUT
        if is_same and is_near and message.provider == provider and sending.echoed_at is None:
            work.bypass(Sending, Message, Thread)
            sending.echoed_at = timezone.now()
            Sending.objects.filter(pk=sending.pk).update(echoed_at=sending.echoed_at)
            record_sent(message, at=at, work=work)
            return True
    return False


def record_sent(message: Message, *, at: datetime, work: UnitOfWork = AT_ONCE) -> bool:
    """Record that a message was sent. Return False if that is known already. A person's message answers the lead."""
    unsent = Message.objects.filter(pk=message.pk).exclude(sending_state=MessageState.SENT)
    at = min(at, timezone.now())
    if not unsent.update(sending_state=MessageState.SENT, occurred_at=at):
        return False
    end(Sending.objects.filter(pk=message.pk))
    message.sending_state, message.occurred_at = MessageState.SENT, at
    thread = Thread.objects.select_for_update().get(pk=message.thread_id)
    update_times(thread)
    is_person = message.author == MessageAuthor.MEMBER
    direction = Direction.FROM_PERSON if is_person else Direction.FROM_AUTOMATION
    origin = Origin(by=message.provider, at=at)
    request_message_reaction(message.lead, direction, origin, work, user_id=message.user_id)
    if not is_person:
        request_sequence_reaction(message.lead, work)
    return True


def record_failure(message: Message, error: str, *, state: MessageState = MessageState.FAILED) -> None:
    """Record that a message was not sent, or with UNKNOWN that nobody knows, and report it to the agency."""
    Message.objects.filter(pk=message.pk).update(sending_state=state)
    message.sending_state = state
    if message.author == MessageAuthor.AUTOMATION:
        request_sequence_reaction(message.lead)
    record_event(
        message.lead,
        EventType.MESSAGE_FAILED,
        origin=Origin(by=message.provider, at=timezone.now()),
        message_id=message.pk,
        message_state=state.value,
        thread_id=message.thread_id,
        text=message.text,
        error_detail=error,
        provider=message.provider,
    )


@transaction.atomic(savepoint=False)
def report_result(
    source: Source, request_id: str, *, error: str, at: datetime, thread_id: str, work: UnitOfWork
) -> Message | None:
    """Apply the result of a request that sends a message. `error` is empty if it was sent. None: Leadline sent none."""
    work.bypass(Sending, Message, Thread)
    sending = (
        Sending.objects.select_for_update(of=("self",))
        .select_related("message__lead__agency", "message__lead__account__sub_account", "message__lead__campaign")
        .filter(source=source, external_id=request_id)
        .first()
    )
    if sending is None:
        return None
    message = sending.message
    if thread_id and message.thread_id:
        Thread.objects.filter(pk=message.thread_id, external_id="").update(external_id=thread_id[:200])
    if not error:
        record_sent(message, at=at, work=work)
    elif message.state in (MessageState.SENDING, MessageState.UNKNOWN):
        end(Sending.objects.filter(pk=sending.pk), error, called_at=None)
        record_failure(message, error)
    return message
