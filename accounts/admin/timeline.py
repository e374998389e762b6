"""Word the entries of the accounts app in an account's timeline."""

from collections.abc import Sequence

from django.contrib.admin.models import LogEntry
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.core.enums import provider_name
from accounts.core.markup import NOTHING, ago, badge, link_to, receipt_link
from accounts.events.timeline import DeliverySummary, Entry
from accounts.labels import status_badge
from accounts.models import AccountReport, Event, ReauthStep
from accounts.web.backoffice.timeline import EntryTexts, describes_streams


@describes_streams("report")
def _report(entry: Entry) -> EntryTexts:
    report: AccountReport = entry.row
    return _reported(report), _details(report), provider_name(report.reported_by)


@describes_streams("prompt")
def _step(entry: Entry) -> EntryTexts:
    step: ReauthStep = entry.row
    text = " · ".join(part for part in (step.recipient, step.note) if part)
    return format_html("Reconnect request: {}", step.get_kind_display()), text or NOTHING, NOTHING


@describes_streams("event", "pause")
def describe_event(entry: Entry) -> EntryTexts:
    """Word an event, with what became of it."""
    event: Event = entry.row
    name = link_to("accounts_event", event.pk, event.event_type.replace("_", " "))
    reason = event.payload.get("pause_reason") or event.payload.get("campaign_name") or ""
    return format_html("Event: {}", name), _deliveries(entry.deliveries, str(reason)), event.recipient or "the agency"


@describes_streams("staff")
def _staff(entry: Entry) -> EntryTexts:
    log: LogEntry = entry.row
    what = log.get_change_message() or log.get_action_flag_display()
    return format_html("Staff: {}", what), NOTHING, str(log.user)


def _reported(report: AccountReport) -> SafeString:
    if report.from_status == report.to_status:
        return format_html("Reported again: {}", status_badge(report.to_status))
    return format_html("{} → {}", status_badge(report.from_status), status_badge(report.to_status))


def _details(report: AccountReport) -> SafeString:
    """Return a report's note, why it had no effect, its time if it came late, and its receipt."""
    late = abs((report.created_at - report.occurred_at).total_seconds()) > 60
    parts = [
        report.note,
        "" if report.applied else "no change",
        format_html("happened {}", ago(report.occurred_at)) if late else "",
        receipt_link(report.receipt_id) if report.receipt_id else "",
    ]
    return format_html_join(" · ", "{}", ([part] for part in parts if part)) or SafeString(NOTHING)


def _deliveries(deliveries: Sequence[DeliverySummary], reason: str) -> SafeString:
    lines: list[str] = [
        format_html(
            "{} {}",
            badge(one.state, one.tone),
            link_to("notifications_delivery", one.delivery_id, one.recipient),
        )
        for one in deliveries
    ]
    parts: list[str] = [*([reason] if reason else []), *(lines or ["no channel subscribed"])]
    return format_html_join(" · ", "{}", ([part] for part in parts))
