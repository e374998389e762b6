"""Carry out the steps of enrolments when they are due, and go on once each is confirmed."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.email_addresses import email_key
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import Backoff, complete, leased, put_off, work_off
from accounts.events.ordering import Origin
from leads.activities.tasks import create_task
from leads.assignments import is_possible_assignee
from leads.conditions.errors import ConditionError
from leads.conditions.fields import LeadValues
from leads.conditions.target_lists import compile_for
from leads.enums import (
    ChangedBy,
    Direction,
    EmailKind,
    EmailState,
    EndReason,
    EnrolmentState,
    HoldReason,
    StepKind,
    StepState,
    TaskKind,
    TaskMaker,
)
from leads.models import Enrolment, Lead, MessageTemplate, OutboundEmail, StepRun
from leads.models.activities import MAX_TITLE_LENGTH
from leads.pipeline.history import request_message_reaction
from leads.sequences import linkedin
from leads.sequences.contacts import connected_since, stop_reason
from leads.sequences.enrolments import POLL, end_enrolment, lock_lead, schedule, zone_for
from leads.sequences.obstacles import IS_OFF, NO_TEMPLATE, obstacle_to, step_of
from leads.sequences.outbox import Verdict
from leads.sequences.placeholders import fill, joined
from leads.sequences.runs import add_run, confirm
from leads.sequences.steps import Step, steps_of
from leads.sequences.template_fields import values_for
from leads.sequences.templates import fill_for
from leads.sequences.timing import next_in_window

BATCH = 50
LEASE = timedelta(minutes=2)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (5, 60, 600, 3600)], is_endless=True)
TASK_MINUTES = 240
NO_MATCH = gettext_noop("The condition of the step was not met.")
NO_ADDRESS = gettext_noop("The lead has no e-mail address.")
IS_CONNECTED = gettext_noop("The lead is a connection already.")


def advance_due(limit: int = BATCH) -> int:
    """Carry out the due steps of at most `limit` enrolments. Return the number of enrolments that were looked at."""
    return work_off(Enrolment.objects.all(), _advance, limit=limit, lease=LEASE, backoff=BACKOFF)


def _advance(row: Enrolment) -> None:
    try:
        lead = lock_lead(row.lead_id)
    except Lead.DoesNotExist:
        return
    enrolment = leased(row).select_related("sequence__agency", "version").first()
    if enrolment is None:
        return
    now = timezone.now()
    if (reason := stop_reason(lead, enrolment)) is not None:
        end_enrolment(enrolment, lead, reason)
    elif not enrolment.sequence.active:
        put_off(row, now + POLL, IS_OFF)
    elif (waiting := _waiting_run(enrolment)) is not None:
        if not _confirm_ended(waiting, lead):
            put_off(row, now + POLL, waiting.reason if waiting.kind in linkedin.KINDS else "")
    else:
        if enrolment.state == EnrolmentState.PAUSED:
            enrolment.state, enrolment.paused_until = EnrolmentState.ACTIVE, None
            enrolment.save(update_fields=["state", "paused_until"])
        _carry_out_next(row, enrolment, lead, now)


def _carry_out_next(row: Enrolment, enrolment: Enrolment, lead: Lead, now: datetime) -> None:
    steps = {step.id: step for step in steps_of(enrolment.version.steps)}
    step = steps.get(enrolment.next_step)
    if step is None or StepRun.objects.filter(enrolment=enrolment, step=step.id).exists():
        schedule(enrolment, lead, after=now)
        return
    due = enrolment.due_at or now
    at = due if due > now else next_in_window(now, window=step.window, zone=zone_for(lead))
    if at > now:
        put_off(row, at, "", due_at=at)
        return
    try:
        is_met = compile_for(enrolment.sequence.agency, step.condition).matches(LeadValues(lead))
    except ConditionError:
        is_met = False
    if not is_met:
        add_run(enrolment, step, StepState.SKIPPED, reason=NO_MATCH)
        schedule(enrolment, lead, after=now)
    elif step.kind is StepKind.WAIT:
        run = add_run(enrolment, step, StepState.WAITING)
        confirm(run, lead, at=due)
    elif step.kind in linkedin.KINDS:
        _begin_on_linkedin(row, enrolment, step, lead, now)
    else:
        _begin(enrolment, step, lead, now)
        complete(row, again_at=now + POLL, due_at=None)


def _begin_on_linkedin(row: Enrolment, enrolment: Enrolment, step: Step, lead: Lead, now: datetime) -> None:
    """Begin a message or an invitation, unless something has it wait, or the lead is connected already."""
    if step.kind is StepKind.LINKEDIN_CONNECT and connected_since(lead) is not None:
        add_run(enrolment, step, StepState.SKIPPED, reason=IS_CONNECTED)
        schedule(enrolment, lead, after=now)
        return
    obstacle = linkedin.begin(enrolment, step, lead, now)
    if obstacle is not None and obstacle.until is not None:
        put_off(row, obstacle.until, obstacle.reason)
    else:
        complete(row, again_at=now + POLL, due_at=None)


def _begin(enrolment: Enrolment, step: Step, lead: Lead, now: datetime) -> None:
    """Begin a step that is confirmed later."""
    run = add_run(enrolment, step, StepState.WAITING)
    if step.kind is StepKind.EMAIL:
        run.email = OutboundEmail.objects.create(
            agency_id=lead.agency_id, lead=lead, kind=EmailKind.STEP, recipient=lead.email, next_attempt_at=now
        )
        transaction.on_commit(lambda: wake_up_jobs("deliveries"), robust=True)
    elif step.kind is StepKind.PHONE_TASK:
        title = " ".join(joined(fill(step.note, values_for(lead))).split())[:MAX_TITLE_LENGTH]
        owner = lead.assigned_to
        run.task = create_task(
            lead,
            kind=TaskKind.CALL,
            title=title,
            due_in_working_minutes=TASK_MINUTES,
            assigned_to=owner if owner is not None and is_possible_assignee(lead.agency, owner) else None,
            made_by=TaskMaker.STEP,
        )
    run.save(update_fields=["email", "task"])


def confirm_ended(lead: Lead) -> None:
    """Go on with a locked lead's enrolment if what it waits for was done or sent, or is gone."""
    runs = StepRun.objects.filter(
        enrolment__lead=lead,
        enrolment__ended_at__isnull=True,
        state__in=[StepState.WAITING, StepState.HELD],
        kind__in=[StepKind.PHONE_TASK, *linkedin.KINDS],
    )
    for run in runs.select_related("task", "message__sending"):
        _confirm_ended(run, lead)


