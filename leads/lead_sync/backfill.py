"""The pull: walks through what LinkedIn keeps of an owner's leads, so that none is missed when a notification is.

The first goes back 365 days, the others to where the last one ended whose access was proved (`access.py`). A page is
put in by one short transaction, which moves the position too (`backfill_pages.py`): a pull that was killed goes on
where it stood, and what is seen twice is the same lead.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.core.connections import DATABASE_ERRORS, undone_after_outage
from accounts.providers.linkedin import LinkedInError
from leads.lead_sync.backfill_pages import OVERLAP, REACH, pull_page
from leads.lead_sync.source_health import show_health
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_error
from leads.models import LeadSync, OwnerAccess, Pull

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
WAITS = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600)]
KEPT = 3  # pulls that have ended, of each owner
HIDDEN_EVERY = timedelta(hours=23)  # between two pulls while LinkedIn hides an owner's leads


@transaction.atomic
def plan(sync: LeadSync, *, since: datetime | None = None, patient: bool = False) -> list[Pull]:
    """Let every owner's leads be pulled that are wanted and not being pulled, from where access was last proved.

    `since` goes further back. With `patient` owners whose leads are hidden are left out, if asked for within a day.
    """
    now = timezone.now()
    rows = []
    LeadSync.objects.select_for_update().get(pk=sync.pk)
    for owner, lead_type in sorted({(row.owner, row.lead_type) for row in sync.subscriptions.filter(wanted=True)}):
        pulls = Pull.objects.filter(sync=sync, owner=owner, lead_type=lead_type).order_by("-pk")
        running = pulls.filter(next_attempt_at__isnull=False).first()
        if running is not None and since is None:
            rows.append(running)
            continue
        access, _ = OwnerAccess.objects.get_or_create(sync=sync, owner=owner, lead_type=lead_type)
        if patient and access.missing_since and pulls.filter(started_at__gt=now - HIDDEN_EVERY).exists():
            continue
        begin = since or (access.pulled_until - OVERLAP if access.pulled_until else now - REACH)
        ended = pulls.filter(next_attempt_at=None)
        Pull.objects.filter(pk__in=list(ended.values_list("pk", flat=True)[KEPT:])).delete()
        rows.append(
            Pull.objects.create(
                sync=sync, owner=owner, lead_type=lead_type, since=max(begin, now - REACH), until=now,
                next_attempt_at=now,
            )
        )  # fmt: skip
    return rows


def plan_all() -> None:
    """After an outage of ours: every connection's gap is to be closed."""
    for sync in LeadSync.objects.filter(account__isnull=False, source__removed_at=None):
        plan(sync)


def pull_due(only: Iterable[int] | None = None) -> Pull | None:
    """One page of one pull that is due; None if there is none. `only` names pulls."""
    until = timezone.now() + LEASE
    with undone_after_outage(partial(_release, until)):
        pull = _claim(only, until)
        if pull is not None:
            _go_on(pull)
    return pull


def _go_on(pull: Pull) -> None:
    try:
        pull_page(pull, api_for(pull.sync))
    except OnHold as hold:
        _put_off(pull, hold.until or timezone.now() + WAITS[-1], str(hold))
        Pull.objects.filter(pk=pull.pk).update(attempts=pull.attempts - 1)
    except NotConnected:
        _put_off(pull, timezone.now() + WAITS[-1], "Nobody is connected to LinkedIn.")
    except LinkedInError as error:
        until = report_error(pull.sync, error)
        until = until or timezone.now() + WAITS[min(pull.attempts, len(WAITS)) - 1]
        _put_off(pull, until, str(error), reason=error.kind)
    except DATABASE_ERRORS:  # the lease brings it back when the database is there again
        raise
    except Exception as error:  # one pull that fails leaves the others alone
        log.exception("A pull failed.", pull=pull.pk)
        _put_off(pull, timezone.now() + WAITS[-1], f"It cannot be kept here ({type(error).__name__}).", reason="failed")
    before = (pull.error, pull.reason)
    pull.refresh_from_db()
    if pull.finished_at or (pull.error, pull.reason) != before:
        show_health(pull.sync)


def _release(until: datetime) -> None:
    """Give back what was claimed with this lease and is not done. The attempt does not count."""
    claimed = Pull.objects.filter(next_attempt_at=until)
    claimed.update(next_attempt_at=timezone.now(), attempts=F("attempts") - 1)


def _claim(only: Iterable[int] | None, until: datetime) -> Pull | None:
    due = Pull.objects.filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")
    if only is not None:
        due = due.filter(pk__in=list(only))
    with transaction.atomic():
        key = due.select_for_update(skip_locked=True).values_list("pk", flat=True).first()
        if key is None:
            return None
        Pull.objects.filter(pk=key).update(next_attempt_at=until, attempts=F("attempts") + 1)
    rows = Pull.objects.select_related("sync__source__agency", "sync__account__agency", "sync__account__sub_account")
    return rows.filter(pk=key).first()


def _put_off(pull: Pull, until: datetime, error: str, *, reason: str = "") -> None:
    Pull.objects.filter(pk=pull.pk).update(next_attempt_at=until, error=error[:300], reason=reason)
