"""Decide which members of a pool may get a lead now, and when those who may not will be able to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Count

from accounts.core.enums import Role
from accounts.models import Agency, Calendar, Member
from accounts.tenancy.calendars.hours import Hours, NoWorkingTime
from accounts.tenancy.calendars.parsing import hours_of
from accounts.tenancy.localtime import get_zone
from leads.enums import PassedOver
from leads.models import Assignment, Lead, Pool, PoolMember

#: How soon to look again where only a lead that somebody closes makes room.
CAP_WAIT = timedelta(minutes=15)
#: How soon to look again where only a person can change something.
LONG_WAIT = timedelta(hours=1)


@dataclass(slots=True)
class Availability:
    """What the members of some pools of one agency may take now. Each figure is read once, and counted on by turns."""

    agency: Agency
    now: datetime
    open_leads: dict[str, int] = field(default_factory=dict)  # by member
    today: dict[tuple[str, str], int] = field(default_factory=dict)  # leads of today, by pool and member
    _hours: dict[str, Hours] = field(default_factory=dict)  # by calendar
    _default: Calendar | None = None

    @classmethod
    def of(cls, agency: Agency, places: Collection[PoolMember], now: datetime) -> "Availability":
        """Read the figures of these members (with member, user and calendars)."""
        default = agency.calendars.filter(is_default=True).prefetch_related("exceptions").first()
        found = cls(agency, now, open_leads_of(agency, [place.member for place in places]), _default=default)
        rows = Assignment.objects.filter(
            pool__in={place.pool_id for place in places}, at__gte=found.midnight(), is_returned=False
        )
        counts = rows.values_list("pool", "member").annotate(Count("pk")).order_by()
        found.today = {(pool, member): count for pool, member, count in counts}
        return found

    def count(self, place: PoolMember) -> None:
        """Count a lead that the pool just dealt."""
        key = (place.pool_id, place.member_id)
        self.today[key] = self.today.get(key, 0) + 1
        self.open_leads[place.member_id] = self.open_leads.get(place.member_id, 0) + 1

    def obstacle(self, pool: Pool, place: PoolMember, gave_back: Collection[str] = ()) -> PassedOver | None:
        """Return why a member cannot get a lead of the pool now, or None if they can."""
        member = place.member
        if not member.user.is_active:
            return PassedOver.INACTIVE
        if member.role == Role.READ_ONLY:
            return PassedOver.READ_ONLY
        if self._paused_until(place) > self.now:
            return PassedOver.PAUSED
        if member.pk in gave_back:
            return PassedOver.GAVE_BACK
        if pool.respects_hours and not self._is_open(pool, member):
            return PassedOver.OFF_HOURS
        if place.daily_cap is not None and self.today.get((pool.pk, member.pk), 0) >= place.daily_cap:
            return PassedOver.DAILY_CAP
        if place.open_cap is not None and self.open_leads.get(member.pk, 0) >= place.open_cap:
            return PassedOver.OPEN_CAP
        return None

    def next_chance(self, pool: Pool, obstacles: Mapping[str, PassedOver], places: Sequence[PoolMember]) -> datetime:
        """Return when the first of the members may be able to take a lead."""
        times = [self._end_of(obstacles[place.member_id], pool, place) for place in places]
        return max(min(times, default=self.now + LONG_WAIT), self.now + timedelta(seconds=1))

    def midnight(self, *, days: int = 0) -> datetime:
        """Return when the agency's day began, or begins so many days later."""
        local = self.now.astimezone(get_zone(self.agency.timezone))
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(days=days)
        return day.replace(tzinfo=local.tzinfo).astimezone(UTC)

    def _end_of(self, obstacle: PassedOver, pool: Pool, place: PoolMember) -> datetime:
        match obstacle:
            case PassedOver.PAUSED:
                return self._paused_until(place)
            case PassedOver.OFF_HOURS:
                return self._next_opening(pool, place.member)
            case PassedOver.DAILY_CAP:
                return self.midnight(days=1)
            case PassedOver.OPEN_CAP:
                return self.now + CAP_WAIT
            case _:
                return self.now + LONG_WAIT

    def _paused_until(self, place: PoolMember) -> datetime:
        return max(filter(None, (place.paused_until, place.member.paused_until)), default=self.now)

    def _hours_of(self, pool: Pool, member: Member) -> Hours | None:
        calendar = member.calendar or pool.calendar or self._default
        if calendar is None:
            return None
        if calendar.pk not in self._hours:
            self._hours[calendar.pk] = hours_of(calendar)
        return self._hours[calendar.pk]

    def _is_open(self, pool: Pool, member: Member) -> bool:
        hours = self._hours_of(pool, member)
        return hours is None or hours.is_open(self.now)

    def _next_opening(self, pool: Pool, member: Member) -> datetime:
        hours = self._hours_of(pool, member)
        try:
            return hours.next_opening(self.now) if hours else self.now
        except NoWorkingTime:
            return self.now + LONG_WAIT


def open_leads_of(agency: Agency, members: Collection[Member]) -> dict[str, int]:
    """Return how many open leads each of these members has, by the member's id."""
    users = {member.user_id: member.pk for member in members}
    rows = Lead.objects.open_leads().filter(agency=agency, assigned_to__in=list(users))
    counts = rows.values_list("assigned_to").annotate(Count("pk")).order_by()
    return {users[user]: count for user, count in counts}
