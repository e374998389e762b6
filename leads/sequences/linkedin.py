"""Send the messages and invitations of sequences over LinkedIn, and go on once each is known to be sent.

A step waits until nothing speaks against it. Then its message is a row, which `leads.inbox.dispatch` sends at most
once. It asks here again, in the transaction that sends.
"""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.errors import FieldError
from accounts.events.ordering import PROVIDER_CLOCK_SKEW
from leads.enums import LeadStatus, MessageAuthor, MessageState, SendingKind, StepKind, StepState
from leads.inbox.dispatch import Obstacle
from leads.inbox.sending import invite, reply
from leads.inbox.ways import NoWay, conversation_with
from leads.models import Enrolment, Lead, Message, MessageTemplate, StepRun
from leads.pipeline.sendings import record_sent
from leads.sequences.contacts import connected_since, stop_reason
from leads.sequences.enrolments import POLL, end_enrolment, schedule
from leads.sequences.note_budget import deserves_note
from leads.sequences.obstacles import NO_TEMPLATE, obstacle_to, step_of
from leads.sequences.placeholders import fill, joined, missing_in
from leads.sequences.runs import add_run, confirm
from leads.sequences.steps import MAX_INVITATION_NOTE, Step
from leads.sequences.template_fields import values_for
from leads.sequences.templates import fill_for

KINDS = (StepKind.LINKEDIN_CONNECT, StepKind.LINKEDIN_MESSAGE)
#: Before a lead is looked at again that has not accepted an invitation. A report of it comes before.
CONNECTION_WAIT = timedelta(hours=6)
NOT_CONNECTED = gettext_noop("The lead has not accepted an invitation yet.")
NOTE_TOO_LONG = gettext_noop("The note is longer than LinkedIn allows once it is filled in.")
MISSING = gettext_noop("The lead has no value for a field of the text.")


def begin(enrolment: Enrolment, step: Step, lead: Lead, now: datetime) -> Obstacle | None:
    """Write the message of a step and have it sent, or return what the step waits for. The lead is locked."""
    if (obstacle := obstacle_to(enrolment, step, lead, now)) is not None:
        return obstacle
    if step.kind is StepKind.LINKEDIN_MESSAGE and connected_since(lead) is None:
        return Obstacle(now + CONNECTION_WAIT, NOT_CONNECTED)
    try:
        message = _invite(step, lead, now) if step.kind is StepKind.LINKEDIN_CONNECT else _write(step, lead)
    except (NoWay, FieldError) as error:
        return Obstacle(now + POLL, str(error))
    run = add_run(enrolment, step, StepState.WAITING)
    run.message = message
    run.save(update_fields=["message"])
    return None


def _write(step: Step, lead: Lead) -> Message:
    template = MessageTemplate.objects.filter(pk=step.template, agency=lead.agency_id).first()
    if template is None:
        raise FieldError("template", NO_TEMPLATE)
    filled = fill_for(template, lead)
    if filled.missing:
        raise FieldError("text", MISSING)
    return reply(conversation_with(lead), filled.body_text, author=MessageAuthor.AUTOMATION)


def _invite(step: Step, lead: Lead, now: datetime) -> Message:
    thread = conversation_with(lead)
    parts = fill(step.note, values_for(lead))
    note = joined(parts).strip()
    if note and thread.account_id and not deserves_note(lead, thread.account_id, now):
        note = ""
    if note and missing_in(parts):
        raise FieldError("note", MISSING)
    if len(note) > MAX_INVITATION_NOTE:
        raise FieldError("note", NOTE_TOO_LONG)
    return invite(thread, note)


def judge_message(message: Message, lead: Lead) -> Obstacle | None:
    """Say why the message of a step is not sent now, in the transaction that sends it. The lead is locked."""
    run = StepRun.objects.select_related("enrolment__sequence__agency", "enrolment__version").filter(message=message)
    found = run.first()
    if found is None:
        return None
    enrolment = found.enrolment
    if not enrolment.is_open or found.state == StepState.CANCELLED:
        return Obstacle(None)
    if (reason := stop_reason(lead, enrolment)) is not None:
        end_enrolment(enrolment, lead, reason)
        return Obstacle(None)
    return obstacle_to(enrolment, step_of(enrolment, found.step), lead, timezone.now(), besides=message.pk)


def follow(run: StepRun, lead: Lead) -> bool:
    """Carry over to its step what became of a message. Return whether the step has ended. The lead is locked."""
    message = run.message
    if message is None:  # a person discarded it
        StepRun.objects.filter(pk=run.pk).update(state=StepState.CANCELLED)
        enrolment = Enrolment.objects.select_related("sequence", "version").get(pk=run.enrolment_id)
        schedule(enrolment, lead, after=timezone.now())
        return True
    if message.state is not MessageState.SENT and run.kind == StepKind.LINKEDIN_CONNECT:
        _record_by_status(message, lead)
    if message.state is MessageState.SENT:
        confirm(run, lead, at=message.occurred_at)
        return True
    is_held = message.state in (MessageState.FAILED, MessageState.UNKNOWN)
    run.state, run.reason = (StepState.HELD, message.error) if is_held else (StepState.WAITING, "")
    run.save(update_fields=["state", "reason"])
    Enrolment.objects.filter(pk=run.enrolment_id).update(error=run.reason)
    return False


def _record_by_status(message: Message, lead: Lead) -> None:
    """Record an invitation as sent that was asked for, if the provider has reported since that one was sent."""
    sending = message.sending
    if sending.kind != SendingKind.INVITATION or sending.called_at is None:
        return
    reports = lead.changes.filter(
        is_report=True,
        new_status__in=(LeadStatus.CONNECTION_SENT, LeadStatus.CONNECTION_ACCEPTED),
        occurred_at__gte=sending.called_at - PROVIDER_CLOCK_SKEW,
    )
    at = reports.order_by("occurred_at").values_list("occurred_at", flat=True).first()
    if at is not None:
        record_sent(message, at=at)
