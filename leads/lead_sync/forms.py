"""Store the forms that leads answer, one row a version. Each is asked for once: a published version never changes.

A form that LinkedIn does not show holds up nobody's answers: they are stored by their questions' ids, and the form is
asked for again, rarely, until it can be read (`labels.py`).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.core.jobs import Backoff, restart
from accounts.models import Agency
from accounts.providers.linkedin import Api, ErrorKind, LinkedInError, encode_value
from leads.lead_sync.form_answers import tidy
from leads.models import LeadForm, LeadSync, RefusedForm

_URN = re.compile(r"urn:li:versionedLeadGenForm:\(urn:li:leadGenForm:([0-9]{1,24}),\s*([0-9]{1,10})\)")
#: Errors that concern one form and leave the others alone; those that may pass do so once they have lasted.
OF_ONE_FORM = frozenset(
    {
        *(ErrorKind.REFUSED, ErrorKind.FORBIDDEN, ErrorKind.NOT_FOUND),
        *(ErrorKind.BROKEN, ErrorKind.UNREACHABLE, ErrorKind.UNREADABLE),
    }
)
BACKOFF = Backoff([timedelta(hours=hours) for hours in (1, 6, 24)], is_endless=True)
MAX_REFUSED_TIME = timedelta(days=90)  # then a new lead, a new connection or a person has it asked for again
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Form:
    """Hold a form version's content. With `refused` LinkedIn does not show it now: the content is that of another
    version, or empty."""

    content: Mapping[str, Any]
    version: str = ""
    refused: RefusedForm | None = None


def form_for(sync: LeadSync, urn: str, api: Api, *, patient: bool) -> Form:
    """Return the form that `urn` names. Raises LinkedInError for what concerns more than this form and, with `patient`,
    for what may pass in a moment.

    `/rest/leadForms` shows a form's newest version. Where that is another one than the lead was sent with, it stands
    in: question ids stay as they are from version to version.
    """
    agency, found = sync.source.agency, _URN.fullmatch(urn)
    if found is None or agency is None:
        return Form({})
    form_id, version = found.groups()
    known = LeadForm.objects.filter(agency=agency, form_id=form_id, version=version).first()
    if known is not None:
        return Form(known.content, version)
    refused = RefusedForm.objects.filter(sync=sync, form_id=form_id).first()
    if refused is None or _may_be_asked_for(refused):
        try:
            return Form(ask_for_form(agency, form_id, version, api), version)
        except LinkedInError as error:
            if error.kind not in OF_ONE_FORM or (patient and error.kind.passes):
                raise
            refused = record_refusal(sync, form_id, error)
    other = LeadForm.objects.filter(agency=agency, form_id=form_id).order_by("-pk").first()
    return Form(other.content if other else {}, version, refused)


def embedded_form(agency: Agency, urn: str, content: Any) -> Form | None:
    """Store and return the form that LinkedIn put into a response. Return None if it put in none that can be read."""
    found = _URN.fullmatch(urn)
    if not is_readable(content):
        return None
    if found is not None:
        store_form(agency, found[1], found[2], content)
    return Form(content, found[2] if found else "")


def ask_for_form(agency: Agency, form_id: str, version: str, api: Api) -> Mapping[str, Any]:
    """Ask LinkedIn for a form, and store it. Raises LinkedInError."""
    content = api.get(f"leadForms/{encode_value(form_id)}")
    if not is_readable(content):
        raise LinkedInError(ErrorKind.UNREADABLE, api="leadForms")
    for shown in {version, str(content.get("versionId", version))}:
        store_form(agency, form_id, shown, content)
    return content


def record_refusal(sync: LeadSync, form_id: str, error: LinkedInError) -> RefusedForm:
    """Note that LinkedIn does not show a form that somebody's answers need, and when it is asked for again."""
    now = timezone.now()
    row, _ = RefusedForm.objects.get_or_create(sync=sync, form_id=form_id, defaults={"refused_at": now})
    if row.attempts and row.next_attempt_at is None:  # asked for anew, by a new lead
        row.attempts, row.refused_at = 0, now
    row.attempts, row.error, row.reason = row.attempts + 1, str(error)[:300], error.kind
    row.next_attempt_at = next_attempt_at(row)
    row.save(update_fields=["attempts", "error", "reason", "refused_at", "next_attempt_at"])
    return row


def next_attempt_at(row: RefusedForm) -> datetime | None:
    """Return when a form that was just refused is asked for again. None: it has been refused for too long."""
    again = BACKOFF.next_attempt_at(row.attempts)
    return again if again and again <= row.refused_at + MAX_REFUSED_TIME else None


def ask_again(sync: LeadSync) -> int:
    """Have every refused form asked for anew, since somebody has mended something. Return how many."""
    return restart(RefusedForm.objects.filter(sync=sync), refused_at=timezone.now())


def is_readable(content: Any) -> bool:
    """Return whether this is a form with at least one question as it is documented."""
    inner = content.get("content") if isinstance(content, dict) else None
    questions = inner.get("questions") if isinstance(inner, dict) else None
    return isinstance(questions, list) and any(isinstance(row, dict) and "questionId" in row for row in questions)


def store_form(agency: Agency, form_id: str, version: str, content: Mapping[str, Any]) -> None:
    """Store a form's version. Answers that wait for it get their labels soon."""
    _, made = LeadForm.objects.get_or_create(
        agency=agency,
        form_id=form_id,
        version=version[:16],
        defaults={"name": tidy(content.get("name"), 300), "content": _storable(content)},
    )
    if made:
        now = timezone.now()
        later = Q(next_attempt_at__gt=now) | Q(next_attempt_at=None)
        RefusedForm.objects.filter(later, sync__source__agency=agency, form_id=form_id).update(next_attempt_at=now)


def _may_be_asked_for(row: RefusedForm) -> bool:
    """Return whether a refused form is due, or not asked for any more by itself, and no worker is asking for it."""
    now = timezone.now()
    is_due = row.next_attempt_at is None or row.next_attempt_at <= now
    return is_due and (row.leased_until is None or row.leased_until <= now)


def _storable(value: Any, depth: int = 0) -> Any:
    """Return JSON as both databases take it: PostgreSQL refuses NUL, lone surrogates, NaN and Infinity."""
    if isinstance(value, str):
        return tidy(value, 20_000)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {tidy(name, 200): _storable(inner, depth + 1) for name, inner in value.items()}
    return [_storable(inner, depth + 1) for inner in value] if isinstance(value, list) else value
