"""Ask an account's owner on behalf of a person, and say how far an owner who was asked is."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from accounts.models import Account, ReauthPrompt, ReauthStep
from accounts.models.reauth import StepKind
from accounts.reauth.prompts import NotNeeded, ask
from accounts.reauth.recipients import addresses_for

ATTEMPTS = (StepKind.STARTED, StepKind.SUBMITTED, StepKind.FINISHED, StepKind.FAILED)
USER = "user"


@dataclass(slots=True)
class Progress:
    """How far the owner of an account is who was asked to reconnect it. Times are None for what has not happened."""

    prompt: ReauthPrompt
    asked_at: datetime | None = None
    addresses: list[str] = field(default_factory=list)
    bounced: list[str] = field(default_factory=list)
    opened_at: datetime | None = None
    tried_at: datetime | None = None
    problem: str = ""


@transaction.atomic
def ask_owner(account: Account, *, by: str = USER) -> list[str]:
    """Mail the link to the owner, as Leadline itself does. Return the addresses. Raises NotNeeded and TooManyMails."""
    addresses = addresses_for(account)
    if not addresses:
        raise NotNeeded("No address is known: copy the link and hand it over.")
    for address in addresses:
        ask(account, by=by, email=address)
    return addresses


def progress_of(accounts: Collection[Account]) -> dict[str, Progress]:
    """Return how far the owners are who have an open request, by the accounts' ids. It takes two queries."""
    ids = [account.pk for account in accounts]
    prompts = ReauthPrompt.objects.defer("token").filter(account__in=ids, closed_at__isnull=True)
    found = {prompt.pk: Progress(prompt) for prompt in prompts if prompt.end is None}
    for step in ReauthStep.objects.filter(prompt__in=found).order_by("id") if found else ():
        _add(found[step.prompt_id], step)
    return {progress.prompt.account_id: progress for progress in found.values()}


def _add(progress: Progress, step: ReauthStep) -> None:
    """Take one step into account. A later one of its kind replaces it; the addresses are those of all mails."""
    if step.kind in (StepKind.MAILED, StepKind.REMINDED):
        progress.asked_at = step.at
        if step.recipient not in progress.addresses:
            progress.addresses.append(step.recipient)
    elif step.kind == StepKind.VIEWED:
        progress.opened_at = step.at
    elif step.kind == StepKind.BOUNCED:
        progress.bounced.append(step.recipient)
    elif step.kind in ATTEMPTS:
        progress.tried_at = step.at
        progress.problem = step.note if step.kind == StepKind.FAILED else ""
