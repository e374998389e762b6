"""Send messages that wait. Never ask a provider a second time if the first call may have been carried out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.connections import is_outage
from accounts.core.enums import ProviderSlug, RequestAction
from accounts.core.jobs import CRASHED, Backoff, claim_due, fail, leased, put_off, retry
from accounts.events.ordering import Origin
from accounts.linkedin.readiness import held
from accounts.models import Account
from accounts.providers.client import ProviderError
from leads.enums import MessageAuthor, MessageState, SendingKind
from leads.inbox.calls import ACTIONS, STATUSES, account_id_of, ask_provider
from leads.inbox.ways import NoWay, Way, way_of
from leads.models import Lead, Message, Sending
from leads.pipeline import reports
from leads.pipeline.dto import Identity
from leads.pipeline.merge import lock_root
from leads.pipeline.provider_requests import register_sending
from leads.pipeline.sendings import record_failure, record_sent

log = structlog.get_logger(__name__)

BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (10, 60, 5 * 60, 30 * 60, 2 * 3600)])
LEASE = timedelta(seconds=120)  # two calls of 20 s for each of the rows of one claim
HOLD_INTERVAL = timedelta(minutes=1)  # before an account that is not ready is asked about again
MAX_HOLD = timedelta(days=3)  # an answer that waited longer may no longer fit
RESULT_TIMEOUT = timedelta(minutes=30)  # how long We-Link may take to report what became of a request

#: What a request to We-Link is registered as.
REQUESTS = {SendingKind.MESSAGE: RequestAction.MESSAGE, SendingKind.INVITATION: RequestAction.CONNECT}

UNCERTAIN = gettext_noop(
    "The provider did not say whether it sent the message. Look on LinkedIn before you send it again."
)
AWAITING_RESULT = gettext_noop("The provider has not reported yet what became of the message.")
REFUSED = gettext_noop("The provider did not accept the message.")
WRONG_KEY = gettext_noop("The provider did not accept the API key that is stored for its source.")
THROTTLED = gettext_noop("The provider wants a pause after so many requests.")
UNREACHABLE = gettext_noop("The provider cannot be reached at the moment.")
HELD_TOO_LONG = gettext_noop("The account was not ready for three days.")
NO_ACCOUNT_ID = gettext_noop("We-Link lists no account with this account's e-mail address.")
BROKEN = gettext_noop("Leadline could not send the message.")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an automation's message is not sent now: it waits `until` then, or with None is not sent at all."""

    until: datetime | None
    reason: str = ""


#: Says why an automation's message is not sent now, or None. The lead is locked.
Judge = Callable[[Message, Lead], Obstacle | None]
_judges: list[Judge] = []


def use_judge(judge: Judge) -> None:
    """Set what decides about messages of automations in the transaction that sends them. Called once."""
    _judges[:] = [judge]


def send_due(limit: int = 2) -> int:
    """Send at most `limit` messages that are due. Return how many were due."""
    related = (
        "lead__agency",
        "lead__account__sub_account",
        "lead__campaign",
        "thread__account__source",
        "thread__lead",
    )
    due = Sending.objects.select_related(*(f"message__{name}" for name in related))
    with claim_due(due, limit=limit, lease=LEASE) as claimed:
        for sending in claimed:
            if sending.called_at is not None:  # its worker ended, or no result came: it may be sent
                _end(sending, UNCERTAIN, MessageState.UNKNOWN)
            elif not BACKOFF.allows(sending.attempts):
                _end(sending, CRASHED, MessageState.FAILED)
            else:
                _send(sending)
    return len(claimed)


def _send(sending: Sending) -> None:
    """Have the provider send one message, or let it wait."""
    message = sending.message
    if message.thread is None:
        _end(sending, BROKEN, MessageState.FAILED)
        return
    try:
        way = way_of(message.thread)
    except NoWay as error:
        _end(sending, str(error), MessageState.FAILED)
        return
    if _hold(sending, way.account):
        return
    try:
        way_account_id = account_id_of(way)
    except ProviderError as error:
        _retry(sending, error)
        return
    if way.provider is ProviderSlug.WELINK and not way_account_id:
        _end(sending, NO_ACCOUNT_ID, MessageState.FAILED)
    elif _begin_call(sending, way):
        _call(sending, way, way_account_id)


def _hold(sending: Sending, account: Account | None) -> bool:
    """Let the message wait if its account is not ready. Return whether it waits, or has waited too long."""
    hold = held(account, ACTIONS[SendingKind(sending.kind)]) if account else None
    if hold is None:
        return False
    if timezone.now() - sending.message.occurred_at > MAX_HOLD:
        _end(sending, HELD_TOO_LONG, MessageState.FAILED)
        return True
    with transaction.atomic():
        if put_off(sending, hold.until or timezone.now() + HOLD_INTERVAL, hold.message, held_codes=list(hold.codes)):
            _set_state(sending.message, MessageState.HELD)
    return True


