"""Record what an owner did on the page behind the link, and how the provider responded."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import AccountReport, ReauthPrompt, ReauthStep
from accounts.models.reauth import StepKind

PAGE_USE_INTERVAL = timedelta(minutes=1)
RESULT_TIMEOUT = timedelta(minutes=3)  # how long to wait for a provider that received a sign-in
ATTEMPT_WINDOW = timedelta(minutes=10)
SUBMISSION_KINDS = (StepKind.SUBMITTED, StepKind.FINISHED)
ATTEMPT_KINDS = (*SUBMISSION_KINDS, StepKind.STARTED, StepKind.FAILED)


def add_step(prompt: ReauthPrompt, kind: StepKind, *, text: str = "") -> ReauthStep:
    """Add a step to the history of the prompt."""
    return ReauthStep.objects.create(prompt=prompt, kind=kind, note=text[:300])


def set_reference(step: ReauthStep, reference: str) -> None:
    """Store the id by which the provider reports the result of this step."""
    step.reference = reference
    step.save(update_fields=["reference"])


def record_page_use(prompt: ReauthPrompt) -> None:
    """Record that a person uses the page, so that a change that follows counts as expected."""
    now = timezone.now()
    if prompt.viewed_at is None:
        add_step(prompt, StepKind.VIEWED)
    if prompt.viewed_at is None or now - prompt.viewed_at > PAGE_USE_INTERVAL:
        ReauthPrompt.objects.filter(pk=prompt.pk).update(viewed_at=now)


def count_recent_attempts(prompt: ReauthPrompt) -> int:
    """Return how many attempts were made on the page within WITHIN."""
    return prompt.steps.filter(kind__in=ATTEMPT_KINDS, at__gt=timezone.now() - ATTEMPT_WINDOW).count()


def last_submission(prompt: ReauthPrompt) -> ReauthStep | None:
    """Return the last step that was submitted to the provider and that the provider reports on, or None."""
    return prompt.steps.filter(kind__in=SUBMISSION_KINDS).order_by("-id").first()


def report_since(step: ReauthStep) -> AccountReport | None:
    """Return the latest report of the provider since the step, or None."""
    return step.prompt.account.reports.filter(created_at__gt=step.at).order_by("-id").first()


def is_waiting(prompt: ReauthPrompt) -> bool:
    """Return whether the provider has yet to report on the last submission, and may still do so."""
    step = last_submission(prompt)
    if step is None or timezone.now() - step.at > RESULT_TIMEOUT:
        return False
    failed = prompt.steps.filter(kind=StepKind.FAILED, id__gt=step.id).exists()
    return not failed and report_since(step) is None
