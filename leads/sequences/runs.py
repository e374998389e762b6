"""Store what became of the steps of enrolments."""

from datetime import datetime

from django.utils import timezone

from leads.enums import StepState
from leads.models import Enrolment, Lead, StepRun
from leads.sequences.enrolments import schedule
from leads.sequences.steps import Step


def add_run(enrolment: Enrolment, step: Step, state: StepState, *, reason: str = "") -> StepRun:
    """Store that a step was begun, or skipped."""
    return StepRun.objects.create(
        enrolment=enrolment, step=step.id, kind=step.kind, state=state, reason=reason, created_at=timezone.now()
    )


def confirm(run: StepRun, lead: Lead, *, at: datetime) -> None:
    """Record that a step was sent or done, and plan the next one from then on. Confirming twice changes nothing."""
    if run.state == StepState.DONE:
        return
    run.state, run.confirmed_at, run.reason = StepState.DONE, at, ""
    run.save(update_fields=["state", "confirmed_at", "reason"])
    enrolment = Enrolment.objects.select_related("sequence", "version").get(pk=run.enrolment_id)
    enrolment.last_step = run.step
    if enrolment.is_open:
        schedule(enrolment, lead, after=at)
    else:
        enrolment.save(update_fields=["last_step"])
