"""Fetch one page of a back-fill, import it, and advance. Fetch smaller pages if one lead of a page fails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.connections import DATABASE_ERRORS, is_outage
from accounts.core.jobs import complete, hasten
from accounts.providers.linkedin import Api, ErrorKind, LinkedInError, Page, encode_value
from leads.lead_sync.access import Access, ask_roles, record_access, record_pulled
from leads.lead_sync.backfill_import import FoundLead, import_leads
from leads.lead_sync.forms import form_for
from leads.lead_sync.subscriptions import owner_kind
from leads.models import LeadSync, Pull

log = structlog.get_logger(__name__)

REACH = timedelta(days=365)
OVERLAP = timedelta(hours=1)  # LinkedIn may show a lead a little after it was sent
PAGE = 100
ATTEMPTS_PER_PAGE = 4  # attempts at a page, after which what fails is taken for a single form's or lead's
HIDDEN = gettext_noop("The person who connected LinkedIn lacks a role there, so LinkedIn shows no leads.")
#: Errors that may be of one page alone; whether other pages work is asked.
OF_ONE_PAGE = frozenset(
    {ErrorKind.REFUSED, ErrorKind.NOT_FOUND, ErrorKind.BROKEN, ErrorKind.UNREACHABLE, ErrorKind.UNREADABLE}
)


@dataclass(frozen=True, slots=True)
class Step:
    """Store how far one page advances a back-fill. The last page sets `access`."""

    position: int
    total: int | None
    found: int = 0
    unreadable: int = 0
    access: Access | None = None

    def plus(self, found: int, unreadable: int) -> "Step":
        return replace(self, found=self.found + found, unreadable=self.unreadable + unreadable)


def pull_page(pull: Pull, api: Api) -> None:
    """Fetch the next page of a back-fill and import it. Raises LinkedInError."""
    try:
        page = api.page("leadFormResponses", _query(pull, count=pull.page_size or PAGE, start=pull.position))
    except LinkedInError as error:
        if error.kind not in OF_ONE_PAGE or pull.attempts < ATTEMPTS_PER_PAGE or not _is_readable(pull, api):
            raise
        return _narrow(pull, error)
    gone = (pull.total - page.total) if page.total is not None and pull.total is not None else 0
    if gone > 0 and pull.position:
        # Leads were deleted meanwhile, and later ones moved up to where we have been.
        return _move(pull, Step(max(0, pull.position - gone), page.total))
    urns = sorted({_form(row) for row in page.rows})
    forms = {urn: form_for(pull.sync, urn, api, patient=pull.attempts < ATTEMPTS_PER_PAGE) for urn in urns}
    step = Step(pull.position + page.length, page.total, unreadable=page.length - len(page.rows))
    if page.is_last(step.position, pull.page_size or PAGE):
        step = replace(step, access=_access_at_the_end(pull, api, page))
    return _import_page(pull, [(row, forms[_form(row)]) for row in page.rows], step)


def _access_at_the_end(pull: Pull, api: Api, last: Page) -> Access:
    """Return whether all pages were shown to somebody who may see them, judged right after the last. Raises
    LinkedInError."""
    access = ask_roles(api).access_to(pull.owner, pull.lead_type)
    seen = pull.position + last.length
    if access is Access.PROVED and last.total is None and seen < (pull.total or 0):
        return Access.UNKNOWN  # the roles were missing for a while
    shown = last.length or (last.total and seen >= last.total)
    return Access.PROVED if access is Access.UNKNOWN and shown else access


def _is_readable(pull: Pull, api: Api) -> bool:
    """Return whether LinkedIn shows leads of this owner at all: what fails is then a page, or one lead of it."""
    try:
        api.page("leadFormResponses", _query(pull, count=1, start=0, at=pull.until))
    except LinkedInError:
        return False
    return True


def _narrow(pull: Pull, error: LinkedInError) -> None:
    """Have half as many asked for. Skip a single lead that is left and that LinkedIn does not show."""
    size = pull.page_size or PAGE
    if size > 1:
        complete(pull, again_at=timezone.now(), attempts=pull.attempts, error=pull.error, page_size=size // 2)
        return
    log.warning("LinkedIn does not show a lead.", pull=pull.pk, position=pull.position, kind=str(error.kind))
    _move(pull, Step(pull.position + 1, pull.total, unreadable=1))


def _import_page(pull: Pull, page: Sequence[FoundLead], step: Step) -> None:
    """Import a page and move the pull on.

    A notification may make or erase one of its leads at the same time: then the page is imported once more. What fails
    all the same is imported lead by lead, so that one that the database refuses holds up no other.
    """
    for _ in range(3):
        try:
            with transaction.atomic():
                return _move(pull, step.plus(*import_leads(pull.sync.source, page)))
        except (IntegrityError, *DATABASE_ERRORS) as error:
            if is_outage(error):
                raise
            failure: Exception = error
        except Exception as error:
            failure = error
            break
    if isinstance(failure, DATABASE_ERRORS):
        raise failure
    for row in page:
        step = step.plus(*_import_one(pull, row))
    return _move(pull, step)


def _import_one(pull: Pull, row: FoundLead) -> tuple[int, int]:
    """Import one lead. Return how many were new, and how many cannot be stored."""
    try:
        with transaction.atomic():
            return import_leads(pull.sync.source, [row])
    except DATABASE_ERRORS:
        raise
    except Exception:
        log.exception("A lead cannot be kept.", pull=pull.pk)
        return 0, 1


@transaction.atomic
def _move(pull: Pull, step: Step) -> None:
    """Move the pull on to the next page, or to its end. A page that was made smaller grows again."""
    now = timezone.now()
    size = pull.page_size and (None if step.unreadable or pull.page_size * 2 >= PAGE else pull.page_size * 2)
    hidden = step.access is Access.MISSING
    is_moved = complete(
        pull,
        again_at=None if step.access else now,
        attempts=pull.attempts if size else 0,
        position=step.position,
        total=step.total,
        found=F("found") + step.found,
        skipped=F("skipped") + step.unreadable,
        page_size=size,
        error=HIDDEN if hidden else "",
        reason="no_role" if hidden else "",
        finished_at=now if step.access and not hidden else None,
    )
    if not is_moved or step.access is None:
        return
    record_access(pull.sync, pull.owner, pull.lead_type, step.access)
    if step.access is Access.PROVED and not pull.skipped + step.unreadable:
        record_pulled(pull, reaches_back_to=pull.started_at - REACH + OVERLAP)
    if hidden and not any(row["code"].startswith("role_") for row in pull.sync.problems):  # the check says which
        hasten(LeadSync.objects.filter(pk=pull.sync_id))


def _query(pull: Pull, *, count: int, start: int, at: datetime | None = None) -> str:
    """Return the finder's query for a part of the pull's window; with `at` for that time alone."""
    return (
        f"q=owner&owner=({owner_kind(pull.owner)}:{encode_value(pull.owner)})&leadType=(leadType:{pull.lead_type})"
        f"&limitedToTestLeads=false&submittedAtTimeRange=(start:{_ms(at or pull.since)},end:{_ms(at or pull.until)})"
        f"&count={count}&start={start}"
    )


def _form(row: dict[str, Any]) -> str:
    return "".join(str(row.get("versionedLeadGenFormUrn") or "").split())


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
