"""Remind owners who were asked to reconnect their accounts, and close the prompts that have expired."""

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.core.connections import is_outage
from accounts.core.jobs import Backoff, claim_due, complete, leased, retry
from accounts.events.ordering import Origin
from accounts.models import ReauthPrompt
from accounts.models.reauth import StepKind
from accounts.reauth.prompts import SYSTEM, close, invite, next_attempt_at
from accounts.reauth.recipients import addresses_for, reachable_addresses

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
BACKOFF = Backoff([timedelta(minutes=minutes) for minutes in (1, 10, 60)], is_endless=True)


def remind_due(limit: int = 20) -> int:
    """Remind owners whose reminder is due, and close prompts that have expired, at most `limit`. Return how many were
    due."""
    with claim_due(ReauthPrompt.objects.defer("token"), limit=limit, lease=LEASE) as claimed:
        for prompt in claimed:
            _remind_or_close(prompt)
    return len(claimed)


def _remind_or_close(claimed: ReauthPrompt) -> None:
    """Remind one owner, or close a prompt that has expired, in a transaction of its own."""
    try:
        with transaction.atomic():
            rows = leased(claimed).select_for_update(of=("self",)).defer("token")
            prompt = rows.select_related("account__agency", "account__sub_account").first()
            if prompt is None:  # closed or changed since it was claimed
                complete(claimed)
            elif prompt.end is None:
                _remind(prompt)
            else:
                complete(prompt)
                close(prompt, prompt.end)
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A reminder failed; the others go on.", prompt=claimed.pk)
        retry(claimed, f"{type(error).__name__}: {error}", BACKOFF)


def _remind(prompt: ReauthPrompt) -> None:
    """Send one reminder, however many times have passed unused; or the first mail, where the account flapped before or
    the mail to others came back."""
    prompt.recipients = reachable_addresses(prompt.recipients) or addresses_for(prompt.account)
    complete(prompt, again_at=next_attempt_at(prompt))
    asked = prompt.steps.filter(kind=StepKind.MAILED, recipient__in=prompt.recipients).exists()
    kind = StepKind.REMINDED if asked else StepKind.MAILED
    invite(prompt, prompt.recipients, kind=kind, origin=Origin(by=SYSTEM, at=timezone.now()))
