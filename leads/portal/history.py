"""Word a lead's timeline for the portal: reports, remarks and owners; clocks that ended; what happened; notes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from accounts.core.enums import EventType
from accounts.core.sentences import in_readers_language
from accounts.events.timeline import Entry, timeline_page
from accounts.models import Agency, Event, Member
from accounts.portal.account_history import History, Line
from leads.enums import EndReason, LeadStatus
from leads.labels import (
    ANSWERS,
    CLOCK_KINDS,
    END_REASONS,
    HAPPENINGS,
    STATUSES,
    STOP_REASONS,
    changed_by_name,
    clock_state,
    duration_text,
)
from leads.models import Assignment, Lead, LeadChange, Note, ResponseClock
from leads.portal.assignees import name_of
from leads.routing.explanations import why_assigned

SIZE = 25


def lead_history(lead: Lead, agency: Agency, cursor: str) -> History:
    """Return one page of a lead's history, newest first."""
    page = timeline_page(lead, cursor, SIZE)
    changes = [entry.row for entry in page.entries if isinstance(entry.row, LeadChange)]
    names, reasons = _names(agency, changes), _reasons(lead, changes)
    lines = [
        _change(entry.row, names, reasons) if isinstance(entry.row, LeadChange) else _WORDS[entry.kind](entry)
        for entry in page.entries
    ]
    return History(lines, page.older)


def _names(agency: Agency, changes: Sequence[LeadChange]) -> dict[int, str]:
    """Return the names of who made changes, and of who got the lead, by user. Staff have none of their own here."""
    ids = {pk for change in changes for pk in (change.user_id, change.assignee_id) if pk}
    members = Member.objects.filter(agency=agency, user__in=ids).select_related("user")
    names = {member.user_id: name_of(member.user) for member in members}
    staff = User.objects.filter(pk__in=ids - names.keys(), is_staff=True).values_list("pk", flat=True)
    return dict.fromkeys(ids, _("a former member")) | dict.fromkeys(staff, _("Leadline's support")) | names


def _reasons(lead: Lead, changes: Sequence[LeadChange]) -> dict[datetime, str]:
    """Return why a rule or a pool assigned the lead, by the times of those changes."""
    times = [change.occurred_at for change in changes if change.assignee_id]
    rows = Assignment.objects.filter(lead=lead, at__in=times).select_related("pool") if times else []
    return {row.at: why_assigned(row) for row in rows if row.rule or row.pool_id}


def _change(change: LeadChange, names: Mapping[int, str], reasons: Mapping[datetime, str]) -> Line:
    by = _("by %(who)s") % {"who": names[change.user_id] if change.user_id else changed_by_name(change)}
    if change.assignee_id is not None:
        whom = names.get(change.assignee_id)
        title = _("Assigned to %(whom)s") % {"whom": whom} if whom else _("Assigned to nobody")
        why = reasons.get(change.occurred_at, "") if whom else ""
        return Line(change.occurred_at, None, title=title, by=by, texts=[why] if why else [])
    note = in_readers_language(change.sentence, change.note)
    if change.sentence and not change.is_report:
        return Line(change.occurred_at, None, title=note, by=by)
    campaign = change.reference.campaign if change.reference else None
    where = [_("in %(campaign)s") % {"campaign": campaign}] if campaign else []
    has_no_effect = change.is_report and not change.applied
    why_not = _("No change: a newer status was already known, or it was the same.")
    return Line(
        change.occurred_at,
        STATUSES[LeadStatus(change.new_status)] if change.is_report else None,
        by=", ".join([by, *where]),
        title="" if change.is_report else _("Note"),
        quote=change.text,
        texts=[*filter(None, [note]), *([why_not] if has_no_effect else [])],
        is_faint=has_no_effect,
    )


def _clock(entry: Entry) -> Line:
    clock: ResponseClock = entry.row
    kind = str(CLOCK_KINDS[clock.kind])
    if clock.stop_reason in ANSWERS:
        took = duration_text(clock.working_seconds or 0)
        text = _("%(kind)s: answered after %(time)s of working time.") % {"kind": kind, "time": took}
    else:
        text = f"{kind}: {STOP_REASONS[clock.stop_reason]}."
    by = _("by %(who)s") % {"who": name_of(clock.stopped_by)} if clock.stopped_by else ""
    return Line(entry.at, clock_state(clock, entry.at), by=by, texts=[text])


def _happening(entry: Entry) -> Line:
    event: Event = entry.row
    body = event.payload
    is_task = event.event_type in {EventType.TASK_CREATED, EventType.TASK_OVERDUE, EventType.TASK_DONE}
    texts = [str(body.get("outcome", ""))] if event.event_type == EventType.TASK_DONE else []
    by = str(body.get("assigned_to_name", "")) if is_task else ""
    title = str(body.get("task_title", "")) if is_task else ""
    if event.event_type == EventType.SEQUENCE_FINISHED:
        title = str(body.get("sequence_name", ""))
        texts = [END_REASONS[EndReason(body["end_reason"])].text] if "end_reason" in body else []
    return Line(event.occurred_at, HAPPENINGS[event.event_type], by=by, title=title, texts=texts)


def _note(entry: Entry) -> Line:
    note: Note = entry.row
    by = _("by %(who)s") % {"who": name_of(note.author)} if note.author else ""
    return Line(note.created_at, None, title=_("Note"), by=by, texts=[note.text])


_WORDS: dict[str, Callable[[Entry], Line]] = {
    "clock": _clock,
    "happening": _happening,
    "note": _note,
}
