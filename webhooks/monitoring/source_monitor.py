"""The watch over sources: once a minute it looks at each one that is on, and begins or ends its issues.

It reads what others write anyway (`last_receipt_at`, rejected requests, `validated_at`, answer tallies), so that ingest
does nothing for it. Two rounds within a minute count once; a round that comes late leaves what it missed unlearned.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Sum
from django.utils import timezone

from accounts.core.enums import IssueKind
from accounts.core.markup import duration
from accounts.models import Source, SourceIssue
from accounts.sources import issues
from accounts.sources.issues import MAX_MISSED_CHECKS, missed_checks
from accounts.tenancy.localtime import get_zone
from webhooks.models import LatencyTally, Receipt, ReceiptStatus, RejectedRequest, SourceMonitor
from webhooks.monitoring.traffic_baseline import FADES, TrafficBaseline, limit, slot_of

ROUND = timedelta(seconds=50)  # the least between two rounds
HOLE = timedelta(minutes=5)  # without a round: what was in between nobody watched
SHORTEST_SILENCE = timedelta(minutes=15)
REFUSED = 3  # requests in a run of which none was accepted meanwhile
REFUSED_AMONG_GOOD = 20  # where others are accepted
CALM = timedelta(minutes=10)
RUN_ENDS = timedelta(hours=1)
SLOW_WITHIN = timedelta(hours=1)
TALLIES_KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Refused:
    total: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Answers:
    count: int
    slow: int


def watch_sources() -> None:
    """One round over all sources; those that were taken away or switched off have no issues."""
    now = timezone.now()
    gone = SourceIssue.objects.filter(closed_at__isnull=True).exclude(
        source__enabled=True, source__removed_at__isnull=True
    )
    gone.update(closed_at=now)
    LatencyTally.objects.filter(began_at__lt=now - TALLIES_KEPT).delete()
    refused = _refused()
    answers = answers_lately(now)
    for pk in list(_sources().order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            source = _sources().filter(pk=pk).first()
            watch = _take(source, now) if source else None
            if source is None or watch is None:
                continue
            _listen(source, watch, now)
            _count_refused(source, watch, refused.get(pk), now)
            _check_validation(source, now)
            _check_answers(source, answers.get(pk))
            watch.checked_at = now
            watch.save()
    issues.alert_staff()


def _sources() -> QuerySet[Source]:
    waiting = Receipt.objects.filter(source=OuterRef("pk"), status=ReceiptStatus.RECEIVED)
    sources = Source.objects.filter(enabled=True, removed_at__isnull=True).select_related("agency", "sub_account")
    return sources.defer("credentials", "drift").annotate(waiting=Exists(waiting))


def _take(source: Source, now: datetime) -> SourceMonitor | None:
    """The source's watch, locked; None if it begins now, or if another round has just been here."""
    watch = SourceMonitor.objects.select_for_update().filter(pk=source.pk).first()
    if watch is None:
        refused = source.rejected_requests.aggregate(total=Sum("count"))["total"] or 0
        beginning = {"checked_at": now, "heard_at": source.last_receipt_at, "hour": _hour(now)}
        SourceMonitor.objects.get_or_create(pk=source.pk, defaults={**beginning, "refused_total": refused})
        return None
    return watch if now - watch.checked_at >= ROUND else None


def _listen(source: Any, watch: SourceMonitor, now: datetime) -> None:
    """Learn the rhythm, and tell when the quiet is too surprising."""
    if source.last_receipt_at is None:
        return
    heard = watch.heard_at is None or source.last_receipt_at > watch.heard_at
    if heard:
        watch.most_natural = max(watch.most_natural, watch.surprise)
        watch.heard_at, watch.surprise = source.last_receipt_at, 0.0
        issues.close_issues(source, IssueKind.SILENT)
    zone = get_zone(source.agency.timezone if source.agency else "UTC")
    baseline = TrafficBaseline(list(watch.busy), list(watch.weeks)) if watch.busy else TrafficBaseline()
    elapsed = now - watch.checked_at
    quiet = not heard and not source.waiting  # what waits was heard, though nobody has looked at it yet
    if quiet and elapsed <= HOLE:
        watch.surprise += baseline.surprise(slot_of(now.astimezone(zone))) * elapsed.total_seconds() / 60
    silent = watch.surprise >= limit(watch.most_natural)
    _count_minute(watch, baseline, now, zone, busy=heard, watched=elapsed <= HOLE, silent=silent)
    since = now - source.last_receipt_at
    if quiet and silent and since >= SHORTEST_SILENCE:
        issues.open_issue(source, IssueKind.SILENT, detail=f"Nothing has come for {duration(since)}.")


