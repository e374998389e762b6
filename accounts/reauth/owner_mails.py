"""Say what a mail to an account's owner says, as things stand when it is sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.core.email_addresses import email_key
from accounts.core.enums import AccountStatus, SuggestedAction
from accounts.models import ReauthStep
from accounts.models.reauth import StepKind
from accounts.reauth.options import Way, offer_for
from accounts.reauth.prompts import is_readable
from accounts.reauth.recipients import block_reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMail:
    """The variable parts of a mail to an owner."""

    url: str
    expires_at: datetime
    status: AccountStatus
    suggested_action: SuggestedAction
    reminder: bool
    way: Way


def owner_mails(event_ids: Iterable[str]) -> dict[str, OwnerMail]:
    """Return what the mails say that these Events carry, by the Events' ids.

    A mail whose prompt has ended, or whose address gets no mail any more, is absent.
    """
    open_ones = ReauthStep.objects.filter(event_id__in=list(event_ids), prompt__closed_at__isnull=True)
    steps = list(open_ones.select_related("prompt__account").defer("prompt__token"))
    gone = block_reasons(step.recipient for step in steps)
    found = {}
    for step in steps:
        prompt = step.prompt
        if email_key(step.recipient) in gone:
            continue
        if prompt.end is None and prompt.account.status != AccountStatus.ACTIVE and is_readable(prompt):
            found[step.event_id] = OwnerMail(
                url=prompt.url,
                expires_at=prompt.expires_at,
                status=AccountStatus(prompt.account.status),
                suggested_action=prompt.account.suggested_action,
                reminder=step.kind == StepKind.REMINDED,
                way=offer_for(prompt.account).way,
            )
    return found
