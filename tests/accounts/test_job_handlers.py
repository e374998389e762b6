"""Rounds of work: a busy job leaves the others their share, a failing one holds up none."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from accounts import tasks
from accounts.core import job_handlers
from accounts.core.job_handlers import QueueName, register_job, run_due_jobs
from accounts.core.wakeups import WakeUp
from config.celery import QUEUES, app
from tests.outages import outage

Register = Callable[..., None]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in its order, by jobs of the test's own."""
    monkeypatch.setattr(job_handlers, "_handlers", {})
    return []


def add(done: list[str], name: str, rows: int, *, quota: int = 1, queue: QueueName = "sync") -> None:
    """Register a job with so many rows to work on."""
    left = [name] * rows

    def work() -> bool:
        if left:
            done.append(left.pop())
            return True
        return False

    register_job(name, queue=queue, quota=quota, work=work)


def run(queue: QueueName = "sync", *, seconds: float = 30) -> bool:
    return run_due_jobs(queue, seconds=seconds, send_heartbeat=lambda: None)


def test_a_busy_job_leaves_the_others_their_share(done: list[str]) -> None:
    add(done, "busy", 1000, quota=3)
    add(done, "second", 2)
    add(done, "third", 1)
    assert run() is False
    assert done[:8] == ["busy", "busy", "busy", "second", "third", "busy", "busy", "busy"]
    assert done[8] == "second"
    assert Counter(done) == {"busy": 1000, "second": 2, "third": 1}


def test_the_last_job_has_its_turn_though_the_first_takes_all_the_time(done: list[str]) -> None:
    add(done, "busy", 1000)
    add(done, "last", 2)
    assert [run(seconds=0), run(seconds=0)] == [True, True]
    assert done == ["busy", "last"] * 2


def test_a_job_that_fails_holds_up_none_and_is_called_again_in_the_next_run(
    done: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> bool:
        done.append("failing")
        raise ValueError

    register_job("failing", queue="sync", quota=5, work=work)
    add(done, "second", 2)
    assert run() is False
    assert done == ["failing", "second", "second"]
    assert len([record for record in caplog.records if "A job failed" in record.getMessage()]) == 1
    run()
    assert done[3:] == ["failing"]


def test_an_outage_of_the_database_ends_the_run(done: list[str]) -> None:
    def work() -> bool:
        raise outage()

    register_job("first", queue="sync", quota=1, work=work)
    add(done, "second", 1)
    with pytest.raises(type(outage())):
        run()
    assert done == []


def test_a_queue_does_its_own_jobs_only(done: list[str]) -> None:
    add(done, "of sync", 1)
    add(done, "of receipts", 1, queue="receipts")
    run("receipts")
    assert done == ["of receipts"]


def test_a_name_is_one_jobs(done: list[str]) -> None:
    add(done, "twice", 1)
    with pytest.raises(ValueError, match="twice"):
        add(done, "twice", 1)


def test_a_worker_whose_time_is_over_wakes_its_successor_and_says_that_it_lives(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    heartbeats: list[str] = []
    monkeypatch.setattr(job_handlers, "_wake_ups", {})
    monkeypatch.setattr(WakeUp, "wake_up", lambda self: woken.append((self._task, self._queue, self._arguments)))
    monkeypatch.setattr(tasks, "write_heartbeat", heartbeats.append)
    monkeypatch.setattr(tasks, "HEARTBEAT_INTERVAL", 0.0)
    add(done, "short", 1)
    tasks.run_jobs("sync")
    assert (woken, heartbeats) == ([], ["sync worker"])
    monkeypatch.setattr(tasks, "RUN_SECONDS", -1.0)
    add(done, "long", 5)
    tasks.run_jobs("sync")
    assert woken == [("accounts.tasks.run_jobs", "sync", {"queue": "sync"})]
    assert done == ["short", "long"]


def test_every_queue_is_in_the_schedule_and_has_its_task() -> None:
    entries = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == job_handlers.TASK]
    assert [(entry["kwargs"]["queue"], entry["options"]["queue"]) for entry in entries] == [
        (queue, queue) for queue in QUEUES
    ]
    assert tasks.run_jobs.name == job_handlers.TASK


def test_the_products_jobs_are_registered_live_leads_before_what_can_wait() -> None:
    names = [name for name, handler in job_handlers._handlers.items() if handler.queue == "sync"]
    assert names == [
        *(
            "campaign commands",
            "messages",
            "lead fetching",
            "connection checks",
            "back-fill",
            "form labels",
            "enrichment",
        ),
        *("score learning", "imports"),
    ]
