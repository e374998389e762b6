"""Ask the owner of an account to reconnect it: one open prompt an account, and none once it is back.

A prompt is a link, the addresses that got it, and reminders that stop with it. The link stands in no Event: a mail's
transport fetches it (`letters`) at the moment of sending, and a mail whose prompt has ended is not sent.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.core.email_addresses import email_key
from accounts.core.enums import AccountStatus, EventType, SuggestedAction
from accounts.core.ids import new_token
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.linkedin import flapping
from accounts.linkedin.advice import needs_owner
from accounts.models import Account, ReauthPrompt, ReauthStep
from accounts.models.reauth import PromptEnd, StepKind
from accounts.reauth import recipients as addresses
from accounts.tenancy.mail_limits import count_mail

LIFETIME = timedelta(days=7)
REMINDERS = (timedelta(hours=4), timedelta(hours=24), timedelta(hours=72))  # after the prompt was opened
SYSTEM = "system"


class NotNeeded(ValueError):
    """Nobody can or need reconnect this account. The message says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMail:
    """What a mail to the owner says, as things stand when it is sent."""

    url: str
    expires_at: datetime
    status: AccountStatus
    suggested_action: SuggestedAction
    reminder: bool


def follow(account: Account, *, before: str, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Open or close the account's prompt after a report that counted, in its transaction, the account being locked.

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
            close(prompt, PromptEnd.REVOKED, note=f"The account is {account.status_label}.", work=work)


@transaction.atomic
def ask(account: Account, *, by: str, email: str = "") -> ReauthPrompt:
    """The account's open prompt, made or renewed on behalf of `by` (`api` or `staff`); its link is mailed to `email`,
    also where mail came back from there before: a person wants it.

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
        if addresses.has_complained(email):
            raise NotNeeded(f"{email} wants no mail of ours: its reader said so. Hand the link over another way.")
        count_mail(email, agency=account.agency)
        addresses.unblock_unless_complained(email)
        invite(prompt, [email], kind=StepKind.MAILED, origin=origin)
    return prompt


@transaction.atomic
def revoke(account: Account, *, by: str) -> bool:
    """End the account's open prompt before its time; whether there was one."""
    prompts = AT_ONCE.look_up(OPEN_PROMPTS, account.pk)
    for prompt in prompts:
        close(prompt, PromptEnd.REVOKED, note=f"Revoked by {by}.")
    return bool(prompts)


@transaction.atomic
def came_back(address: str, *, reason: str, complaint: bool = False) -> None:
    """No owner's mail goes to this address any more. Where nobody else was asked, others are, as soon as reminders go.

    Saying so again changes nothing.
    """
    addresses.block_address(address, reason=reason, complaint=complaint)
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


def find(token: str) -> ReauthPrompt | None:
    """The prompt that a link belongs to, whatever became of it; None: nobody ever made such a link."""
    prompts = ReauthPrompt.objects.select_related("account__agency", "account__sub_account", "account__source")
    return prompts.defer("token", "account__source__credentials").filter(digest=_digest(token)).first()


def letters(event_ids: Iterable[str]) -> dict[str, OwnerMail]:
    """For the Events that carry a mail to an owner what it says, by their ids. One whose prompt has ended, or whose
    address gets no mail any more, is absent."""
    open_ones = ReauthStep.objects.filter(event_id__in=list(event_ids), prompt__closed_at__isnull=True)
    steps = list(open_ones.select_related("prompt__account").defer("prompt__token"))
    gone = addresses.block_reasons(step.recipient for step in steps)
    found = {}
    for step in steps:
        prompt = step.prompt
        if email_key(step.recipient) in gone:
            continue
        if prompt.end is None and prompt.account.status != AccountStatus.ACTIVE and _is_readable(prompt):
            found[step.event_id] = OwnerMail(
                url=prompt.url,
                expires_at=prompt.expires_at,
                status=AccountStatus(prompt.account.status),
                suggested_action=prompt.account.suggested_action,
                reminder=step.kind == StepKind.REMINDED,
            )
    return found


def _open_prompts() -> QuerySet[ReauthPrompt]:
    """Return open prompts, locked, without their tokens: one that no key opens can still be closed."""
    return ReauthPrompt.objects.select_for_update().defer("token").filter(closed_at__isnull=True)


def _load_open(account_ids: Collection[str]) -> dict[str, list[ReauthPrompt]]:
    found: dict[str, list[ReauthPrompt]] = {pk: [] for pk in account_ids}
    for prompt in _open_prompts().filter(account__in=account_ids).order_by("pk"):
        found[prompt.account_id].append(prompt)
    return found


#: By account its open prompts, locked: one or none.
OPEN_PROMPTS: Lookup[str, list[ReauthPrompt]] = Lookup(_load_open, ReauthPrompt)


def _open_prompt(
    account: Account, *, opened_by: str, origin: Origin, work: UnitOfWork = AT_ONCE
) -> tuple[ReauthPrompt, bool]:
    """The account's open prompt, and whether it was made now. An open one that is past its time is replaced."""
    for prompt in work.look_up(OPEN_PROMPTS, account.pk):
        work.flush(ReauthPrompt)  # the token was not loaded with it
        if prompt.end is None and _is_readable(prompt):
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
    _tell(prompt, origin=origin, work=work)
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
        event_id = _tell(prompt, origin=origin, recipient=address, work=work)
        work.add(ReauthStep(prompt=prompt, kind=kind, recipient=address, event_id=event_id))
    prompt.recipients = list(dict.fromkeys([*prompt.recipients, *recipients]))
    prompt.next_attempt_at = next_attempt_at(prompt)
    work.update(prompt, "recipients", "next_attempt_at")


def _ask_owner(prompt: ReauthPrompt, account: Account, *, origin: Origin, work: UnitOfWork) -> None:
    """Mail the owner. That of an account that flaps is mailed once it has settled, if it still needs its owner then."""
    recipients = addresses.addresses_for(account, work)
    settles_at = flapping.stable_at(account, work)
    if settles_at is None or not recipients:
        invite(prompt, recipients, kind=StepKind.MAILED, origin=origin, work=work)
        return
    prompt.recipients, prompt.next_attempt_at = recipients, min(settles_at, prompt.expires_at)
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


def _tell(prompt: ReauthPrompt, *, origin: Origin, recipient: str = "", work: UnitOfWork) -> str:
    """Record `reauth_requested`, for the agency's channels or for one address; its id."""
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


def _is_readable(prompt: ReauthPrompt) -> bool:
    """Whether today's encryption keys open its token."""
    try:
        return bool(prompt.token)
    except InvalidToken:
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
