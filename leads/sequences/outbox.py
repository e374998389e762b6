"""Send the e-mails of the outbox, each at most once.

A worker claims a row, checks in one transaction whether the mail is still to be sent, and marks it `sending`. It offers
the mail to the mail server outside of any transaction and stores the answer. If the worker dies between, the row is
still `sending` when its lease ends: nobody knows whether the mail left, so a person decides. So too if the server's
answer did not arrive.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr
from functools import partial

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_noop

from accounts.core.connections import is_outage, run_through_outages
from accounts.core.email_addresses import normalize_sender
from accounts.core.errors import StateError
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import CRASHED, Backoff, claim_due, complete, fail, leased, put_off, retry
from leads.enums import EmailKind, EmailState, HoldReason
from leads.models import EmailSender, Lead, OutboundEmail
from leads.pipeline.merge import lock_root
from leads.sequences.opt_outs import opt_out_url
from leads.sequences.senders import verified_sender
from leads.sequences.smtp import Answer, Result, deliver

log = structlog.get_logger(__name__)

BATCH = 40
PER_CONNECTION = 3
PER_TRANSACTION = 12
OUTAGE_SECONDS = 120
MAX_CONNECTIONS = 4
LEASE = timedelta(minutes=10)
BACKOFF = Backoff([timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360)])
DOUBTFUL = gettext_noop(
    "The worker ended, or the mail server did not answer: nobody knows whether this e-mail was sent."
)
NO_SENDER = gettext_noop("The agency has no confirmed address that e-mails to leads come from.")
_CONNECTIONS = ThreadPoolExecutor(max_workers=MAX_CONNECTIONS, thread_name_prefix="smtp")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a due e-mail now: send it, put it off `until`, hold it, or cancel it.

    Without `until`, `hold` and `is_cancelled` it is sent. `reason` is for people.
    """

    until: datetime | None = None
    hold: HoldReason | None = None
    is_cancelled: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An e-mail that is marked as `sending`, with all that its sending needs."""

    row: OutboundEmail
    mail: EmailMessage
    sender: EmailSender | None


#: Judges an e-mail of a step in the transaction that sends it. The lead is locked.
Judge = Callable[[OutboundEmail, Lead], Verdict]
#: Is told in the same transaction what became of an e-mail of a step. The lead is locked.
Listener = Callable[[OutboundEmail, Lead], None]


@dataclass(slots=True)
class _Hooks:
    judge: Judge
    after: Listener


_hooks: list[_Hooks] = []


def register_steps(judge: Judge, after: Listener) -> None:
    """Register what decides about e-mails of steps, and what follows them."""
    _hooks[:] = [_Hooks(judge, after)]


def send_due(limit: int = BATCH) -> int:
    """Send at most `limit` due e-mails. Return the number of rows that were taken up."""
    with claim_due(OutboundEmail.objects.all(), limit=limit, lease=LEASE) as rows:
        rows.sort(key=lambda row: row.lead_id or "")  # leads are locked in the order of everybody else
        for some in batched(rows):
            results = _deliver(_prepare_together(some))
            # What has left is stored even if the database has to be waited for.
            run_through_outages(partial(_record_together, results), seconds=OUTAGE_SECONDS)
    return len(rows)


@transaction.atomic
def send_again(email: OutboundEmail) -> None:
    """Let a held e-mail be sent, as a person decided. Raises StateError if it is not held."""
    _lock_held(email)
    OutboundEmail.objects.filter(pk=email.pk).update(
        state=EmailState.WAITING, hold="", error="", attempts=0, sending_since=None, next_attempt_at=timezone.now()
    )
    transaction.on_commit(lambda: wake_up_jobs("deliveries"), robust=True)


@transaction.atomic
def mark_sent(email: OutboundEmail) -> None:
    """Record that a held e-mail was sent, as a person found out. Raises StateError if it is not held."""
    row, lead = _lock_held(email)
    at = row.sending_since or timezone.now()
    OutboundEmail.objects.filter(pk=row.pk).update(state=EmailState.SENT, hold="", error="", sent_at=at)
    _inform_step(row, lead)


def _lock_held(email: OutboundEmail) -> tuple[OutboundEmail, Lead | None]:
    lead = lock_root(email.lead_id, _leads()) if email.lead_id else None
    row = OutboundEmail.objects.select_for_update(of=("self",)).get(pk=email.pk)
    if row.state != EmailState.HELD:
        raise StateError("state", gettext("This e-mail is not held any more."))
    return row, lead


def batched(rows: Sequence[OutboundEmail]) -> list[Sequence[OutboundEmail]]:
    """Return rows in parts that one transaction takes: so many leads are locked at once."""
    return [rows[start : start + PER_TRANSACTION] for start in range(0, len(rows), PER_TRANSACTION)]


@transaction.atomic
def _prepare_together(rows: Sequence[OutboundEmail]) -> list[Prepared]:
    """Prepare claimed rows, or end their leases. If the worker dies here, none of them is `sending`."""
    return [one for one in map(_prepare_or_put_off, rows) if one is not None]


@transaction.atomic
def _record_together(results: Sequence[tuple[Prepared, Result]]) -> None:
    """Store what became of e-mails. One whose result cannot be stored is doubtful once its lease ends."""
    for prepared, result in results:
        try:
            _record(prepared, result)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("The result of an e-mail could not be stored.", row=prepared.row.pk)


def _prepare_or_put_off(row: OutboundEmail) -> Prepared | None:
    """Prepare a claimed row. One that cannot be prepared is tried again later, and holds up no other."""
    if not BACKOFF.allows(row.attempts):
        _hold(row, lock_root(row.lead_id, _leads()) if row.lead_id else None, HoldReason.REFUSED, CRASHED)
        return None
    try:
        return _prepare(row)
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("An e-mail could not be prepared.", row=row.pk)
        retry(row, type(error).__name__, BACKOFF)
        return None


@transaction.atomic
def _prepare(row: OutboundEmail) -> Prepared | None:
    """Mark a claimed row as `sending` if it is still to be sent. Else end its lease, and return None."""
    lead = lock_root(row.lead_id, _leads()) if row.lead_id else None
    current = leased(row).select_for_update(of=("self",)).select_related("agency").first()
    if current is None:
        return None  # erased, cancelled, or another worker has it
    if current.state != EmailState.WAITING:
        _hold(row, lead, HoldReason.DOUBTFUL, DOUBTFUL)
        return None
    if current.kind == EmailKind.VERIFICATION:
        return _mark_sending(row, current, None, lead)
    if lead is None:
        return None
    verdict = _hooks[0].judge(current, lead)
    sender = verified_sender(current.agency_id)
    if verdict.is_cancelled:
        complete(row, state=EmailState.CANCELLED)
    elif verdict.until is not None:
        put_off(row, verdict.until, verdict.reason)
    elif verdict.hold is not None:
        _hold(row, lead, verdict.hold, verdict.reason, **_words(current))
    elif sender is None:
        _hold(row, lead, HoldReason.NO_SENDER, NO_SENDER)
    else:
        return _mark_sending(row, current, sender, lead)
    return None


def _leads() -> QuerySet[Lead]:
    return Lead.all_records.select_for_update(of=("self",)).select_related("agency", "assigned_to")


def _mark_sending(
    row: OutboundEmail, current: OutboundEmail, sender: EmailSender | None, lead: Lead | None
) -> Prepared | None:
    mail = compose(current, sender, lead)
    if not leased(row).update(state=EmailState.SENDING, sending_since=timezone.now(), **_words(current)):
        return None
    return Prepared(row, mail, sender)


def compose(row: OutboundEmail, sender: EmailSender | None, lead: Lead | None) -> EmailMessage:
    """Return the mail of a row. One to a lead says how its reader gets no more of them."""
    ours = normalize_sender(settings.DEFAULT_FROM_EMAIL)
    address = sender.address if sender else parseaddr(ours)[1]
    headers = {"Message-ID": f"<{row.pk}@{address.rpartition('@')[2] or 'leadline.invalid'}>"}
    text = row.text
    if lead is not None:
        url = opt_out_url(lead, row.recipient)
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        with translation.override(row.agency.locale):
            text += "\n\n-- \n" + gettext("No more e-mails from %(agency)s: %(url)s") % {
                "agency": row.agency.name,
                "url": url,
            }
    from_email = formataddr((sender.name, sender.address)) if sender else ours
    return EmailMessage(row.subject, text, from_email, [row.recipient], headers=headers)


def _deliver(prepared: Sequence[Prepared]) -> list[tuple[Prepared, Result]]:
    """Hand mails over to their mail servers, over a few connections at once. No transaction is open."""
    by_server = defaultdict[str, list[Prepared]](list)
    for each in prepared:
        by_server[each.row.agency_id if each.sender and each.sender.host else ""].append(each)
    shares = [
        mails[start : start + PER_CONNECTION]
        for mails in by_server.values()
        for start in range(0, len(mails), PER_CONNECTION)
    ]
    running = [_CONNECTIONS.submit(_deliver_share, share) for share in shares]
    return [
        pair for share, future in zip(shares, running, strict=True) for pair in zip(share, future.result(), strict=True)
    ]


def _deliver_share(share: Sequence[Prepared]) -> list[Result]:
    """Hand over mails of one server. What fails unexpectedly is doubtful."""
    try:
        return deliver([each.mail for each in share], share[0].sender)
    except Exception as error:
        log.exception("E-mails could not be handed over.")
        return [Result(Answer.UNKNOWN, type(error).__name__)] * len(share)


@transaction.atomic
def _record(prepared: Prepared, result: Result) -> None:
    """Store what became of an e-mail that was offered, and let its step know."""
    row = prepared.row
    lead = lock_root(row.lead_id, _leads()) if row.lead_id else None
    match result.answer:
        case Answer.TAKEN:
            if not complete(row, state=EmailState.SENT, sent_at=timezone.now()):
                # The lease ended meanwhile, and the row may be held as doubtful by now. It was sent.
                doubtful = OutboundEmail.objects.filter(pk=row.pk, state__in=[EmailState.SENDING, EmailState.HELD])
                doubtful.update(state=EmailState.SENT, sent_at=timezone.now(), hold="", error="", next_attempt_at=None)
        case Answer.UNKNOWN:
            fail(row, f"{DOUBTFUL} {result.error}", state=EmailState.HELD, hold=HoldReason.DOUBTFUL)
        case Answer.BAD_RECIPIENT:
            fail(row, result.error, state=EmailState.HELD, hold=HoldReason.BOUNCED)
        case Answer.TRY_LATER:
            if (at := BACKOFF.next_attempt_at(row.attempts)) is not None:
                retry(row, result.error, at, state=EmailState.WAITING, sending_since=None)
            else:
                fail(row, result.error, state=EmailState.HELD, hold=HoldReason.REFUSED, sending_since=None)
    _note_error(prepared, result)
    _inform_step(row, lead)


def _note_error(prepared: Prepared, result: Result) -> None:
    """Keep on the agency's sender why its server took no mail, or that it does again."""
    sender = prepared.sender
    if sender is not None and result.answer in (Answer.TAKEN, Answer.TRY_LATER) and sender.error != result.error:
        EmailSender.objects.filter(pk=sender.pk).update(error=result.error)


def _hold(row: OutboundEmail, lead: Lead | None, hold: HoldReason, reason: str, **words: str) -> None:
    if fail(row, reason, state=EmailState.HELD, hold=hold, **words):
        _inform_step(row, lead)


def _words(email: OutboundEmail) -> dict[str, str]:
    """Return what an e-mail says to whom, as it was filled last."""
    return {"recipient": email.recipient, "subject": email.subject, "text": email.text}


def _inform_step(row: OutboundEmail, lead: Lead | None) -> None:
    """Let what waits for an e-mail of a step know how it stands now. The lead is locked."""
    current = OutboundEmail.objects.filter(pk=row.pk, kind=EmailKind.STEP).first() if lead is not None else None
    if current is not None and lead is not None:
        _hooks[0].after(current, lead)
