"""Pull what LinkedIn keeps of an owner's leads, so that no lead is missed when a notification is.

The first pull goes back 365 days, the others to where the last one ended whose access was proved (`access.py`). One
short transaction imports a page and moves the pull's position (`backfill_pages.py`): a pull that was killed goes on
where it stood, and what is seen twice is the same lead.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.connections import DATABASE_ERRORS
from accounts.core.jobs import Backoff, claim_due, put_off, retry
from accounts.providers.linkedin import LinkedInError
from leads.lead_sync.backfill_pages import OVERLAP, REACH, pull_page
from leads.lead_sync.source_health import show_health
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_error
from leads.models import LeadSync, OwnerAccess, Pull

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600)], is_endless=True)
MAX_ENDED_PULLS = 3  # of each owner; older ones are deleted
HIDDEN_INTERVAL = timedelta(hours=23)  # between two pulls while LinkedIn hides an owner's leads


@transaction.atomic
def plan(sync: LeadSync, *, since: datetime | None = None, patient: bool = False) -> list[Pull]:
    """Have every owner's leads pulled that are wanted and not being pulled, from where access was last proved. Return
    the pulls.

    `since` goes further back. With `patient` owners whose leads are hidden are left out, if pulled within a day.
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
        if patient and access.missing_since and pulls.filter(started_at__gt=now - HIDDEN_INTERVAL).exists():
            continue
        begin = since or (access.pulled_until - OVERLAP if access.pulled_until else now - REACH)
        ended = pulls.filter(next_attempt_at=None)
        Pull.objects.filter(pk__in=list(ended.values_list("pk", flat=True)[MAX_ENDED_PULLS:])).delete()
        rows.append(
            Pull.objects.create(sync=sync, owner=owner, lead_type=lead_type, since=max(begin, now - REACH), until=now)
        )
    return rows


def plan_all() -> None:
    """Have the gap of every connection pulled, after an outage of ours."""
    for sync in LeadSync.objects.filter(account__isnull=False, source__removed_at=None):
        plan(sync)


def pull_due(only: Iterable[int] | None = None) -> Pull | None:
    """Pull one page of one pull that is due. Return the pull, or None if none is due. `only` names pulls."""
    due = Pull.objects.select_related("sync__source__agency", "sync__account__agency", "sync__account__sub_account")
    if only is not None:
        due = due.filter(pk__in=list(only))
    with claim_due(due, limit=1, lease=LEASE) as claimed:
        for pull in claimed:
            _go_on(pull)
    return claimed[0] if claimed else None


def _go_on(pull: Pull) -> None:
    """Pull the next page, or have it pulled later."""
    before = (pull.error, pull.reason)
    in_an_hour = timezone.now() + BACKOFF.steps[-1]
    try:
        pull_page(pull, api_for(pull.sync))
    except OnHold as hold:
        put_off(pull, hold.until or in_an_hour, str(hold), reason="")
    except NotConnected:
        retry(pull, gettext_noop("Nobody is connected to LinkedIn."), in_an_hour, reason="")
    except LinkedInError as error:
        retry(pull, str(error), report_error(pull.sync, error) or BACKOFF, reason=error.kind)
    except DATABASE_ERRORS:  # the claim is given back
        raise
    except Exception as error:  # one pull that fails leaves the others alone
        log.exception("A pull failed.", pull=pull.pk)
        retry(pull, f"It cannot be kept here ({type(error).__name__}).", in_an_hour, reason="failed")
    pull.refresh_from_db()
    if pull.finished_at or (pull.error, pull.reason) != before:
        show_health(pull.sync)
