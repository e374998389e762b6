"""Mail members once a day, as their working day begins, how many leads and tasks wait for them, if they like."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.jobs import Backoff, complete, work_off
from accounts.events.outbox import record_event
from accounts.models import Member
from accounts.tenancy.calendars.hours import NoWorkingTime
from accounts.tenancy.calendars.parsing import hours_of
from accounts.tenancy.localtime import get_zone
from accounts.tenancy.member_alerts import alerts_of, calendar_of
from accounts.tenancy.members import on_member_change
from accounts.tenancy.verified_email import verified_email
from leads.models import Lead, MemberDigest, Task

LEASE = timedelta(minutes=2)
BACKOFF = Backoff([timedelta(minutes=minutes) for minutes in (1, 10, 60)])
#: When the day of somebody without working hours begins.
MORNING = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a member. Names are in no digest: it is about many leads, and outlives each of them."""

    open_leads: int
    leads_to_answer: int
    leads_overdue: int
    tasks_due: int
    tasks_overdue: int

    @property
    def is_empty(self) -> bool:
        return not (self.open_leads or self.tasks_due)


@on_member_change
def plan_digest(member: Member) -> None:
    """Plan a member's next digest by their present hours, unless it is due, or none if they do not want any."""
    if not alerts_of(member)["digest"]:
        MemberDigest.objects.filter(member=member).delete()
        return
    now = timezone.now()
    at = next_digest_at(member, now)
    if not MemberDigest.objects.get_or_create(member=member, defaults={"next_attempt_at": at})[1]:
        planned = MemberDigest.objects.filter(member=member).exclude(next_attempt_at__lte=now)
        planned.update(next_attempt_at=at, attempts=0, error="")


def send_due(limit: int = 50) -> int:
    """Send at most `limit` digests that are due. Return how many were looked at."""
    rows = MemberDigest.objects.select_related("member__user", "member__agency", "member__calendar")
    return work_off(rows, _send, limit=limit, lease=LEASE, backoff=BACKOFF)


def _send(row: MemberDigest) -> None:
    """Record the mail, unless nothing waits. The end of the lease is the condition: who has lost it, mails nobody."""
    member, now = row.member, timezone.now()
    if not complete(row, again_at=next_digest_at(member, now)):
        return
    address, waiting = verified_email(member.user), waiting_for(member, now)
    if member.user.is_active and address and not waiting.is_empty:
        record_event(member.agency, EventType.MEMBER_DIGEST, recipient=address, occurred_at=now, **asdict(waiting))


def waiting_for(member: Member, now: datetime) -> Waiting:
    """Count a member's open leads, those that somebody waits for an answer to, and the tasks of today and before."""
    leads = Lead.objects.open_leads().without_tests().filter(agency=member.agency_id, assigned_to=member.user_id)
    tasks = Task.objects.filter(
        agency=member.agency_id, assigned_to=member.user_id, done_at__isnull=True, lead__is_test=False
    )
    return Waiting(
        open_leads=leads.count(),
        leads_to_answer=leads.filter(response_due_at__isnull=False).count(),
        leads_overdue=leads.filter(response_due_at__lte=now).count(),
        tasks_due=tasks.filter(due_at__lt=_midnight(member, now, days=1)).count(),
        tasks_overdue=tasks.filter(due_at__lte=now).count(),
    )


def next_digest_at(member: Member, now: datetime) -> datetime:
    """Return when a member's next working day begins: their first working time of a day, or eight in the morning."""
    calendar = calendar_of(member)
    hours = hours_of(calendar) if calendar is not None and not calendar.always_open else None
    for days in (0, 1):
        midnight = _midnight(member, now, days=days)
        try:
            at = hours.next_opening(midnight) if hours else midnight + MORNING
        except NoWorkingTime:
            at = midnight + MORNING
        if at > now:
            return at
    return _midnight(member, now, days=2) + MORNING  # an overnight block that has begun at both midnights


def _midnight(member: Member, now: datetime, *, days: int) -> datetime:
    """Return when the member's day began, or begins so many days later."""
    calendar = calendar_of(member)
    zone = ZoneInfo(calendar.timezone) if calendar else get_zone(member.agency.timezone)
    local = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return (local + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC)
