"""The pull: walks through what LinkedIn keeps of an owner's leads, so that none is missed when a notification is.

The first goes back 365 days, the others to where the last one ended. A page is put in by one short transaction, which
moves the position too: a pull that was killed goes on where it stood, and what is seen twice is the same lead.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.core.connections import DATABASE_ERRORS, is_outage, undone_after_outage
from accounts.providers.linkedin import Api, LinkedInError, Trouble, encoded
from leads.lead_sync.backfill_import import FoundLead, import_leads
from leads.lead_sync.forms import form_for
from leads.lead_sync.source_health import show_health
from leads.lead_sync.subscriptions import owner_kind
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_trouble
from leads.models import LeadSync, Pull

log = structlog.get_logger(__name__)

REACH = timedelta(days=365)
OVERLAP = timedelta(hours=1)  # LinkedIn may show a lead a little after it was sent
PAGE = 100
LEASE = timedelta(seconds=60)
WAITS = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600)]
PATIENCE = 4  # tries of a page, after which what fails is taken for a single form's or lead's
#: What may be the trouble of one page alone; that others work is asked.
OF_ONE_PAGE = frozenset({Trouble.REFUSED, Trouble.NOT_FOUND, Trouble.BROKEN, Trouble.UNREACHABLE, Trouble.UNREADABLE})


@transaction.atomic
def plan(sync: LeadSync, *, since: datetime | None = None) -> list[Pull]:
    """Let every owner's leads be pulled that are wanted and not being pulled; `since` goes further back."""
    now = timezone.now()
    rows = []
    LeadSync.objects.select_for_update().get(pk=sync.pk)
    for owner, lead_type in sorted({(row.owner, row.lead_type) for row in sync.subscriptions.filter(wanted=True)}):
        pulls = Pull.objects.filter(sync=sync, owner=owner, lead_type=lead_type)
        running = pulls.filter(next_attempt_at__isnull=False).first()
        if running is not None and since is None:
            rows.append(running)
            continue
        last = pulls.filter(finished_at__isnull=False).order_by("-until").first()
        begin = since or (last.until - OVERLAP if last else now - REACH)
        if last and last.finished_at:
            pulls.filter(finished_at__lt=last.finished_at).delete()
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
        _pull_page(pull, api_for(pull.sync))
    except OnHold as hold:
        _put_off(pull, hold.until or timezone.now() + WAITS[-1], str(hold))
        Pull.objects.filter(pk=pull.pk).update(attempts=pull.attempts - 1)
    except NotConnected:
        _put_off(pull, timezone.now() + WAITS[-1], "Nobody is connected to LinkedIn.")
    except LinkedInError as error:
        until = report_trouble(pull.sync, error)
        until = until or timezone.now() + WAITS[min(pull.attempts, len(WAITS)) - 1]
        _put_off(pull, until, str(error), reason=error.trouble)
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


def _pull_page(pull: Pull, api: Api) -> None:
    """Ask for a page and put it in. Raises LinkedInError."""
    try:
        page = api.page("leadFormResponses", _query(pull, count=pull.page_size or PAGE, start=pull.position))
    except LinkedInError as error:
        if error.trouble not in OF_ONE_PAGE or pull.attempts < PATIENCE or not _is_readable(pull, api):
            raise
        return _narrow(pull, error)
    gone = (pull.total - page.total) if page.total is not None and pull.total is not None else 0
    if gone > 0 and pull.position:
        # Leads were deleted meanwhile, and later ones moved up to where we have been.
        return _move(pull, max(0, pull.position - gone), total=page.total)
    urns = sorted({_form(row) for row in page.rows})
    forms = {urn: form_for(pull.sync, urn, api, patient=pull.attempts < PATIENCE) for urn in urns}
    seen = pull.position + page.length
    is_short = page.length < (pull.page_size or PAGE) and not page.names_next
    is_last = not page.length or (seen >= page.total if page.total is not None else is_short)
    rows = [(row, forms[_form(row)]) for row in page.rows]
    return _keep(pull, rows, position=seen, unreadable=page.length - len(rows), total=page.total, is_last=is_last)


