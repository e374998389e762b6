"""Monitor sources: check each enabled source once a minute, and begin or end its issues.

The checks read rows that exist anyway (`last_receipt_at`, rejected requests, `validated_at`, latency tallies), so
ingest does no extra work. Two rounds within a minute count once. The time that a late round missed is not learned.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Sum
from django.utils import timezone

from accounts.core.enums import IssueKind
from accounts.core.wording import Sentence, read_sentence
from accounts.models import Source, SourceIssue
from accounts.sentences import SOURCE_CHECKS_MISSED, SOURCE_REJECTING, SOURCE_SILENT, SOURCE_SLOW
from accounts.sources import issues
from accounts.sources.issues import MAX_MISSED_CHECKS, missed_checks
from accounts.tenancy.localtime import get_zone
from webhooks.models import LatencyTally, Receipt, ReceiptStatus, RejectedRequest, SourceMonitor
from webhooks.monitoring.traffic_baseline import HOURLY_DECAY, TrafficBaseline, slot_of, surprise_limit

MIN_INTERVAL = timedelta(seconds=50)  # between two rounds
MAX_GAP = timedelta(minutes=5)  # between two rounds; a longer gap counts as unobserved
MIN_SILENCE = timedelta(minutes=15)
MIN_REFUSED = 3  # refused requests in a run without an accepted one
MIN_REFUSED_AMONG_ACCEPTED = 20  # refused requests in a run while others are accepted
CALM_PERIOD = timedelta(minutes=10)
MAX_RUN_GAP = timedelta(hours=1)
LATENCY_WINDOW = timedelta(hours=1)
TALLY_RETENTION = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class RefusalCounts:
    total: int
    last: datetime


@dataclass(frozen=True, slots=True)
class LatencyCounts:
    count: int
    slow: int


def check_sources() -> None:
    """Check all sources once. End the issues of sources that were removed or disabled."""
    now = timezone.now()
    ended = SourceIssue.objects.filter(closed_at__isnull=True).exclude(
        source__enabled=True, source__removed_at__isnull=True
    )
    ended.update(closed_at=now)
    LatencyTally.objects.filter(began_at__lt=now - TALLY_RETENTION).delete()
    refused = _refusal_counts()
    latency = recent_latency(now)
    for pk in list(_sources().order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            source = _sources().filter(pk=pk).first()
            monitor = _lock_monitor(source, now) if source else None
            if source is None or monitor is None:
                continue
            _check_silence(source, monitor, now)
            _count_refused(source, monitor, refused.get(pk), now)
            _check_validation(source, now)
            _check_latency(source, latency.get(pk))
            monitor.checked_at = now
            monitor.save()
    issues.alert_staff()


def _sources() -> QuerySet[Source]:
    waiting = Receipt.objects.filter(source=OuterRef("pk"), status=ReceiptStatus.RECEIVED)
    sources = Source.objects.filter(enabled=True, removed_at__isnull=True).select_related("agency", "sub_account")
    return sources.defer("credentials", "drift").annotate(waiting=Exists(waiting))


def _lock_monitor(source: Source, now: datetime) -> SourceMonitor | None:
    """Lock and return the source's monitor. None if it was just created, or if another round has just run."""
    monitor = SourceMonitor.objects.select_for_update().filter(pk=source.pk).first()
    if monitor is None:
        refused = source.rejected_requests.aggregate(total=Sum("count"))["total"] or 0
        beginning = {"checked_at": now, "heard_at": source.last_receipt_at, "hour": _hour(now)}
        SourceMonitor.objects.get_or_create(pk=source.pk, defaults={**beginning, "refused_total": refused})
        return None
    return monitor if now - monitor.checked_at >= MIN_INTERVAL else None


def _check_silence(source: Any, monitor: SourceMonitor, now: datetime) -> None:
    """Learn the traffic baseline, and begin an issue when the silence is too surprising."""
    if source.last_receipt_at is None:
        return
    has_new_receipt = monitor.heard_at is None or source.last_receipt_at > monitor.heard_at
    if has_new_receipt:
        monitor.most_natural = max(monitor.most_natural, monitor.surprise)
        monitor.heard_at, monitor.surprise = source.last_receipt_at, 0.0
        issues.close_issues(source, IssueKind.SILENT)
    zone = get_zone(source.agency.timezone if source.agency else "UTC")
    baseline = TrafficBaseline(list(monitor.busy), list(monitor.weeks)) if monitor.busy else TrafficBaseline()
    elapsed = now - monitor.checked_at
    quiet = not has_new_receipt and not source.waiting  # a receipt that waits ends the silence too
    if quiet and elapsed <= MAX_GAP:
        monitor.surprise += baseline.surprise(slot_of(now.astimezone(zone))) * elapsed.total_seconds() / 60
    silent = monitor.surprise >= surprise_limit(monitor.most_natural)
    _count_minute(monitor, baseline, now, zone, busy=has_new_receipt, is_complete=elapsed <= MAX_GAP, silent=silent)
    since = now - source.last_receipt_at
    if quiet and silent and since >= MIN_SILENCE:
        issues.open_issue(source, IssueKind.SILENT, detail=SOURCE_SILENT(seconds=int(since.total_seconds())))


