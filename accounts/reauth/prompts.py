"""Ask the owner of an account to reconnect it: one open prompt an account, and none once it is back.

A prompt is a link, the addresses that got it, and reminders that stop with it. The link stands in no Event: a mail's
transport fetches it (`owner_mails.py`) at the moment of sending, and a mail whose prompt has ended is not sent.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.core.email_addresses import email_key
from accounts.core.enums import AccountStatus, EventType
from accounts.core.ids import new_token
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.labels import STATES
from accounts.linkedin import flapping
from accounts.linkedin.advice import needs_owner
from accounts.models import Account, ReauthPrompt, ReauthStep
from accounts.models.reauth import PromptEnd, StepKind
from accounts.reauth.recipients import addresses_for, block_address, has_complained, unblock_unless_complained
from accounts.tenancy.mail_limits import count_mail

LIFETIME = timedelta(days=7)
REMINDERS = (timedelta(hours=4), timedelta(hours=24), timedelta(hours=72))  # after the prompt was opened
SYSTEM = "system"


class NotNeeded(ValueError):
    """Nobody can or need reconnect this account. The message says why, for people."""


def update_prompt(account: Account, *, before: str, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Open or close the account's prompt after a change of its status. The account is locked.

    Only a change of status opens one: the same bad news again asks nobody twice. One that a person made for an account
    that we would not ask about stays.
    """
    if needs_owner(account):
        if account.status != before:
            prompt, is_new = _open_prompt(account, opened_by=SYSTEM, origin=origin, work=work)
            if is_new:
                _ask_owner(prompt, account, origin=origin, work=work)
        return
    for prompt in work.look_up(OPEN_PROMPTS, account.pk):
        if account.status == AccountStatus.ACTIVE:
            close(prompt, PromptEnd.DONE, note="The account is active.", work=work)
        elif account.status == AccountStatus.DELETED or prompt.opened_by == SYSTEM:
            close(prompt, PromptEnd.REVOKED, note=STATES[AccountStatus(account.status)], work=work)


@transaction.atomic
def ask(account: Account, *, by: str, email: str = "") -> ReauthPrompt:
    """Make or renew the account's open prompt on behalf of `by` (`api` or `staff`), and mail its link to `email`, also
    where mail came back from there before: a person wants it. Return the prompt.

    Raises NotNeeded for an account that is active or deleted and for an address that complained, and TooManyMails.
    """
    account = Account.objects.select_for_update(of=("self",)).select_related("agency", "sub_account").get(pk=account.pk)
    if account.status == AccountStatus.ACTIVE:
        raise NotNeeded("This account is active: there is nothing to reconnect.")
    if account.status == AccountStatus.DELETED:
        raise NotNeeded("This account is deleted. Revive it first.")
    now = timezone.now()
    origin = Origin(by=by, at=now)
    prompt, is_new = _open_prompt(account, opened_by=by, origin=origin)
    if not is_new:
        reminder_at = prompt.next_reminder_at
        prompt.expires_at = now + LIFETIME
        prompt.next_attempt_at = reminder_at or prompt.expires_at
        prompt.save(update_fields=["expires_at", "next_attempt_at"])
    if email:
        email = email_key(email)
        if has_complained(email):
            raise NotNeeded(f"{email} wants no mail of ours: its reader said so. Hand the link over another way.")
        count_mail(email, agency=account.agency)
        unblock_unless_complained(email)
        invite(prompt, [email], kind=StepKind.MAILED, origin=origin)
    return prompt


@transaction.atomic
def revoke(account: Account, *, by: str) -> bool:
    """End the account's open prompt before its time. Return whether there was one."""
    prompts = AT_ONCE.look_up(OPEN_PROMPTS, account.pk)
    for prompt in prompts:
        close(prompt, PromptEnd.REVOKED, note=f"Revoked by {by}.")
    return bool(prompts)


@transaction.atomic
def record_bounce(address: str, *, reason: str, complaint: bool = False) -> None:
    """Send no more owners' mail to an address. Where nobody else was asked, others are, with the next reminders.

    A second call for the same address changes nothing.
    """
    block_address(address, reason=reason, complaint=complaint)
    gone = email_key(address)
    wrote = ReauthStep.objects.filter(recipient__iexact=gone, prompt__closed_at__isnull=True)
    for prompt in _open_prompts().filter(pk__in=wrote.values("prompt")).order_by("pk"):
        others = [other for other in prompt.recipients if email_key(other) != gone]
        if others == prompt.recipients:
            continue
        ReauthStep.objects.create(prompt=prompt, kind=StepKind.BOUNCED, recipient=address, note=reason[:300])
        prompt.recipients = others
        prompt.next_attempt_at = prompt.next_attempt_at if others else timezone.now()
        prompt.save(update_fields=["recipients", "next_attempt_at"])


def prompt_of_link(token: str) -> ReauthPrompt | None:
    """Return the prompt that a link belongs to, whatever became of it. None: nobody ever made such a link."""
    prompts = ReauthPrompt.objects.select_related("account__agency__brand", "account__sub_account", "account__source")
    return prompts.defer("token", "account__source__credentials").filter(digest=_digest(token)).first()


