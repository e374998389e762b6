"""Open, raise and close issues of sources, and record an event for the agency.

`webhooks.monitoring.source_monitor` decides what an issue is.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.core.enums import EventType, IssueKind, ProviderSlug
from accounts.core.labels import Label
from accounts.core.sentences import stored
from accounts.events import outbox as events
from accounts.labels import source_label
from accounts.models import Agency, Event, Source, SourceIssue

CHECK_INTERVAL = timedelta(hours=2)  # how often LinkedIn validates an address
CHECK_GRACE = timedelta(minutes=15)
MAX_MISSED_CHECKS = 3  # missed in a row, after which LinkedIn blocks the address

#: The subject of alerts to staff about slow answers, at however many sources.
SLOW_ANSWERS = "slow_answers"

EVENTS = {  # issue --> event for the agency; slow answers are Leadline's own, so they go to staff
    IssueKind.SILENT: EventType.SOURCE_SILENT,
    IssueKind.REJECTING: EventType.SOURCE_REJECTED,
    IssueKind.AT_RISK: EventType.SOURCE_AT_RISK,
    IssueKind.BLOCKED: EventType.SOURCE_BLOCKED,
}
#: What each issue means and what to do, for the back office.
ADVICE = {
    IssueKind.SILENT: "Nothing comes, though it usually would. Look in the provider's settings whether its webhook "
    "is still on and still has our address.",
    IssueKind.REJECTING: "Requests are refused. The table of refused requests says what would have matched.",
    IssueKind.AT_RISK: "LinkedIn checks the address every two hours and blocks it after three missed checks. Is "
    "PUBLIC_URL reachable from outside, and is the secret the app's client secret?",
    IssueKind.BLOCKED: "LinkedIn sends nothing more. Open the app in LinkedIn's developer portal, find this address "
    "under Webhooks, where it says Blocked, and start the check there by hand. Then pull the leads of the gap.",
    IssueKind.LEAD_SYNC: "Leads of LinkedIn, or their answers, are missing. The connection's page (Lead syncs) lists "
    "all that is wrong and who mends it.",
    IssueKind.SLOW: "More than one answer in a hundred takes over a second; providers give up on slow receivers. "
    "Look at the database's load and the machine's.",
}


@transaction.atomic
def open_issue(source: Source, kind: IssueKind, *, detail: str, level: int = 0) -> bool:
    """Open an issue, or raise an open one to a higher level, and record it for the agency. Return whether it is
    news."""
    open_rows = SourceIssue.objects.select_for_update().filter(source=source, closed_at__isnull=True)
    issue = open_rows.filter(kind=kind).first()
    if issue is None:
        SourceIssue.objects.create(source=source, kind=kind, detail=detail[:500], sentence=stored(detail), level=level)
    elif level > issue.level:
        issue.level, issue.detail, issue.sentence = level, detail[:500], stored(detail)
        issue.save(update_fields=["level", "detail", "sentence"])
    elif kind is IssueKind.LEAD_SYNC:
        issue.detail, issue.sentence = detail[:500], stored(detail)
        issue.save(update_fields=["detail", "sentence"])
        return False
    else:
        return False
    if kind is IssueKind.BLOCKED:
        open_rows.filter(kind=IssueKind.AT_RISK).update(closed_at=timezone.now())
    if kind in EVENTS:
        _record_event(source, EVENTS[kind], detail)
    return True


@transaction.atomic
def close_issues(source: Source, *kinds: IssueKind) -> bool:
    """Close the open issues of these kinds. Return whether there were any.

    Record a recovery for the agency once no issue is left that it was told about.
    """
    open_rows = SourceIssue.objects.select_for_update().filter(source=source, closed_at__isnull=True)
    before = {IssueKind(kind) for kind in open_rows.values_list("kind", flat=True)}
    ended = before & set(kinds)
    if not ended:
        return False
    open_rows.filter(kind__in=ended).update(closed_at=timezone.now())
    if ended & EVENTS.keys() and not (before - ended) & EVENTS.keys():
        _record_event(source, EventType.SOURCE_RECOVERED, "")
    return True


@transaction.atomic
def alert_staff() -> None:
    """Alert staff once when answers become slow, at however many sources, and once when none is slow any more.

    The alert is recorded with the oldest agency, because the machine belongs to none. The lock on its row lets in one
    caller at a time.
    """
    agency = Agency.objects.select_for_update(no_key=True).order_by("pk").first()
    slow = SourceIssue.objects.filter(kind=IssueKind.SLOW, closed_at__isnull=True).order_by("id")
    first = slow.select_related("source").first()
    last_alert = Event.objects.filter(subject=SLOW_ANSWERS, event_type=EventType.STAFF_ALERT).order_by("-id").first()
    if agency is None or (first is not None) == (last_alert is not None and last_alert.payload["count"] > 0):
        return
    about: dict[str, Any] = {"source_name": str(first.source), "error_detail": first.detail} if first else {}
    events.record_event(agency, EventType.STAFF_ALERT, subject=SLOW_ANSWERS, count=slow.count(), **about)


def missed_checks(source: Source, now: datetime) -> int:
    """Return how many of LinkedIn's two-hourly checks were missed since the last one, at most CHECKS."""
    if source.provider != ProviderSlug.LINKEDIN or source.validated_at is None:
        return 0
    return min(max((now - source.validated_at - CHECK_GRACE) // CHECK_INTERVAL, 0), MAX_MISSED_CHECKS)


def with_open_issues(sources: "QuerySet[Source]") -> "QuerySet[Source]":
    """Prefetch the issues that `open_issues` returns."""
    rows = SourceIssue.objects.filter(closed_at__isnull=True).order_by("id")
    return sources.prefetch_related(Prefetch("issues", rows, to_attr="fetched_issues"))


def open_issues(source: Source) -> Sequence[SourceIssue]:
    """Return the open issues of a source, oldest first."""
    fetched: Any = getattr(source, "fetched_issues", None)
    return fetched if fetched is not None else list(source.issues.filter(closed_at__isnull=True).order_by("id"))


def label_of(source: Source, *, problems: bool = False) -> Label:
    """Return the label of a source's worst state: its open issues, then `problems` with single requests."""
    return source_label(source, {IssueKind(issue.kind) for issue in open_issues(source)}, problems=problems)


def _record_event(source: Source, event_type: EventType, detail: str) -> None:
    """Record an event for the source's agency. A source of the whole marketplace has none: only the back office shows
    its issues."""
    if source.agency is None:
        return
    events.record_event(
        source.agency,
        event_type,
        subject=source.id,
        location_id=source.sub_account.location_id if source.sub_account else "",
        source_id=source.id,
        source_name=str(source),
        provider=source.provider,
        error_detail=detail,
    )
