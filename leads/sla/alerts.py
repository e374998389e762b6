"""Warn of clocks that are due soon, and report those that are overdue, each once."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.jobs import Backoff, complete, work_off
from accounts.core.unit_of_work import AT_ONCE
from accounts.events.ordering import Origin
from accounts.events.outbox import iso_timestamp
from accounts.models import Member
from accounts.tenancy.calendars.lookup import calendar_for
from leads.enums import ChangedBy
from leads.models import ResponseClock
from leads.pipeline.history import record_event
from leads.sla.clocks import clocks_of_lead, is_outdated
from leads.sla.member_mails import escalated_to, mail_escalation, mail_owner, owner_of

LEASE = timedelta(seconds=60)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600)])


def alert_due(limit: int = 50) -> int:
    """Warn of, or report, at most `limit` clocks. Return the number of clocks that were looked at."""
    related = ("lead__agency", "lead__account__sub_account", "lead__campaign", "calendar", "owner")
    clocks = ResponseClock.objects.select_related(*related)
    return work_off(clocks, _alert, limit=limit, lease=LEASE, backoff=BACKOFF)


def _alert(clock: ResponseClock) -> None:
    """Say what is to be said of a clock now. The end of the lease is the condition: who has lost it, says nothing."""
    now, owner = timezone.now(), owner_of(clock)
    if is_outdated(clock, calendar_for(clock.agency_id, clock.owner_id)):
        clocks_of_lead(clock.lead_id, AT_ONCE).replan()
        ResponseClock.objects.filter(pk=clock.pk, leased_until=clock.leased_until).update(leased_until=None)
    elif now >= clock.due_at:
        if complete(clock, alerted_at=now, breached=True):
            person = escalated_to(clock)
            _record(clock, EventType.LEAD_OVERDUE, clock.due_at, owner, escalated_to=person.pk if person else "")
            if person is not None:
                mail_escalation(person, clock, clock.due_at)
    elif complete(clock, again_at=clock.due_at, warned_at=now):
        _record(clock, EventType.LEAD_DUE_SOON, clock.warn_at, owner)
        if owner is not None:
            mail_owner(owner, clock, clock.warn_at)


def _record(clock: ResponseClock, event_type: EventType, at: datetime, owner: Member | None, **fields: Any) -> None:
    name = (owner.user.get_full_name() or owner.user.get_username()) if owner else ""
    record_event(
        clock.lead,
        event_type,
        origin=Origin(by=ChangedBy.AUTOMATION, at=at),
        clock=clock.kind,
        due_at=iso_timestamp(clock.due_at),
        assigned_to=owner.pk if owner else "",
        assigned_to_name=name,
        **fields,
    )
