"""Every kind of work that waits is done once, whatever becomes of its worker, of the database and of the clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import pytest
import time_machine
from django.apps import apps

from accounts.core.connections import run_through_outages
from accounts.core.jobs import CRASHED, DueRow
from accounts.models import Agency, Reaction
from config.ops.clock import release_future_rows
from tests.outages import break_off
from tests.threads import at_once
from tests.waiting_rows import KINDS, Kind

pytestmark = pytest.mark.django_db(transaction=True)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
each_kind_that_gives_up = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.module.BACKOFF.is_endless], ids=str
)
NOW = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
OF_THEIR_OWN = {Reaction}  # tests/accounts/events/test_reactions.py


class Killed(BaseException):
    """Ends a worker as a signal does: nothing catches it."""


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def calls(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the work was done for, since nothing outside is asked."""
    done: list[Any] = []
    lock = Lock()

    def inner(*args: Any, **options: Any) -> Any:
        with lock:
            done.append(args)
        return kind.result(*args, **options)

    monkeypatch.setattr(kind.module, kind.inner, inner)
    return done


def waiting(kind: Kind) -> int:
    return kind.model._base_manager.filter(next_attempt_at__lte=NOW).count()


def kill(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a worker killed while it is at a row."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(kind.module, kind.inner, die)
        with pytest.raises(Killed):
            kind.work()


@each_kind
def test_a_row_is_worked_off_once(agency: Agency, kind: Kind, calls: list[Any], clock: time_machine.Traveller) -> None:
    kind.make(agency, 1)
    assert kind.work()
    assert not kind.work()
    assert (len(calls), waiting(kind)) == (1, 0)


@each_kind
def test_the_row_of_a_worker_that_was_killed_is_due_when_the_lease_ends(
    agency: Agency, kind: Kind, calls: list[Any], clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.make(agency, 1)
    kill(kind, monkeypatch)
    assert kind.model._base_manager.get(next_attempt_at__isnull=False).attempts == 1
    clock.shift(kind.lease - timedelta(seconds=1))
    assert not kind.work()
    clock.shift(1)
    assert kind.work()
    assert (len(calls), waiting(kind)) == (1, 0)


@each_kind_that_gives_up
def test_a_row_that_kills_every_worker_ends_as_failed_once_its_attempts_are_used_up(
    agency: Agency, kind: Kind, calls: list[Any], clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.make(agency, 1)
    for _ in range(len(kind.module.BACKOFF.steps) + 1):
        kill(kind, monkeypatch)
        clock.shift(kind.lease)
    assert kind.work()
    row = kind.model._base_manager.get()
    assert (calls, row.next_attempt_at, row.error) == ([], None, CRASHED)


@each_kind
def test_a_row_that_an_outage_broke_off_is_done_right_after_it(
    agency: Agency, kind: Kind, calls: list[Any], clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.make(agency, 1)
    break_off(monkeypatch, kind.module, kind.inner, times=9)
    assert run_through_outages(kind.work, seconds=30)
    assert (len(calls), waiting(kind)) == (1, 0)
    attempts = kind.model._base_manager.values_list("attempts", flat=True).first()
    assert attempts in {None, 0, 1}  # deleted, due again later from the beginning, or ended


@each_kind
def test_a_clock_that_is_set_back_holds_up_neither_what_was_due_at_once_nor_what_is_leased(
    agency: Agency, kind: Kind, calls: list[Any], clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.make(agency, 2)
    kill(kind, monkeypatch)
    clock.shift(-timedelta(hours=1))
    assert not kind.work()
    release_future_rows()
    while kind.work():
        pass
    assert len(calls) == (1 if kind.model.due_at_once is None else 2)  # what is planned ahead keeps its time


@each_kind
def test_two_workers_never_do_the_same_row(agency: Agency, kind: Kind, calls: list[Any]) -> None:
    kind.make(agency, 8)

    def work() -> None:
        while kind.work():
            pass

    at_once(work)
    work()  # who found all due rows locked has gone home
    assert len(calls) == 8


def test_every_table_of_due_rows_is_among_the_kinds() -> None:
    tables = {model for model in apps.get_models() if issubclass(model, DueRow)}
    assert tables - OF_THEIR_OWN == {kind.model for kind in KINDS}
