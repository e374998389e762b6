"""Answers are fetched where notifications left only a name for them: claimed with a lease, asked for, put in."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.core.connections import DATABASE_ERRORS, undone_after_outage
from accounts.providers.linkedin import Api, ErrorKind, LinkedInError, encode_value
from leads.lead_sync import backfill
from leads.lead_sync.access import doubt
from leads.lead_sync.form_answers import details
from leads.lead_sync.forms import Form, embedded_form, form_for
from leads.lead_sync.source_health import show_health
from leads.lead_sync.submissions import complete, tell_once
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_error
from leads.models import LeadFetch, LeadSync

log = structlog.get_logger(__name__)

BATCH = 16
AT_ONCE = 8
LEASE = timedelta(seconds=60)
WAITS = [timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 60, 300, 900)]
MAX_WAIT = timedelta(hours=1)
HOURLY_ATTEMPTS, MAX_ATTEMPTS = 48, 120  # then daily, then no more
#: LinkedIn may not show a fresh lead at once; after so many tries it is taken for gone, or hidden.
ATTEMPTS_FOR_A_MISSING_LEAD = 6
#: A form that LinkedIn fails to show so often is done without: the answers come by their questions' ids.
ATTEMPTS_FOR_A_FORM = 4
FIELDS = (
    "ownerInfo,associatedEntityInfo,leadMetadataInfo,owner,leadType,versionedLeadGenFormUrn,id,submittedAt,testLead,"
    "formResponse,form:(hiddenFields,creationLocale,name,id,content)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What LinkedIn said about one lead: a response, or what went wrong."""

    fetch: LeadFetch
    response: Mapping[str, Any] = field(default_factory=dict)
    error: LinkedInError | None = None


def fetch_due(limit: int = BATCH) -> int:
    """Fetch the answers of up to `limit` leads that are due; how many were taken up."""
    until = timezone.now() + LEASE
    with undone_after_outage(partial(_release, until)):
        claimed = _claim(limit, until)
        by_source: dict[str, list[LeadFetch]] = {}
        for fetch in claimed:
            by_source.setdefault(fetch.source_id, []).append(fetch)
        for source, fetches in by_source.items():
            _fetch(source, fetches)
    return len(claimed)


def tell_overdue(limit: int = 200) -> int:
    """Tell agencies of leads whose answers did not come in time; how many were told of."""
    waiting = (
        LeadFetch.objects.filter(announce_by__lte=timezone.now()).select_related("reference").order_by("announce_by")
    )
    return sum(tell_once(fetch.reference) for fetch in waiting[:limit])


def _claim(limit: int, until: datetime) -> list[LeadFetch]:
    """Due fetches, counted before the work and leased, so that what dies with its worker comes back."""
    due = LeadFetch.objects.filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")
    with transaction.atomic():
        keys = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        LeadFetch.objects.filter(pk__in=keys).update(next_attempt_at=until, attempts=F("attempts") + 1)
    return list(LeadFetch.objects.select_related("reference__lead__agency").filter(pk__in=keys))


def _release(until: datetime) -> None:
    """Give back what was claimed with this lease and is not done. The attempt does not count."""
    claimed = LeadFetch.objects.filter(next_attempt_at=until)
    claimed.update(next_attempt_at=timezone.now(), attempts=F("attempts") - 1)


def _fetch(source: str, fetches: list[LeadFetch]) -> None:
    sync = LeadSync.objects.select_related("source__agency", "account__agency").filter(source=source).first()
    try:
        api = api_for(sync) if sync else None
    except OnHold as hold:
        return _hold_all(fetches, hold)
    except (NotConnected, LinkedInError) as error:
        return _put_all_off(sync, fetches, error)
    if sync is None or api is None:
        return _put_all_off(sync, fetches, NotConnected())
    with ThreadPoolExecutor(AT_ONCE) as pool:  # only the network; the database stays in this thread
        asked = list(pool.map(lambda fetch: _ask(api, fetch), fetches))
    for answer in asked:
        _settle_one(sync, api, answer)
    show_health(sync)
    return None


