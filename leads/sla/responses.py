"""Record attempts, responses and contacts of a lead. Only a person's response stops its clocks."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.core.unit_of_work import AT_ONCE
from accounts.events.ordering import Origin
from accounts.tenancy.audit import Actor, record_audit
from leads.enums import ChangedBy, LeadStatus, StopReason
from leads.models import Lead
from leads.pipeline.history import add_history_row, request_figures
from leads.sla.clocks import LeadClocks, clocks_of_lead

MAX_HOW_LENGTH = 300


def record_attempt(found: LeadClocks, at: datetime) -> None:
    """Record that somebody or something wrote to the lead, or called."""
    _update(found, first_attempt_at=_earliest(found.lead.first_attempt_at, at))


def record_inbound(found: LeadClocks, at: datetime) -> None:
    """Record that the lead wrote. If somebody had written to it before, this is the first contact."""
    attempt = found.lead.first_attempt_at
    if attempt and attempt <= at:
        _update(found, first_contact_at=_earliest(found.lead.first_contact_at, at))


def record_response(found: LeadClocks, at: datetime, *, reason: StopReason, by: int | None = None) -> None:
    """Record that a person answered the lead, and stop the clocks that ran then."""
    lead, at = found.lead, min(at, timezone.now())
    changes = {
        "first_attempt_at": _earliest(lead.first_attempt_at, at),
        "first_response_at": _earliest(lead.first_response_at, at),
        "last_response_at": max(filter(None, [lead.last_response_at, at])),
    }
    if lead.first_contact_at is None and _has_written(lead):
        changes["first_contact_at"] = at
    _update(found, **changes)
    found.stop([clock for clock in found.open if clock.started_at <= at], at=at, reason=reason, by=by)


@transaction.atomic
def answer_elsewhere(lead: Lead, *, at: datetime | None = None, how: str = "", by: Actor | None = None) -> Lead:
    """Record that a person answered the lead outside of what Leadline sees. Raises FieldError for an impossible time.

    `how` says where, such as “by telephone”; it stands in the lead's history, and that it was done in the audit log.
    """
    found = clocks_of_lead(lead.pk, AT_ONCE)
    now = timezone.now()
    at, how = at or now, plain(how).strip()[:MAX_HOW_LENGTH]
    if at > now:
        raise FieldError("at", gettext("Give a time that is not in the future."))
    if found.open and at < min(clock.started_at for clock in found.open):
        raise FieldError("at", gettext("Give a time after the lead wrote."))
    user = by if isinstance(by, User) else None
    status, changed_by = LeadStatus(found.lead.status), ChangedBy.USER if user else ChangedBy.API
    add_history_row(
        *(found.lead, None, status, status, Origin(by=changed_by, at=at), changed_by),
        stated=False,
        applied=False,
        is_report=False,
        note=f"Answered elsewhere: {how}" if how else "Answered elsewhere.",
        user_id=user.pk if user else None,
    )
    record_response(found, at, reason=StopReason.ELSEWHERE, by=user.pk if user else None)
    request_figures(found.lead)
    record_audit(found.lead.agency, by=by, action=gettext_noop("Lead answered elsewhere"), obj=found.lead)
    return found.lead


def _update(found: LeadClocks, **changes: Any) -> None:
    changed = {name: value for name, value in changes.items() if value != getattr(found.lead, name)}
    for name, value in changed.items():
        setattr(found.lead, name, value)
    if changed:
        found.work.update(found.lead, *changed, "updated_at")


def _earliest(*times: datetime | None) -> datetime:
    return min(time for time in times if time is not None)


def _has_written(lead: Lead) -> bool:
    """Return whether the lead ever answered a message."""
    return bool(lead.furthest_status) and LeadStatus(lead.furthest_status).rank >= LeadStatus.REPLY_RECEIVED.rank
