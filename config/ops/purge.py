"""Delete what is older than RETENTION_DAYS, once a day, in short rounds between which other work runs.

A run is a row, so that any process continues where the last round ended.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, connection, connections
from django.db.models import Q
from django.utils import timezone

from accounts.core.connections import is_outage
from accounts.events.retention import Progress, Step
from accounts.models import Heartbeat, RetentionRun
from accounts.reauth import recipients
from accounts.tasks import PURGE, write_heartbeat
from accounts.tenancy import audit, mail_limits
from leads.privacy import retention
from notifications.retention import delete_old_events, pending_subjects
from webhooks.retention import delete_old_receipts, delete_old_rejections

log = structlog.get_logger(__name__)

INTERVAL = timedelta(hours=24)
LEASE = timedelta(seconds=60)  # how long a killed round delays the next one
ROUND_SECONDS = 20.0
SAVE_SECONDS = 1.0  # between two saves of a round's position
PAUSE = 0.25  # share of the time that a transaction took
MAX_PAUSE_SECONDS = 0.25
WAIT_SECONDS = 0.5
SendHeartbeat = Callable[[], None]


class _LostLease(Exception):
    """The round took longer than its lease, and another process continues the run."""


def _replay(position: str, cutoff: datetime) -> Iterator[Progress]:
    """Erase again what a restored backup brought back."""
    yield Progress(position, retention.replay_erasure_log(), is_last=True)


def _forget_addresses(position: str, cutoff: datetime) -> Iterator[Progress]:
    forgotten = {
        "addresses without mail": recipients.unblock_bounced_before(cutoff),
        "counts of mails": mail_limits.delete_old_counts(),
        "audit entries": audit.delete_old_entries(),
    }
    yield Progress(position, Counter(forgotten), is_last=True)


#: The order of the steps: fast ones that free the most space come first.
STEPS: dict[str, Step] = {
    "erasures to repeat": _replay,
    "receipts": delete_old_receipts,
    "events": delete_old_events,
    "rejected requests": delete_old_rejections,
    "addresses": _forget_addresses,
    "leads": partial(retention.erase_inactive_leads, pending_subjects=pending_subjects),
}


def purge(send_heartbeat: SendHeartbeat = lambda: None) -> dict[str, Any]:
    """Run retention to its end, or continue a run to its end. Return how much was erased where.

    `send_heartbeat` is called regularly, as a sign that the caller is not stuck.
    """
    while not ((run := _lease_run(start=True)) and _continue_run(run, seconds=math.inf, send_heartbeat=send_heartbeat)):
        time.sleep(WAIT_SECONDS)  # another process runs a round
    erased = {place: count for place, count in run.erased.items() if count}
    return {"older_than": run.cutoff.isoformat(), "erased": erased, "failures": run.failures}


def purge_if_due(send_heartbeat: SendHeartbeat = lambda: None) -> bool:
    """Run one round of retention if a run is due or unfinished. Return whether there is more to do."""
    finished = Heartbeat.objects.filter(name=PURGE).values_list("at", flat=True).first()
    run = _lease_run(start=finished is None or timezone.now() - finished >= INTERVAL)
    return run is not None and not _continue_run(run, seconds=ROUND_SECONDS, send_heartbeat=send_heartbeat)


def repeat_erasures() -> bool:
    """Erase again, before a process serves or works, what a restored backup may have brought back.

    Return whether the database answered.
    """
    try:
        if erased := retention.replay_erasure_log(whole=False):
            log.warning("Erased again what a backup had brought back.", **erased)
    except Error as error:
        log.warning("Erasures wait for the database.", error=type(error).__name__)
        return False
    except OSError as error:
        log.error("The erasure log cannot be used: see manage.py doctor.", error=str(error))
    finally:
        connections.close_all()
    return True


def _lease_run(*, start: bool) -> RetentionRun | None:
    """Lease the unfinished run or, with `start`, a new one. Return None if another process has the lease."""
    now = timezone.now()
    cutoff = now - timedelta(days=settings.RETENTION_DAYS)
    RetentionRun.objects.get_or_create(defaults={"cutoff": cutoff, "finished_at": now})
    lease = {"leased_until": now + LEASE}
    free = RetentionRun.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now))
    if not free.filter(finished_at=None).update(**lease):
        fresh: dict[str, Any] = {
            "cutoff": cutoff,
            "started_at": now,
            "finished_at": None,
            "step": "",
            "position": "",
            "erased": {},
        }
        done = free.filter(finished_at__isnull=False) if start else free.none()
        if not done.update(**lease, **fresh, failures=0, error=""):
            return None
    return RetentionRun.objects.get()


def _continue_run(run: RetentionRun, *, seconds: float, send_heartbeat: SendHeartbeat) -> bool:
    """Continue a leased run for some seconds and release its lease. Return whether the run has ended."""
    try:
        with _releasing_lease(run):
            return _run_steps(run, until=time.monotonic() + seconds, send_heartbeat=send_heartbeat)
    except _LostLease:
        log.warning("A round of retention took too long, and another process went on with it.", step=run.step)
        return False


@contextmanager
def _releasing_lease(run: RetentionRun) -> Iterator[None]:
    try:
        yield
    except _LostLease:
        raise
    except BaseException:
        with suppress(Error, _LostLease):
            _save_run(run, leased_until=None)
        raise
    else:
        _save_run(run, leased_until=None)


def _run_steps(run: RetentionRun, *, until: float, send_heartbeat: SendHeartbeat) -> bool:
    names = list(STEPS)
    if run.step not in STEPS:  # the run begins, or an update renamed the step
        run.step, run.position = names[0], ""
    for following in [*names[names.index(run.step) + 1 :], ""]:
        if not _run_step(run, STEPS[run.step], until=until, send_heartbeat=send_heartbeat):
            return False
        run.step, run.position = following, ""
        if following and time.monotonic() > until:
            return False
    run.finished_at = timezone.now()
    write_heartbeat(PURGE)
    log.info("Retention has run.", failures=run.failures, **run.erased)
    return True


def _run_step(run: RetentionRun, step: Step, *, until: float, send_heartbeat: SendHeartbeat) -> bool:
    """Continue one step. Return whether it has ended, successfully or with an error that is stored in the run."""
    saved = began = time.monotonic()
    try:
        for progress in step(run.position, run.cutoff):
            _add_progress(run, progress)
            send_heartbeat()
            now = time.monotonic()
            if now - saved > SAVE_SECONDS:
                saved = now
                _save_run(run, leased_until=timezone.now() + LEASE)
            if progress.is_last:
                return True
            if now > until:
                return False
            time.sleep(_pause(now - began))
            began = time.monotonic()
    except _LostLease:
        raise
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A step of retention failed; the others go on.", step=run.step)
        _add_progress(run, Progress(run.position, failure=f"{run.step}: {type(error).__name__}"))
    return True


def _pause(duration: float) -> float:
    """Return how many seconds to let others write. Waiting SQLite connections try its lock ten times a second."""
    minimum = 0.11 if connection.vendor == "sqlite" else 0.0
    return min(max(duration * PAUSE, minimum), MAX_PAUSE_SECONDS)


def _add_progress(run: RetentionRun, progress: Progress) -> None:
    run.position = progress.position
    run.erased = {place: count for place, count in (Counter(run.erased) + progress.erased).items() if count}
    if progress.failure:
        run.failures, run.error = run.failures + 1, progress.failure[:300]


def _save_run(run: RetentionRun, *, leased_until: datetime | None) -> None:
    """Save the position of a run. Raises _LostLease if another process continues it."""
    names = ("step", "position", "erased", "failures", "error", "finished_at")
    state = {name: getattr(run, name) for name in names} | {"leased_until": leased_until}
    if not RetentionRun.objects.filter(leased_until=run.leased_until).update(**state):
        raise _LostLease
    run.leased_until = leased_until
