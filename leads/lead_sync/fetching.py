"""Fetch the answers of leads that a notification of LinkedIn's only named."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.connections import DATABASE_ERRORS
from accounts.core.jobs import CRASHED, Backoff, claim_due, fail, put_off, retry
from accounts.providers.linkedin import Api, ErrorKind, LinkedInError, encode_value
from leads.lead_sync import backfill
from leads.lead_sync.access import pull_hidden_again
from leads.lead_sync.form_answers import details
from leads.lead_sync.forms import Form, embedded_form, form_for
from leads.lead_sync.source_health import show_health
from leads.lead_sync.submissions import announce_once, store_answers
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_error
from leads.models import LeadFetch, LeadSync

log = structlog.get_logger(__name__)

BATCH = 16
MAX_CONCURRENT_REQUESTS = 8
LEASE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
#: For what passes by itself.
BACKOFF = Backoff([*(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 60, 300, 900)), HOUR], is_endless=True)
HOURLY_ATTEMPTS, MAX_ATTEMPTS = 48, 120  # then daily, then no more
#: LinkedIn may not show a fresh lead at once; after so many attempts it is taken for gone, or hidden.
ATTEMPTS_FOR_A_MISSING_LEAD = 6
#: A form that LinkedIn fails to show so often is done without: the answers come by their questions' ids.
ATTEMPTS_FOR_A_FORM = 4
FIELDS = (
    "ownerInfo,associatedEntityInfo,leadMetadataInfo,owner,leadType,versionedLeadGenFormUrn,id,submittedAt,testLead,"
    "formResponse,form:(hiddenFields,creationLocale,name,id,content)"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What LinkedIn answered about one lead: a response, or an error."""

    fetch: LeadFetch
    response: Mapping[str, Any] = field(default_factory=dict)
    error: LinkedInError | None = None


def fetch_due(limit: int = BATCH) -> int:
    """Fetch the answers of up to `limit` leads that are due. Return how many were attempted."""
    with claim_due(LeadFetch.objects.select_related("reference__lead__agency"), limit=limit, lease=LEASE) as claimed:
        by_source: dict[str, list[LeadFetch]] = {}
        for fetch in claimed:
            if fetch.attempts > MAX_ATTEMPTS:
                fail(fetch, CRASHED)
            else:
                by_source.setdefault(fetch.source_id, []).append(fetch)
        for source, fetches in by_source.items():
            _fetch(source, fetches)
    return len(claimed)


def announce_overdue(limit: int = 200) -> int:
    """Announce leads to their agencies whose answers did not come in time. Return how many."""
    waiting = (
        LeadFetch.objects.filter(announce_by__lte=timezone.now()).select_related("reference").order_by("announce_by")
    )
    return sum(announce_once(fetch.reference) for fetch in waiting[:limit])


def _fetch(source: str, fetches: list[LeadFetch]) -> None:
    """Fetch what is due of one source, with its one permission."""
    sync = LeadSync.objects.select_related("source__agency", "account__agency").filter(source=source).first()
    try:
        api = api_for(sync) if sync else None
    except OnHold as hold:
        return _put_off_all(fetches, hold)
    except (NotConnected, LinkedInError) as error:
        return _retry_all(sync, fetches, error)
    if sync is None or api is None:
        return _retry_all(sync, fetches, NotConnected())
    with ThreadPoolExecutor(MAX_CONCURRENT_REQUESTS) as pool:  # only the network; the database stays in this thread
        answers = list(pool.map(lambda fetch: _ask(api, fetch), fetches))
    for answer in answers:
        _apply(sync, api, answer)
    show_health(sync)
    return None


def _ask(api: Api, fetch: LeadFetch) -> Answer:
    """Ask LinkedIn for one lead's answers."""
    try:
        path = f"leadFormResponses/{encode_value(fetch.reference.external_id)}"
        response = api.get(path, f"fields={FIELDS}")
        if not isinstance(response.get("formResponse"), dict):
            raise LinkedInError(ErrorKind.UNREADABLE, api="leadFormResponses")
        return Answer(fetch, response)
    except LinkedInError as error:
        return Answer(fetch, error=error)


def _apply(sync: LeadSync, api: Api, answer: Answer) -> None:
    """Store one lead's answers, or have them fetched later. An error of one lead leaves the others alone."""
    fetch, error = answer.fetch, answer.error
    try:
        if error is None:
            form = _form_of(sync, api, answer)
            with transaction.atomic():
                store_answers(fetch.reference, details(answer.response, form.content), form)
            if fetch.was_hidden:
                pull_hidden_again(fetch.reference.lead, sync)
                backfill.plan(sync)
            return
    except LinkedInError as kind:
        error = kind
    except DATABASE_ERRORS:  # the claim is given back
        raise
    except Exception as failure:
        log.exception("Answers cannot be kept.", reference=fetch.pk)
        retry(fetch, f"They cannot be kept here ({type(failure).__name__}).", timezone.now() + HOUR)
        return
    _retry(sync, fetch, error)


def _form_of(sync: LeadSync, api: Api, answer: Answer) -> Form:
    """Return the form that the lead filled in: LinkedIn's response has it, or LinkedIn is asked. Raises
    LinkedInError."""
    lead = answer.fetch.reference.lead
    urn = "".join(str(answer.response.get("versionedLeadGenFormUrn") or lead.form).split())
    form = embedded_form(lead.agency, urn, answer.response.get("form"))
    return form or form_for(sync, urn, api, patient=answer.fetch.attempts < ATTEMPTS_FOR_A_FORM)


def _retry(sync: LeadSync, fetch: LeadFetch, error: LinkedInError) -> None:
    """Have one lead's answers fetched later. Announce a lead without them that LinkedIn no longer shows."""
    is_gone = error.kind is ErrorKind.NOT_FOUND and fetch.attempts >= ATTEMPTS_FOR_A_MISSING_LEAD
    until = report_error(sync, error) or _next_attempt_at(fetch, error, is_gone=is_gone)
    was_hidden = fetch.was_hidden or is_gone or error.kind is ErrorKind.FORBIDDEN
    retry(fetch, str(error), until, was_hidden=was_hidden)
    if is_gone:
        announce_once(fetch.reference)


def _put_off_all(fetches: list[LeadFetch], hold: OnHold) -> None:
    """Let answers wait until the account may be used."""
    for fetch in fetches:
        put_off(fetch, hold.until or timezone.now() + HOUR, str(hold))


def _retry_all(sync: LeadSync | None, fetches: list[LeadFetch], error: Exception) -> None:
    """Have all answers of a source fetched later that cannot be read from."""
    until = report_error(sync, error) if sync and isinstance(error, LinkedInError) else None
    passes = isinstance(error, LinkedInError) and error.kind.passes
    for fetch in fetches:
        wait = BACKOFF.steps[1] if passes else HOUR
        retry(fetch, str(error) or gettext_noop("Nobody is connected to LinkedIn."), until or timezone.now() + wait)


def _next_attempt_at(fetch: LeadFetch, error: LinkedInError, *, is_gone: bool) -> datetime | None:
    """Return when to ask again: soon, then ever later; once an hour for what a person has to mend. None: never."""
    if fetch.attempts >= MAX_ATTEMPTS:
        return None
    if is_gone or fetch.attempts > HOURLY_ATTEMPTS:
        return timezone.now() + timedelta(days=1)
    if error.kind.passes or error.kind is ErrorKind.NOT_FOUND:
        return BACKOFF.next_attempt_at(fetch.attempts)
    return timezone.now() + HOUR