def _open_prompts() -> QuerySet[ReauthPrompt]:
    """Return open prompts, locked, without their tokens: one that no key opens can still be closed."""
    return ReauthPrompt.objects.select_for_update().defer("token").filter(closed_at__isnull=True)


def _load_open(account_ids: Collection[str]) -> dict[str, list[ReauthPrompt]]:
    found: dict[str, list[ReauthPrompt]] = {pk: [] for pk in account_ids}
    for prompt in _open_prompts().filter(account__in=account_ids).order_by("pk"):
        found[prompt.account_id].append(prompt)
    return found


#: The open prompts of an account, locked, by its id: one or none.
OPEN_PROMPTS: Lookup[str, list[ReauthPrompt]] = Lookup(_load_open, ReauthPrompt)


def _open_prompt(
    account: Account, *, opened_by: str, origin: Origin, work: UnitOfWork = AT_ONCE
) -> tuple[ReauthPrompt, bool]:
    """Return the account's open prompt, and whether it was made now. One that is past its time is replaced."""
    for prompt in work.look_up(OPEN_PROMPTS, account.pk):
        work.flush(ReauthPrompt)  # the token was not loaded with it
        if prompt.end is None and is_readable(prompt):
            return prompt, False
        close(prompt, prompt.end or PromptEnd.REVOKED, work=work)
    token, now = new_token(), timezone.now()
    prompt = ReauthPrompt(
        account=account,
        token=token,
        digest=_digest(token),
        status=account.status,
        opened_by=opened_by,
        opened_at=now,
        expires_at=now + LIFETIME,
        next_attempt_at=now + LIFETIME,
    )
    work.add(prompt)
    work.remember(OPEN_PROMPTS, {account.pk: [prompt]})
    work.add(ReauthStep(prompt=prompt, kind=StepKind.OPENED, note=f"by {opened_by}"))
    _record_event(prompt, origin=origin, work=work)
    return prompt, True


def invite(
    prompt: ReauthPrompt,
    recipients: Sequence[str],
    *,
    kind: StepKind,
    origin: Origin,
    work: UnitOfWork = AT_ONCE,
) -> None:
    """Mail the link to addresses, and have those that got it reminded."""
    for address in recipients:
        event_id = _record_event(prompt, origin=origin, recipient=address, work=work)
        work.add(ReauthStep(prompt=prompt, kind=kind, recipient=address, event_id=event_id))
    prompt.recipients = list(dict.fromkeys([*prompt.recipients, *recipients]))
    prompt.next_attempt_at = next_attempt_at(prompt)
    work.update(prompt, "recipients", "next_attempt_at")


def _ask_owner(prompt: ReauthPrompt, account: Account, *, origin: Origin, work: UnitOfWork) -> None:
    """Mail the owner. That of an account that flaps is mailed once it is stable, if it still needs its owner then."""
    recipients = addresses_for(account, work)
    stable_at = flapping.stable_at(account, work)
    if stable_at is None or not recipients:
        invite(prompt, recipients, kind=StepKind.MAILED, origin=origin, work=work)
        return
    prompt.recipients, prompt.next_attempt_at = recipients, min(stable_at, prompt.expires_at)
    work.update(prompt, "recipients", "next_attempt_at")


def next_attempt_at(prompt: ReauthPrompt) -> datetime:
    """Return when an open prompt is due: at the next reminder of those who got the link, or else when it expires."""
    now = timezone.now()
    reminders = [at for wait in REMINDERS if (at := prompt.opened_at + wait) > now] if prompt.recipients else []
    return min([*reminders, prompt.expires_at])


def close(prompt: ReauthPrompt, end: PromptEnd, *, note: str = "", work: UnitOfWork = AT_ONCE) -> None:
    prompt.closed_at, prompt.closed_as, prompt.next_attempt_at = timezone.now(), end, None
    work.update(prompt, "closed_at", "closed_as", "next_attempt_at")
    work.remember(OPEN_PROMPTS, {prompt.account_id: []})
    text = f"{end.label}. {note}".strip()
    work.add(ReauthStep(prompt=prompt, kind=StepKind.CLOSED, note=text[:300]))


def _record_event(prompt: ReauthPrompt, *, origin: Origin, recipient: str = "", work: UnitOfWork) -> str:
    """Record `reauth_requested`, for the agency's channels or for one address. Return the event's id."""
    account = prompt.account
    event = events.record_event(
        account.agency,
        EventType.REAUTH_REQUESTED,
        subject=account.id,
        occurred_at=origin.at,
        receipt_id=origin.receipt_id,
        recipient=recipient,
        work=work,
        **events.account_fields(account),
    )
    return event.id


def is_readable(prompt: ReauthPrompt) -> bool:
    """Return whether today's encryption keys open the prompt's token."""
    try:
        return bool(prompt.token)
    except InvalidToken:
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
