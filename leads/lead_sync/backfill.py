"""The pull: walks through what LinkedIn keeps of an owner's leads, so that none is missed when a notification is.

The first goes back 365 days, the others to where the last one ended. A page is put in by one short transaction, which
moves the position too: a pull that was killed goes on where it stood, and what is seen twice is the same lead.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.core.connections import is_outage, undone_after_outage
from accounts.providers.linkedin import Api, LinkedInError, encoded
from leads.lead_sync.backfill_import import import_leads
from leads.lead_sync.forms import form_named
from leads.lead_sync.subscriptions import owner_kind
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_trouble
from leads.models import LeadSync, Pull

REACH = timedelta(days=365)
OVERLAP = timedelta(hours=1)  # LinkedIn may show a lead a little after it was sent
PAGE = 100
LEASE = timedelta(seconds=60)
WAITS = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600)]


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
        _page(pull, api_for(pull.sync))
    except OnHold as hold:
        _put_off(pull, hold.until or timezone.now() + WAITS[-1], str(hold))
        Pull.objects.filter(pk=pull.pk).update(attempts=pull.attempts - 1)
    except NotConnected:
        _put_off(pull, timezone.now() + WAITS[-1], "Nobody is connected to LinkedIn.")
    except LinkedInError as error:
        until = report_trouble(pull.sync, error)
        _put_off(pull, until or timezone.now() + WAITS[min(pull.attempts, len(WAITS)) - 1], str(error))
    pull.refresh_from_db()


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


def _page(pull: Pull, api: Api) -> None:
    said: Any = api.get("leadFormResponses", _query(pull)) or {}
    rows = [row for row in said.get("elements") or [] if isinstance(row, dict)]
    total = (said.get("paging") or {}).get("total")
    total = total if isinstance(total, int) else None
    gone = (pull.total - total) if total is not None and pull.total is not None else 0
    if gone > 0 and pull.position:
        # Leads were deleted meanwhile, and later ones moved up to where we have been.
        _move(pull, max(0, pull.position - gone), total=total)
        return
    agency = pull.sync.source.agency
    assert agency is not None  # noqa: S101 (a linkedin source belongs to an agency)
    forms = {urn: form_named(agency, urn, api) for urn in sorted({_form(row) for row in rows})}
    seen = pull.position + len(rows)
    is_last = not rows or (seen >= total if total is not None else len(rows) < PAGE)
    _keep(pull, [(row, forms[_form(row)]) for row in rows], position=seen, total=total, is_last=is_last)


def _keep(pull: Pull, page: list[tuple[Any, Any]], *, position: int, total: int | None, is_last: bool) -> None:
    """Put a page in; a notification may be making or erasing one of its leads at the same moment: then once more."""
    for is_enough in (False, False, True):
        try:
            with transaction.atomic():
                found = import_leads(pull.sync.source, page)
                _move(pull, position, total=total, found=found, is_last=is_last)
        except (IntegrityError, OperationalError) as error:
            if is_enough or is_outage(error):
                raise
        else:
            return


def _move(pull: Pull, position: int, *, total: int | None, found: int = 0, is_last: bool = False) -> None:
    """On with the next page, at once, or to the end."""
    now = timezone.now()
    Pull.objects.filter(pk=pull.pk).update(
        position=position,
        total=total,
        found=F("found") + found,
        attempts=0,
        error="",
        next_attempt_at=None if is_last else now,
        finished_at=now if is_last else None,
    )


def _put_off(pull: Pull, until: datetime, error: str) -> None:
    Pull.objects.filter(pk=pull.pk).update(next_attempt_at=until, error=error[:300])


def _query(pull: Pull) -> str:
    return (
        f"q=owner&owner=({owner_kind(pull.owner)}:{encoded(pull.owner)})&leadType=(leadType:{pull.lead_type})"
        f"&limitedToTestLeads=false&submittedAtTimeRange=(start:{_ms(pull.since)},end:{_ms(pull.until)})"
        f"&count={PAGE}&start={pull.position}"
    )


def _form(row: dict[str, Any]) -> str:
    return "".join(str(row.get("versionedLeadGenFormUrn") or "").split())


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