def _ask(api: Api, fetch: LeadFetch) -> Asked:
    try:
        path = f"leadFormResponses/{encode_value(fetch.reference.external_id)}"
        response = api.get(path, f"fields={FIELDS}")
        if not isinstance(response.get("formResponse"), dict):
            raise LinkedInError(ErrorKind.UNREADABLE, api="leadFormResponses")
        return Asked(fetch, response)
    except LinkedInError as error:
        return Asked(fetch, error=error)


def _settle_one(sync: LeadSync, api: Api, asked: Asked) -> None:
    """Put in what LinkedIn said of one lead, or put it off; what fails of one leaves the others alone."""
    error = asked.error
    try:
        if error is None:
            form = _form_of(sync, api, asked)
            with transaction.atomic():
                complete(asked.fetch.reference, details(asked.response, form.content), form)
            if asked.fetch.was_hidden:
                doubt(asked.fetch.reference.lead, sync)
                backfill.plan(sync)
            return
    except LinkedInError as kind:
        error = kind
    except DATABASE_ERRORS:  # the lease brings it back when the database is there again
        raise
    except Exception as failure:
        log.exception("Answers cannot be kept.", reference=asked.fetch.pk)
        text = f"They cannot be kept here ({type(failure).__name__})."
        until = timezone.now() + MAX_WAIT
        LeadFetch.objects.filter(pk=asked.fetch.pk).update(next_attempt_at=until, error=text)
        return
    _put_off(sync, asked.fetch, error)


def _form_of(sync: LeadSync, api: Api, asked: Asked) -> Form:
    """The form that a response answers: LinkedIn puts it in, or is asked for it. Raises LinkedInError."""
    lead = asked.fetch.reference.lead
    urn = "".join(str(asked.response.get("versionedLeadGenFormUrn") or lead.form).split())
    form = embedded_form(lead.agency, urn, asked.response.get("form"))
    return form or form_for(sync, urn, api, patient=asked.fetch.attempts < ATTEMPTS_FOR_A_FORM)


def _put_off(sync: LeadSync, fetch: LeadFetch, error: LinkedInError) -> None:
    gone = error.kind is ErrorKind.NOT_FOUND and fetch.attempts >= ATTEMPTS_FOR_A_MISSING_LEAD
    until = report_error(sync, error) or _next(fetch, error, rarely=gone)
    was_hidden = fetch.was_hidden or gone or error.kind is ErrorKind.FORBIDDEN
    LeadFetch.objects.filter(pk=fetch.pk).update(next_attempt_at=until, error=str(error)[:300], was_hidden=was_hidden)
    if gone:
        tell_once(fetch.reference)


def _hold_all(fetches: list[LeadFetch], hold: OnHold) -> None:
    """They wait until the account may be used, and it is no try of theirs."""
    LeadFetch.objects.filter(pk__in=[fetch.pk for fetch in fetches]).update(
        next_attempt_at=hold.until or timezone.now() + MAX_WAIT, attempts=F("attempts") - 1, error=str(hold)[:300]
    )


def _put_all_off(sync: LeadSync | None, fetches: list[LeadFetch], error: Exception) -> None:
    until = report_error(sync, error) if sync and isinstance(error, LinkedInError) else None
    passes = isinstance(error, LinkedInError) and error.kind.passes
    until = until or timezone.now() + (WAITS[1] if passes else MAX_WAIT)
    text = str(error) or "Nobody is connected to LinkedIn."
    LeadFetch.objects.filter(pk__in=[fetch.pk for fetch in fetches]).update(next_attempt_at=until, error=text[:300])


def _next(fetch: LeadFetch, error: LinkedInError, *, rarely: bool) -> datetime | None:
    """When to ask again: soon, then ever later; what a person has to mend, once an hour. None: no more."""
    if fetch.attempts >= MAX_ATTEMPTS:
        return None
    if rarely or fetch.attempts > HOURLY_ATTEMPTS:
        return timezone.now() + timedelta(days=1)
    hopeful = error.kind.passes or error.kind is ErrorKind.NOT_FOUND
    step = WAITS[min(fetch.attempts, len(WAITS)) - 1] if hopeful and fetch.attempts <= len(WAITS) else MAX_WAIT
    return timezone.now() + step