def _count_minute(
    monitor: SourceMonitor,
    baseline: TrafficBaseline,
    now: datetime,
    zone: ZoneInfo,
    *,
    busy: bool,
    is_complete: bool,
    silent: bool,
) -> None:
    """Count this minute, and learn a finished hour unless it has a gap or is part of a silence."""
    hour = _hour(now)
    if not is_complete:
        monitor.busy_minutes = None
    if monitor.hour != hour:
        if monitor.hour is not None and monitor.busy_minutes is not None and not silent:
            baseline.learn_hour(slot_of(monitor.hour.astimezone(zone)), monitor.busy_minutes)
            monitor.busy, monitor.weeks = [round(minutes, 3) for minutes in baseline.busy], baseline.weeks
        monitor.hour, monitor.busy_minutes = hour, 0 if is_complete else None
        monitor.most_natural *= HOURLY_DECAY
    if monitor.busy_minutes is not None:
        monitor.busy_minutes += busy


def _count_refused(source: Source, monitor: SourceMonitor, refused: RefusalCounts | None, now: datetime) -> None:
    """Count refused requests and begin an issue for a run of them: sooner if none is accepted meanwhile."""
    if refused is None:
        return
    new = max(refused.total - monitor.refused_total, 0)
    monitor.refused_total = refused.total
    if new:
        monitor.refused += new
        monitor.refused_at = refused.last
    calm = monitor.refused_at is None or now - monitor.refused_at >= CALM_PERIOD
    accepted = source.last_receipt_at is not None and source.last_receipt_at > (monitor.refused_at or now)
    if monitor.refused_at is None or now - monitor.refused_at >= MAX_RUN_GAP or (calm and accepted):
        monitor.refused = 0
        issues.close_issues(source, IssueKind.REJECTING)
        return
    quiet = source.last_receipt_at is None or now - source.last_receipt_at >= CALM_PERIOD
    if monitor.refused >= (MIN_REFUSED if quiet else MIN_REFUSED_AMONG_ACCEPTED):
        issues.open_issue(source, IssueKind.REJECTING, detail=_refusal_detail(source, monitor.refused))


def _refusal_detail(source: Source, count: int) -> Sentence:
    """Return the issue's text: the count, and the newest diagnosis, the signature doctor's first."""
    rows = source.rejected_requests.order_by(F("diagnosed_at").desc(nulls_last=True), "-last_seen")
    newest = rows.first()
    diagnosis = read_sentence(newest.diagnosis_sentence, newest.diagnosis) if newest else ""
    return SOURCE_REJECTING(count=count, diagnosis=diagnosis)


def _check_validation(source: Source, now: datetime) -> None:
    missed = missed_checks(source, now)
    if missed >= MAX_MISSED_CHECKS:
        detail = SOURCE_CHECKS_MISSED(count=MAX_MISSED_CHECKS, of=MAX_MISSED_CHECKS)
        issues.open_issue(source, IssueKind.BLOCKED, detail=detail, level=missed)
    elif missed:
        detail = SOURCE_CHECKS_MISSED(count=missed, of=MAX_MISSED_CHECKS)
        issues.open_issue(source, IssueKind.AT_RISK, detail=detail, level=missed)
    else:
        issues.close_issues(source, IssueKind.AT_RISK, IssueKind.BLOCKED)


def _check_latency(source: Source, latency: LatencyCounts | None) -> None:
    """Begin an issue if more than 1 % of the responses took over a second. End it at 0.5 %."""
    if latency is not None and latency.slow * 100 > latency.count:
        detail = SOURCE_SLOW(count=latency.slow, of=latency.count)
        issues.open_issue(source, IssueKind.SLOW, detail=detail)
    elif latency is None or latency.slow * 200 <= latency.count:
        issues.close_issues(source, IssueKind.SLOW)


def _refusal_counts() -> dict[str, RefusalCounts]:
    rows = RejectedRequest.objects.order_by().values("source").annotate(total=Sum("count"), last=Max("last_seen"))
    return {row["source"]: RefusalCounts(row["total"], row["last"]) for row in rows}


def recent_latency(now: datetime) -> dict[str, LatencyCounts]:
    """Return for each source how many responses the last hour had, and how many took over a second."""
    recent = LatencyTally.objects.filter(began_at__gt=now - LATENCY_WINDOW).order_by()
    rows = recent.values("source").annotate(count=Sum("requests"), slow_ones=Sum("slow"))
    return {row["source"]: LatencyCounts(row["count"], row["slow_ones"]) for row in rows}


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
