"""What an owner did on the page behind their link, and what the provider made of it."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import AccountReport, ReauthPrompt, ReauthStep
from accounts.models.reauth import StepKind

VIEW_STEP = timedelta(minutes=1)
RESULT_TIMEOUT = timedelta(minutes=3)  # with a provider that was handed a sign-in
WITHIN = timedelta(minutes=10)
ANSWERED = (StepKind.SUBMITTED, StepKind.FINISHED)
KINDS = (*ANSWERED, StepKind.STARTED, StepKind.FAILED)


def note(prompt: ReauthPrompt, kind: StepKind, *, text: str = "") -> ReauthStep:
    """Write a step into the account's timeline."""
    return ReauthStep.objects.create(prompt=prompt, kind=kind, note=text[:300])


def set_reference(step: ReauthStep, reference: str) -> None:
    """Keep the id under which the provider answers this step."""
    step.reference = reference
    step.save(update_fields=["reference"])


def viewed(prompt: ReauthPrompt) -> None:
    """Note that a person uses the page: a change that follows is expected."""
    now = timezone.now()
    if prompt.viewed_at is None:
        note(prompt, StepKind.VIEWED)
    if prompt.viewed_at is None or now - prompt.viewed_at > VIEW_STEP:
        ReauthPrompt.objects.filter(pk=prompt.pk).update(viewed_at=now)


def count(prompt: ReauthPrompt) -> int:
    """How often something was tried on the page within WITHIN."""
    return prompt.steps.filter(kind__in=KINDS, at__gt=timezone.now() - WITHIN).count()


def last(prompt: ReauthPrompt) -> ReauthStep | None:
    """The last thing that was handed to the provider and that it answers by a report."""
    return prompt.steps.filter(kind__in=ANSWERED).order_by("-id").first()


def answer_to(step: ReauthStep) -> AccountReport | None:
    """What the provider has reported since."""
    return step.prompt.account.reports.filter(created_at__gt=step.at).order_by("-id").first()


def waits(prompt: ReauthPrompt) -> bool:
    """Whether the provider still owes an answer to what was handed to it, and may yet give it."""
    step = last(prompt)
    if step is None or timezone.now() - step.at > RESULT_TIMEOUT:
        return False
    failed = prompt.steps.filter(kind=StepKind.FAILED, id__gt=step.id).exists()
    return not failed and answer_to(step) is None