def _is_readable(pull: Pull, api: Api) -> bool:
    """Whether LinkedIn shows leads of this owner at all: what fails is then a page, or one lead of it."""
    try:
        api.page("leadFormResponses", _query(pull, count=1, start=0, at=pull.until))
    except LinkedInError:
        return False
    return True


def _narrow(pull: Pull, error: LinkedInError) -> None:
    """Ask for half as many; where a single lead is left that LinkedIn does not show, go on behind it."""
    size = pull.page_size or PAGE
    if size > 1:
        Pull.objects.filter(pk=pull.pk).update(page_size=size // 2, next_attempt_at=timezone.now())
        return
    log.warning("LinkedIn does not show a lead.", pull=pull.pk, position=pull.position, trouble=str(error.trouble))
    _move(pull, pull.position + 1, total=pull.total, skipped=1, is_last=pull.position + 1 == pull.total)


def _keep(
    pull: Pull, page: Sequence[FoundLead], *, position: int, unreadable: int, total: int | None, is_last: bool
) -> None:
    """Put a page in; a notification may be making or erasing one of its leads at the same moment: then once more. What
    fails all the same is put in lead by lead, so that one that the database refuses holds up no other."""
    for _ in range(3):
        try:
            with transaction.atomic():
                found, skipped = import_leads(pull.sync.source, page)
                return _move(pull, position, total=total, found=found, skipped=skipped + unreadable, is_last=is_last)
        except (IntegrityError, *DATABASE_ERRORS) as error:
            if is_outage(error):
                raise
            failure: Exception = error
        except Exception as error:
            failure = error
            break
    if isinstance(failure, DATABASE_ERRORS):
        raise failure
    found, skipped = _keep_one_by_one(pull, page)
    return _move(pull, position, total=total, found=found, skipped=skipped + unreadable, is_last=is_last)


def _keep_one_by_one(pull: Pull, page: Sequence[FoundLead]) -> tuple[int, int]:
    """How many were new, and how many cannot be kept."""
    found = skipped = 0
    for row in page:
        try:
            with transaction.atomic():
                new, unreadable = import_leads(pull.sync.source, [row])
        except DATABASE_ERRORS:
            raise
        except Exception as error:
            log.warning("A lead cannot be kept.", pull=pull.pk, error=type(error).__name__)
            new, unreadable = 0, 1
        found, skipped = found + new, skipped + unreadable
    return found, skipped


def _move(
    pull: Pull, position: int, *, total: int | None, found: int = 0, skipped: int = 0, is_last: bool = False
) -> None:
    """On with the next page, at once, or to the end. A page that was made smaller grows again."""
    now = timezone.now()
    size = pull.page_size and (None if skipped or pull.page_size * 2 >= PAGE else pull.page_size * 2)
    Pull.objects.filter(pk=pull.pk).update(
        position=position,
        total=total,
        found=F("found") + found,
        skipped=F("skipped") + skipped,
        page_size=size,
        attempts=pull.attempts if size else 0,
        error="",
        reason="",
        next_attempt_at=None if is_last else now,
        finished_at=now if is_last else None,
    )


def _put_off(pull: Pull, until: datetime, error: str, *, reason: str = "") -> None:
    Pull.objects.filter(pk=pull.pk).update(next_attempt_at=until, error=error[:300], reason=reason)


def _query(pull: Pull, *, count: int, start: int, at: datetime | None = None) -> str:
    """The finder's query for a part of the pull's window; with `at` for that moment alone."""
    return (
        f"q=owner&owner=({owner_kind(pull.owner)}:{encoded(pull.owner)})&leadType=(leadType:{pull.lead_type})"
        f"&limitedToTestLeads=false&submittedAtTimeRange=(start:{_ms(at or pull.since)},end:{_ms(at or pull.until)})"
        f"&count={count}&start={start}"
    )


def _form(row: dict[str, Any]) -> str:
    return "".join(str(row.get("versionedLeadGenFormUrn") or "").split())


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
