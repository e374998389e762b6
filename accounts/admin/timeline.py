"""An account's timeline in words: when, what, what more there is to say, and who."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.models import LogEntry
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.core.enums import provider_name
from accounts.core.markup import NOTHING, ago, badge, link_to, receipt_link, table
from accounts.events.timeline import Entry, Told, timeline
from accounts.labels import status_badge
from accounts.models import Account, AccountReport, Event, ReauthStep


def timeline_of(account: Account, cursor: str) -> dict[str, Any]:
    """The template's context: a table, and the cursors of what is older."""
    page = timeline(account, cursor)
    rows = ((ago(entry.at), *_words(entry)) for entry in page.entries)
    empty = "That was all." if cursor else "Nothing has happened yet."
    return {
        "timeline": table(("When", "What", "More", "Who"), rows, empty=empty),
        "timeline_older": page.older,
        "timeline_newer": bool(cursor),
    }


def _words(entry: Entry) -> tuple[str, str, str]:
    match entry.row:
        case AccountReport() as report:
            return _reported(report), _details(report), _who(report.reported_by)
        case ReauthStep() as step:
            text = " · ".join(part for part in (step.recipient, step.note) if part)
            return format_html("Prompt: {}", step.get_kind_display()), text or NOTHING, NOTHING
        case Event() as event:
            name = link_to("accounts_event", event.pk, event.event_type.replace("_", " "))
            reason = event.payload.get("pause_reason") or event.payload.get("campaign_name") or ""
            return format_html("Told: {}", name), _told(entry.told, str(reason)), event.recipient or "the agency"
        case LogEntry() as log:
            return (
                format_html("Staff: {}", log.get_change_message() or log.get_action_flag_display()),
                NOTHING,
                str(log.user),
            )


def _reported(report: AccountReport) -> SafeString:
    if report.from_status == report.to_status:
        return format_html("Reported again: {}", status_badge(report.to_status))
    before = report.from_status.replace("_", " ") or "first seen"
    return format_html("{} → {}", before, status_badge(report.to_status))


def _details(report: AccountReport) -> SafeString:
    """Its text, what kept it from taking effect, when it is said to have happened, its receipt."""
    late = abs((report.created_at - report.occurred_at).total_seconds()) > 60
    parts = [
        report.note,
        "" if report.applied else "changed nothing",
        format_html("happened {}", ago(report.occurred_at)) if late else "",
        receipt_link(report.receipt_id) if report.receipt_id else "",
    ]
    return format_html_join(" · ", "{}", ([part] for part in parts if part)) or SafeString(NOTHING)


def _told(told: Sequence[Told], reason: str) -> SafeString:
    lines: list[str] = [
        format_html(
            "{} {}",
            badge(one.state, one.tone),
            link_to("notifications_delivery", one.delivery_id, one.to),
        )
        for one in told
    ]
    parts: list[str] = [*([reason] if reason else []), *(lines or ["nobody listens to it"])]
    return format_html_join(" · ", "{}", ([part] for part in parts))


def _who(reported_by: str) -> str:
    return provider_name(reported_by)