def judge_email(email: OutboundEmail, lead: Lead) -> Verdict:
    """Decide about a due e-mail of a step in the transaction that sends it, and fill it. The lead is locked."""
    run = (
        StepRun.objects.select_related("enrolment__sequence__agency", "enrolment__version").filter(email=email).first()
    )
    if run is None or not run.enrolment.is_open or run.state == StepState.CANCELLED:
        return Verdict(is_cancelled=True)
    enrolment, now = run.enrolment, timezone.now()
    if (reason := stop_reason(lead, enrolment)) is not None:
        end_enrolment(enrolment, lead, reason)
        return Verdict(is_cancelled=True)
    step = step_of(enrolment, run.step)
    obstacle = obstacle_to(enrolment, step, lead, now, recipient=email_key(lead.email), besides=email.pk)
    if obstacle is not None:
        return Verdict(until=obstacle.until, reason=obstacle.reason)
    return _fill_email(email, step, lead)


def follow_email(email: OutboundEmail, lead: Lead) -> None:
    """Carry over to its step what became of an e-mail. The lead is locked."""
    run = StepRun.objects.filter(email=email).first()
    if run is None:
        return
    if email.state == EmailState.SENT:
        at = email.sent_at or timezone.now()
        if run.state != StepState.DONE:
            origin = Origin(by=ChangedBy.AUTOMATION, at=at)
            request_message_reaction(lead, Direction.FROM_AUTOMATION, origin)
        confirm(run, lead, at=at)
        return
    states = {EmailState.HELD: StepState.HELD, EmailState.CANCELLED: StepState.CANCELLED}
    StepRun.objects.filter(pk=run.pk).update(
        state=states.get(EmailState(email.state), StepState.WAITING), reason=email.error
    )
    if email.hold == HoldReason.BOUNCED:
        enrolment = Enrolment.objects.select_related("sequence", "version").get(pk=run.enrolment_id)
        end_enrolment(enrolment, lead, EndReason.BOUNCE)


def _fill_email(email: OutboundEmail, step: Step | None, lead: Lead) -> Verdict:
    template = MessageTemplate.objects.filter(pk=step.template, agency=lead.agency_id).first() if step else None
    if template is None:
        return Verdict(hold=HoldReason.MISSING_VALUE, reason=NO_TEMPLATE)
    filled = fill_for(template, lead)
    email.recipient, email.subject, email.text = (
        email_key(lead.email) if lead.email else "",
        filled.subject_text,
        filled.body_text,
    )
    if filled.missing:
        return Verdict(hold=HoldReason.MISSING_VALUE, reason=", ".join(filled.missing))
    return Verdict() if lead.email else Verdict(hold=HoldReason.NO_ADDRESS, reason=NO_ADDRESS)


def _waiting_run(enrolment: Enrolment) -> StepRun | None:
    waiting = StepRun.objects.filter(enrolment=enrolment, state__in=[StepState.WAITING, StepState.HELD])
    return waiting.select_related("task", "message__sending").first()


def _confirm_ended(run: StepRun, lead: Lead) -> bool:
    """Go on after a step that ended outside of here. Return whether it has."""
    return linkedin.follow(run, lead) if run.kind in linkedin.KINDS else _confirm_ended_task(run, lead)


def _confirm_ended_task(run: StepRun, lead: Lead) -> bool:
    """Confirm a phone task that is done, or that somebody deleted. Return whether it is confirmed."""
    if run.kind != StepKind.PHONE_TASK or (run.task is not None and run.task.is_open):
        return False
    confirm(run, lead, at=run.task.done_at if run.task and run.task.done_at else timezone.now())
    return True
