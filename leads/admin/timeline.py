"""Word the entries of the leads app in a lead's timeline."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.timeline import describe_event
from accounts.core.markup import NOTHING, ago, link, receipt_link
from accounts.events.timeline import Entry
from accounts.web.backoffice.timeline import EntryTexts, describes_streams
from leads.labels import CLOCK_KINDS, STOP_REASONS, changed_by_name, clock_state, duration_text, status_badge
from leads.models import Assignment, LeadChange, Note, ResponseClock
from leads.routing.explanations import why_assigned

describes_streams("happening")(describe_event)


@describes_streams("change")
def _change(entry: Entry) -> EntryTexts:
    change: LeadChange = entry.row
    if not change.is_report:
        return change.note or "Remark", _why(change), changed_by_name(change)
    what = status_badge(change.new_status)
    if change.previous_status and change.previous_status != change.new_status:
        what = format_html("{} → {}", status_badge(change.previous_status), what)
    return what, _details(change), changed_by_name(change)


@describes_streams("clock")
def _clock(entry: Entry) -> EntryTexts:
    clock: ResponseClock = entry.row
    what = format_html("{} {}", link(clock, str(CLOCK_KINDS[clock.kind])), clock_state(clock, entry.at).badge())
    took = duration_text(clock.working_seconds or 0)
    by = clock.stopped_by.get_full_name() or str(clock.stopped_by) if clock.stopped_by else NOTHING
    return what, f"{STOP_REASONS[clock.stop_reason]}, after {took} of working time", by


@describes_streams("note")
def _note(entry: Entry) -> EntryTexts:
    note: Note = entry.row
    author = note.author.get_full_name() or str(note.author) if note.author else NOTHING
    return link(note, "Note"), note.text, author


def _why(change: LeadChange) -> str:
    """Return why somebody got the lead by this change."""
    if not change.assignee_id:
        return NOTHING
    rows = Assignment.objects.filter(lead=change.lead_id, at=change.occurred_at).select_related("pool", "by")
    row = rows.first()
    return why_assigned(row, by=str(row.by or "")) if row else NOTHING


def _details(change: LeadChange) -> SafeString:
    """Return a report's note, why it had no effect, its time if it came late, and its receipt."""
    late = abs((change.created_at - change.occurred_at).total_seconds()) > 60
    parts = [
        change.note,
        "" if change.applied else "no change",
        format_html("happened {}", ago(change.occurred_at)) if late else "",
        receipt_link(change.receipt_id) if change.receipt_id else "",
    ]
    return format_html_join(" · ", "{}", ([part] for part in parts if part)) or SafeString(NOTHING)
