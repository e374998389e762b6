"""Let subscribers react to events shortly after the event's transaction.

An app calls `subscribe` in its `ready`. The event's transaction makes a `Reaction` for each subscriber, and
`carry_out_due_reactions` processes them. A subscriber's reactions to one subject run in their order, those to several
subjects together. An event is fanned out once its reactions were attempted, so that agencies get the events of
reactions in the same order.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.core.connections import is_outage
from accounts.core.enums import EventType
from accounts.core.jobs import CRASHED, Backoff, claim_due, fail, restart, retry
from accounts.core.unit_of_work import ReportBatch, UnitOfWork
from accounts.core.wakeups import WakeUp
from accounts.events.signals import event_recorded
from accounts.models import Event, Reaction

log = structlog.get_logger(__name__)

BATCH = 100
LEASE = timedelta(seconds=60)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800, 3600)])
#: How long an event waits for its reactions before it is fanned out.
MAX_WAIT = timedelta(seconds=30)

#: Carries out reactions of one subscriber, each to another subject, in a transaction that also deletes them.
Handler = Callable[[Sequence[Reaction], UnitOfWork], None]

_worker = WakeUp("accounts.tasks.react", queue="receipts")
_left_to_caller: ContextVar[bool] = ContextVar("left_to_caller", default=False)


@dataclass(frozen=True, slots=True)
class _Subscription:
    event_types: frozenset[EventType]
    handle: Handler
    is_awaited: bool
    after: str


_subscriptions: dict[str, _Subscription] = {}


def subscribe(
    name: str, event_types: Collection[EventType], handle: Handler, *, is_awaited: bool = True, after: str = ""
) -> None:
    """Let `handle` react to all events of these types, and to requested reactions. Rows store `name`, so never change
    it.

    With `is_awaited` False the event is fanned out without waiting for the reaction, which is told its subject alone.
    `after` names a subscriber to the same events: once that has reacted, one such reaction is made for each subject. So
    the event's transaction, which a report waits for, makes one row less.
    """
    _subscriptions[name] = _Subscription(frozenset(event_types), handle, is_awaited and not after, after)


def wake_up() -> None:
    """Have a worker carry out due reactions."""
    if not _left_to_caller.get():
        _worker.wake_up()


@contextmanager
def leave_to_caller() -> Iterator[None]:
    """Wake no worker for the reactions that the block makes: its caller carries them out right after it."""
    token = _left_to_caller.set(True)
    try:
        yield
    finally:
        _left_to_caller.reset(token)


def react_to(event: Event, work: UnitOfWork) -> None:
    """Make a reaction of each subscriber to an event, in the event's transaction."""
    for name, subscription in _subscriptions.items():
        if event.event_type in subscription.event_types and not subscription.after:
            awaited = event if subscription.is_awaited else None
            request_reaction(name, subject=event.subject, event=awaited, work=work)


def request_reaction(
    name: str,
    *,
    subject: str,
    event: Event | None = None,
    facts: Mapping[str, Any] = MappingProxyType({}),
    work: UnitOfWork,
) -> None:
    """Make a reaction of one subscriber that needs `facts` besides the event, or that has no event."""
    work.add(Reaction(subscriber=name, event=event, subject=subject, facts=dict(facts)))
    if event is not None:
        event.awaits_reactions = True
    transaction.on_commit(wake_up, robust=True)


def carry_out_due_reactions(limit: int = BATCH) -> int:
    """Carry out at most `limit` due reactions. Return the number of attempted ones."""
    due = Reaction.objects.filter(~Exists(_waiting_reactions().filter(**_same, pk__lt=OuterRef("pk"))))
    with claim_due(due, limit=limit, lease=LEASE) as claimed:
        together = defaultdict(list)
        for reaction in claimed:
            together[reaction.subscriber if reaction.attempts == 1 else reaction.pk].append(reaction)
        for reactions in together.values():
            _carry_out(reactions)
    return len(claimed)


def retry_reaction(reaction: Reaction) -> None:
    """Make a failed reaction due now, with its attempts counted anew."""
    restart(Reaction.objects.filter(pk=reaction.pk))
    transaction.on_commit(wake_up, robust=True)


def unattempted_reactions(now: datetime) -> QuerySet[Reaction]:
    """Return, for a subquery, the reactions that the outer event waits for.

    These are its own reactions and those of the agency's earlier events.
    """
    waiting = _waiting_reactions().filter(error="", created_at__gt=now - MAX_WAIT)
    return waiting.filter(event__agency=OuterRef("agency"), event__lte=OuterRef("pk"))


_same = {"subscriber": OuterRef("subscriber"), "subject": OuterRef("subject")}


def _waiting_reactions() -> QuerySet[Reaction]:
    return Reaction.objects.filter(next_attempt_at__isnull=False)


def _carry_out(reactions: Sequence[Reaction]) -> None:
    """Carry out reactions of one subscriber together, or one by one if that fails."""
    first = reactions[0]
    if not BACKOFF.allows(first.attempts):
        fail(first, CRASHED)
        return
    try:
        with transaction.atomic():
            with ReportBatch() as work:
                following = _following(reactions)
                _subscriptions[first.subscriber].handle(reactions, work)
                for name, subject in following:
                    request_reaction(name, subject=subject, work=work)
            _delete_completed(reactions)
    except Exception as error:
        if is_outage(error):
            raise
        if len(reactions) > 1:
            log.warning("A batch of reactions failed; now one by one.", error=type(error).__name__)
            for reaction in reactions:
                _carry_out([reaction])
        else:
            log.exception("A reaction failed.", subscriber=first.subscriber, subject=first.subject)
            retry(first, f"{type(error).__name__}: {error}", BACKOFF)


def _following(reactions: Sequence[Reaction]) -> list[tuple[str, str]]:
    """Return who reacts after these reactions' subscriber, each with a subject."""
    events = [reaction.event_id for reaction in reactions if reaction.event_id]
    found: list[tuple[str, str]] = []
    for name, subscription in _subscriptions.items():
        if events and subscription.after == reactions[0].subscriber:
            about = Event.objects.filter(pk__in=events, event_type__in=subscription.event_types)
            found += [(name, subject) for subject in sorted(set(about.values_list("subject", flat=True)))]
    return found


def _delete_completed(reactions: Sequence[Reaction]) -> None:
    """Delete reactions that were carried out under their lease. Raises LeaseLost if another worker has the lease."""
    leased = Reaction.objects.filter(pk__in=[each.pk for each in reactions], leased_until=reactions[0].leased_until)
    if leased.delete()[0] < len(reactions):
        raise LeaseLost
    transaction.on_commit(lambda: event_recorded.send(sender=Event), robust=True)  # events waited for these reactions


class LeaseLost(Exception):
    """A reaction took longer than its lease."""