def _begin_call(sending: Sending, way: Way) -> bool:
    """Store that the provider is asked now. Return False if the lease was lost, a person took the message back, or what
    wrote it has it wait."""
    with transaction.atomic():
        if not _may_be_sent(sending):
            return False
        sending.called_at = timezone.now()
        if not leased(sending).update(called_at=sending.called_at, source=way.source):
            return False
        _set_state(sending.message, MessageState.SENDING)
    return True


def _may_be_sent(sending: Sending) -> bool:
    """Ask about an automation's message under the lock of its lead. One that is not to be sent waits or is deleted."""
    message = sending.message
    if message.author != MessageAuthor.AUTOMATION:
        return True
    lead = lock_root(message.lead_id, Lead.all_records.select_for_update(of=("self",)).select_related("agency"))
    if lead is None:
        return False
    obstacle = _judges[0](message, lead)
    if obstacle is None:
        return True
    if obstacle.until is None:
        if leased(sending).exists():
            Message.objects.filter(pk=message.pk).delete()
    elif put_off(sending, obstacle.until, obstacle.reason):
        _set_state(message, MessageState.QUEUED)
    return False


def _call(sending: Sending, way: Way, account_id: str) -> None:
    """Ask the provider, outside of any transaction, and store what it answered."""
    try:
        external_id = ask_provider(sending, way, account_id)
    except ProviderError as error:
        if error.is_doubtful:
            _end(sending, UNCERTAIN, MessageState.UNKNOWN)
        else:
            _retry(sending, error)
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A message could not be sent.", message_id=sending.pk, error=type(error).__name__)
        _end(sending, UNCERTAIN, MessageState.UNKNOWN)
    else:
        _store_answer(sending, way, external_id)


@transaction.atomic
def _store_answer(sending: Sending, way: Way, external_id: str) -> None:
    """Store that the provider took the message. SendPilot has sent it; We-Link reports later what became of it.

    The lead is locked first, as by reports of the provider, which settle the message too.
    """
    lock_root(sending.message.lead_id)
    Sending.objects.filter(pk=sending.pk).update(external_id=external_id)
    message = sending.message
    if way.provider is ProviderSlug.WELINK and way.account:
        put_off(sending, timezone.now() + RESULT_TIMEOUT, AWAITING_RESULT)
        register_sending(way.source, way.account, message.lead, external_id, REQUESTS[SendingKind(sending.kind)])
        return
    now = timezone.now()
    if record_sent(message, at=now) and way.lead_id:
        _report_status(sending, way, now)


def _report_status(sending: Sending, way: Way, at: datetime) -> None:
    """Move the lead forward, as SendPilot's report of the message will do too."""
    message = sending.message
    reports.report_status(
        message.lead.agency,
        provider=way.provider,
        identity=Identity(external_id=way.lead_id, campaign_id=way.campaign_id),
        status=STATUSES[SendingKind(sending.kind)],
        stated=False,
        origin=Origin(by=way.provider, at=at, source=way.source),
        lead=message.lead,
    )


def _retry(sending: Sending, error: ProviderError) -> None:
    """Try a message again that was certainly not sent, if that may help; else record that it failed."""
    text, may_pass = _explanation(error)
    again_at = BACKOFF.next_attempt_at(sending.attempts) if may_pass else None
    if again_at is None:
        _end(sending, text, MessageState.FAILED)
        return
    if error.retry_after is not None:
        again_at = max(again_at, timezone.now() + error.retry_after)
    with transaction.atomic():
        if retry(sending, text, again_at, called_at=None):
            _set_state(sending.message, MessageState.QUEUED)


def _explanation(error: ProviderError) -> tuple[str, bool]:
    """Return why a provider did not send a message, and whether a later attempt may succeed."""
    if error.status is None or error.status >= 500:
        return UNREACHABLE, True
    if error.status in {408, 425, 429}:
        return THROTTLED, True
    return (WRONG_KEY if error.status in {401, 403} else REFUSED), False


def _end(sending: Sending, error: str, state: MessageState) -> None:
    """End the attempts to send a message, and report it. A failed one was certainly not sent."""
    unsent = {"called_at": None} if state is MessageState.FAILED else {}
    with transaction.atomic():
        if fail(sending, error, **unsent):
            record_failure(sending.message, error, state=state)


def _set_state(message: Message, state: MessageState) -> None:
    Message.objects.filter(pk=message.pk).update(sending_state=state)
    message.sending_state = state
