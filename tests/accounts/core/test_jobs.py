"""Work that waits in rows, on a table of the test's own."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import OperationalError, connection, models
from django.utils import timezone

from accounts.core import jobs
from accounts.core.connections import is_database_back
from accounts.core.jobs import (
    Backoff,
    DueRow,
    claim_due,
    complete,
    end,
    fail,
    hasten,
    leased,
    put_off,
    remove,
    restart,
    retry,
)
from tests.outages import outage
from tests.threads import at_once

NOW = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
BACKOFF = Backoff([MINUTE, 10 * MINUTE])


class Errand(DueRow):
    """Belongs to no installed app, so that no migration, test or sweep of the product knows it."""

    note = models.CharField(max_length=20, blank=True)
    objects: ClassVar[models.Manager["Errand"]]

    class Meta:
        app_label = "errands"
        db_table = "test_errand"

    def __str__(self) -> str:
        return self.note


@pytest.fixture(autouse=True)
def table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Errand)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Errand)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def claim(limit: int = 10) -> list[Errand]:
    """What a worker gets that is killed before it settles anything."""
    with claim_due(Errand.objects.all(), limit=limit, lease=LEASE) as rows:
        return rows


def states(*names: str) -> list[Any]:
    return list(Errand.objects.order_by("pk").values_list(*names, flat=len(names) == 1))


def test_who_waits_longest_comes_first_and_what_is_not_due_is_left(clock: time_machine.Traveller) -> None:
    for note, at in (("second", NOW - MINUTE), ("later", NOW + MINUTE), ("first", NOW - 2 * MINUTE), ("ended", None)):
        Errand.objects.create(note=note, next_attempt_at=at)
    assert [row.note for row in claim(limit=1)] == ["first"]
    assert [row.note for row in claim()] == ["second"]
    assert claim() == []


def test_an_attempt_is_counted_before_the_work(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    with claim_due(Errand.objects.all(), limit=1, lease=LEASE) as (row,):
        assert states("attempts", "leased_until") == [(1, NOW + LEASE)]
        assert (row.attempts, row.leased_until) == (1, NOW + LEASE)


def test_the_lease_of_a_worker_that_was_killed_runs_out(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    (dead,) = claim()
    clock.shift(LEASE - timedelta(seconds=1))
    assert claim() == []
    clock.shift(1)
    (row,) = claim()
    assert row.attempts == 2
    assert complete(dead) is False  # it was not killed after all, but comes too late
    assert leased(dead).count() == 0
    assert states("next_attempt_at", "attempts") == [(NOW, 2)]
    assert complete(row) is True
    assert states("next_attempt_at", "leased_until", "attempts") == [(None, None, 2)]


def test_a_killed_process_leaves_a_row_that_is_counted_and_leased() -> None:
    Errand.objects.create()
    connection.close()
    child = os.fork()
    if not child:
        try:
            with claim_due(Errand.objects.all(), limit=1, lease=LEASE):
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert claim() == []
    with time_machine.travel(timezone.now() + LEASE):
        assert [row.attempts for row in claim()] == [2]


def test_two_workers_never_get_the_same_row() -> None:
    Errand.objects.bulk_create(Errand() for _ in range(60))
    taken: Counter[int] = Counter()
    lock = threading.Lock()

    def work() -> None:
        while True:
            with claim_due(Errand.objects.all(), limit=3, lease=LEASE) as rows:
                if not rows:
                    return
                with lock:
                    taken.update(row.pk for row in rows)
                for row in rows:
                    assert complete(row)

    at_once(work)
    work()  # who found all due rows locked has gone home
    assert taken == Counter(states("pk"))
    assert set(states("attempts", "next_attempt_at")) == {(1, None)}


def test_a_claimed_row_waits_by_its_back_off_until_it_has_failed(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    for wait in (MINUTE, 10 * MINUTE):
        (row,) = claim()
        assert retry(row, "busy", BACKOFF)
        assert states("next_attempt_at", "error", "leased_until") == [(timezone.now() + wait, "busy", None)]
        assert claim() == []
        clock.shift(wait)
    (row,) = claim()
    assert retry(row, "busy", BACKOFF)
    assert states("next_attempt_at", "error", "attempts") == [(None, "busy", 3)]


def test_an_error_is_cut_to_its_column(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    (row,) = claim()
    fail(row, "x" * 600, note="given up")
    assert states("error", "note", "next_attempt_at") == [("x" * 500, "given up", None)]


def test_what_waits_for_something_else_loses_no_attempt(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    (row,) = claim()
    put_off(row, NOW + MINUTE, "The account is not ready.")
    assert states("attempts", "next_attempt_at", "error") == [(0, NOW + MINUTE, "The account is not ready.")]


def test_what_is_done_every_hour_begins_anew(clock: time_machine.Traveller) -> None:
    Errand.objects.create(attempts=4, error="busy")
    (row,) = claim()
    complete(row, again_at=NOW + 60 * MINUTE)
    assert states("attempts", "next_attempt_at", "error") == [(0, NOW + 60 * MINUTE, "")]


def test_what_is_asked_for_anew_is_due_once_who_is_at_it_is_done(clock: time_machine.Traveller) -> None:
    for end_attempt in (complete, remove, lambda row: retry(row, "busy", BACKOFF)):
        Errand.objects.all().delete()
        Errand.objects.create()
        (row,) = claim()
        assert restart(Errand.objects.all()) == 1
        assert claim() == []  # never two at once
        assert end_attempt(row) is False
        assert states("attempts", "next_attempt_at", "error") == [(0, NOW, "")]
        assert [again.attempts for again in claim()] == [1]


def test_what_is_asked_for_anew_is_due_after_the_lease_of_a_worker_that_was_killed(
    clock: time_machine.Traveller,
) -> None:
    Errand.objects.create()
    claim()
    restart(Errand.objects.all())
    clock.shift(LEASE)
    assert [again.attempts for again in claim()] == [1]


def test_what_is_called_off_stays_ended_whatever_who_is_at_it_makes_of_it(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    (row,) = claim()
    assert end(Errand.objects.all(), "Nobody wants it any more.", note="called off") == 1
    assert complete(row) is False
    assert claim() == []
    assert states("next_attempt_at", "leased_until", "error", "note") == [
        (None, None, "Nobody wants it any more.", "called off")
    ]
    restart(Errand.objects.all())
    assert len(claim()) == 1


def test_what_is_called_off_and_asked_for_anew_waits_for_who_is_at_it(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    (row,) = claim()
    end(Errand.objects.all())
    restart(Errand.objects.all())
    assert claim() == []
    complete(row)
    assert len(claim()) == 1


def test_a_due_time_that_was_changed_by_hand_is_no_wish(clock: time_machine.Traveller) -> None:
    """SQLite compares times as text, and people write them in other ways than Django does."""
    Errand.objects.create()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE test_errand SET next_attempt_at = '2000-01-01'")
    (row,) = claim()
    assert complete(row)
    assert states("next_attempt_at", "leased_until") == [(None, None)]


def test_only_what_waits_for_a_later_time_is_hastened(clock: time_machine.Traveller) -> None:
    for at in (NOW - MINUTE, NOW + MINUTE, None):
        Errand.objects.create(next_attempt_at=at, attempts=2)
    assert hasten(Errand.objects.all()) == 1
    assert states("next_attempt_at", "attempts") == [(NOW - MINUTE, 2), (NOW, 2), (None, 2)]


def test_a_row_may_go_when_its_work_is_done(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    (row,) = claim()
    assert remove(row)
    assert not Errand.objects.exists()


def test_a_lease_dated_by_a_clock_that_was_set_back_has_ended(clock: time_machine.Traveller) -> None:
    Errand.objects.create()
    claim()
    clock.shift(-timedelta(hours=1))
    Errand.objects.update(next_attempt_at=timezone.now())
    assert [row.attempts for row in claim()] == [2]
    assert claim() == []


@pytest.mark.parametrize("due_at_once", [Errand.due_at_once, None])
def test_a_row_that_was_claimed_before_the_clock_was_set_back_is_due(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, due_at_once: models.Q | None
) -> None:
    monkeypatch.setattr(jobs.apps, "get_models", lambda: [Errand])  # type: ignore[attr-defined]
    monkeypatch.setattr(Errand, "due_at_once", due_at_once)
    Errand.objects.create()
    claim()
    clock.shift(-timedelta(hours=1))
    assert claim() == []
    assert jobs.release_future_rows(timezone.now()) == 1
    assert [row.attempts for row in claim()] == [2]


def test_a_row_dated_by_a_clock_that_was_set_back_is_due(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.apps, "get_models", lambda: [Errand])  # type: ignore[attr-defined]
    Errand.objects.create(note="never tried")
    Errand.objects.create(note="tried", attempts=1, error="busy")
    Errand.objects.create(note="put off", error="The account is not ready.")
    clock.shift(-timedelta(hours=1))
    assert jobs.release_future_rows(timezone.now()) == 1
    assert [row.note for row in claim()] == ["never tried"]
    monkeypatch.setattr(Errand, "due_at_once", None)
    Errand.objects.create(next_attempt_at=NOW + timedelta(days=1))
    assert jobs.release_future_rows(timezone.now()) == 0


def test_an_outage_gives_back_what_is_not_settled_and_counts_no_attempt(clock: time_machine.Traveller) -> None:
    Errand.objects.bulk_create(Errand() for _ in range(2))

    def work() -> None:
        with claim_due(Errand.objects.all(), limit=2, lease=LEASE) as rows:
            complete(rows[0])
            raise outage()

    with pytest.raises(OperationalError):
        work()
    assert is_database_back()
    assert states("attempts", "next_attempt_at", "leased_until") == [(1, None, None), (0, NOW, None)]


def test_an_outage_gives_back_what_was_asked_for_anew(clock: time_machine.Traveller) -> None:
    Errand.objects.create()

    def work() -> None:
        with claim_due(Errand.objects.all(), limit=1, lease=LEASE):
            restart(Errand.objects.all())
            raise outage()

    with pytest.raises(OperationalError):
        work()
    assert is_database_back()
    assert states("attempts", "next_attempt_at", "leased_until") == [(0, NOW, None)]


def test_looking_for_work_costs_one_statement_and_taking_it_three(
    django_assert_num_queries: Any, clock: time_machine.Traveller
) -> None:
    with django_assert_num_queries(1):
        assert claim() == []
    Errand.objects.bulk_create(Errand() for _ in range(5))
    with django_assert_num_queries(5):  # with BEGIN and COMMIT
        assert len(claim()) == 5


def test_an_endless_back_off_repeats_its_last_wait_and_jitter_only_lengthens() -> None:
    endless = Backoff([MINUTE, 2 * MINUTE], is_endless=True)
    assert [endless.wait(attempts) for attempts in (1, 2, 3, 900)] == [MINUTE, *[2 * MINUTE] * 3]
    assert [BACKOFF.wait(attempts) for attempts in (1, 2, 3)] == [MINUTE, 10 * MINUTE, None]
    assert [BACKOFF.allows(attempts) for attempts in (1, 3, 4)] == [True, True, False]
    waits = [Backoff([MINUTE], jitter=0.1).wait(1) for _ in range(50)]
    assert all(wait is not None and MINUTE <= wait <= 1.1 * MINUTE for wait in waits)
    assert len(set(waits)) > 1