def _count_minute(
    watch: SourceMonitor,
    baseline: TrafficBaseline,
    now: datetime,
    zone: ZoneInfo,
    *,
    busy: bool,
    watched: bool,
    silent: bool,
) -> None:
    """Count this minute, and take in an hour that is over. One with a hole, or in a silence, teaches nothing."""
    hour = _hour(now)
    if not watched:
        watch.busy_minutes = None
    if watch.hour != hour:
        if watch.hour is not None and watch.busy_minutes is not None and not silent:
            baseline.learn(slot_of(watch.hour.astimezone(zone)), watch.busy_minutes)
            watch.busy, watch.weeks = [round(minutes, 3) for minutes in baseline.busy], baseline.weeks
        watch.hour, watch.busy_minutes = hour, 0 if watched else None
        watch.most_natural *= FADES
    if watch.busy_minutes is not None:
        watch.busy_minutes += busy


def _count_refused(source: Source, watch: SourceMonitor, refused: Refused | None, now: datetime) -> None:
    """A run of refused requests begins an issue: soon if nothing is accepted meanwhile, later if something is."""
    if refused is None:
        return
    new = max(refused.total - watch.refused_total, 0)
    watch.refused_total = refused.total
    if new:
        watch.refused += new
        watch.refused_at = refused.last
    calm = watch.refused_at is None or now - watch.refused_at >= CALM
    accepted = source.last_receipt_at is not None and source.last_receipt_at > (watch.refused_at or now)
    if watch.refused_at is None or now - watch.refused_at >= RUN_ENDS or (calm and accepted):
        watch.refused = 0
        issues.close_issues(source, IssueKind.REJECTING)
        return
    quiet = source.last_receipt_at is None or now - source.last_receipt_at >= CALM
    if watch.refused >= (REFUSED if quiet else REFUSED_AMONG_GOOD):
        issues.open_issue(source, IssueKind.REJECTING, detail=_why_refused(source, watch.refused))


def _why_refused(source: Source, count: int) -> str:
    """The newest words on it, those of the signature doctor before others."""
    rows = source.rejected_requests.order_by(F("diagnosed_at").desc(nulls_last=True), "-last_seen")
    diagnosis = rows.values_list("diagnosis", flat=True).first() or ""
    return f"{count} requests were refused. {diagnosis}".strip()


def _check_validation(source: Source, now: datetime) -> None:
    missed = missed_checks(source, now)
    if missed >= MAX_MISSED_CHECKS:
        detail = f"{MAX_MISSED_CHECKS} of {MAX_MISSED_CHECKS} checks were missed."
        issues.open_issue(source, IssueKind.BLOCKED, detail=detail, level=missed)
    elif missed:
        detail = f"{missed} of {MAX_MISSED_CHECKS} checks {'was' if missed == 1 else 'were'} missed."
        issues.open_issue(source, IssueKind.AT_RISK, detail=detail, level=missed)
    else:
        issues.close_issues(source, IssueKind.AT_RISK, IssueKind.BLOCKED)


def _check_answers(source: Source, answers: Answers | None) -> None:
    """The 99th percentile is over a second where more than one in a hundred is; half of that is well again."""
    if answers is not None and answers.slow * 100 > answers.count:
        detail = f"{answers.slow} of {answers.count} answers of the last hour took more than a second."
        issues.open_issue(source, IssueKind.SLOW, detail=detail)
    elif answers is None or answers.slow * 200 <= answers.count:
        issues.close_issues(source, IssueKind.SLOW)


def _refused() -> dict[str, Refused]:
    rows = RejectedRequest.objects.order_by().values("source").annotate(total=Sum("count"), last=Max("last_seen"))
    return {row["source"]: Refused(row["total"], row["last"]) for row in rows}


def answers_lately(now: datetime) -> dict[str, Answers]:
    """By source: how many answers were given within the last hour, and how many of them took over a second."""
    recent = LatencyTally.objects.filter(began_at__gt=now - SLOW_WITHIN).order_by()
    rows = recent.values("source").annotate(count=Sum("requests"), slow_ones=Sum("slow"))
    return {row["source"]: Answers(row["count"], row["slow_ones"]) for row in rows}


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
