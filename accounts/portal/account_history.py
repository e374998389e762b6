"""Word an account's timeline for the portal: reports, what its owner was asked, and campaigns that paused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.core.enums import EventType, provider_name
from accounts.core.labels import Label
from accounts.events.timeline import Entry, timeline_page
from accounts.labels import PAUSED, PROMPT_STEPS, RESUMED, pause_reason, paused_by_name, status_label, step_note
from accounts.models import Account, AccountReport, Event, ReauthStep
from accounts.models.reauth import StepKind

SIZE = 25


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as people read it. `by` says who did it, `quote` what somebody wrote, `texts` say more, and `is_faint`
    that it changed nothing."""

    at: datetime
    label: Label | None
    by: str = ""
    quote: str = ""
    texts: Sequence[str] = ()
    title: str = ""
    url: str = ""
    is_faint: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """One page of the history of an account or a lead. `older` is the cursor of the next page, "" on the last one."""

    lines: Sequence[Line]
    older: str


def history_of(account: Account, cursor: str) -> History:
    """Return one page of an account's history, newest first."""
    page = timeline_page(account, cursor, SIZE, streams=_WORDS)
    return History([_WORDS[entry.kind](entry) for entry in page.entries], page.older)


def _report(entry: Entry) -> Line:
    report: AccountReport = entry.row
    texts = [report.note]
    if not report.applied:
        is_late = report.from_status != report.to_status
        texts.append(_("No change: a newer status was already known.") if is_late else _("No change."))
    return Line(
        report.occurred_at,
        status_label(report.to_status),
        by=_("by %(name)s") % {"name": provider_name(report.reported_by)},
        texts=[text for text in texts if text],
        is_faint=not report.applied,
    )


def _step(entry: Entry) -> Line:
    step: ReauthStep = entry.row
    note = step_note(StepKind(step.kind), step.note)
    return Line(step.at, PROMPT_STEPS[StepKind(step.kind)], by=step.recipient, texts=[note] if note else [])


def _pause(entry: Entry) -> Line:
    event: Event = entry.row
    body = event.payload
    is_pause = event.event_type == EventType.CAMPAIGN_PAUSED
    by = paused_by_name(body.get("paused_by", ""), body.get("provider", "")) if is_pause else ""
    reason = pause_reason(body.get("pause_reason", ""), body.get("paused_by", "")) if is_pause else ""
    return Line(
        event.occurred_at,
        PAUSED if is_pause else RESUMED,
        by=_("by %(name)s") % {"name": by} if by else "",
        texts=[reason] if reason else [],
        title=body.get("campaign_name") or _("Campaign"),
        url=reverse("portal_campaign", args=[event.subject]),
    )


_WORDS: dict[str, Callable[[Entry], Line]] = {"report": _report, "prompt": _step, "pause": _pause}
