"""Deal leads to the members of locked pools: one lock a pool, as many turns as there are leads."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.models import Agency, Member
from leads.enums import PassedOver, PoolKind
from leads.models import Pool, PoolMember
from leads.routing.eligibility import Availability
from leads.routing.turns import Player, Streak, Turn, apply, next_by_open_leads, next_by_turns

FIGURES = ("behind", "received", "last_at")


@dataclass(frozen=True, slots=True)
class Dealt:
    """Who gets a lead of a pool, or nobody and when to look again; and whom the pool passed over."""

    pool: Pool
    member: Member | None
    passed_over: list[dict[str, Any]]
    shares: dict[str, int] = field(default_factory=dict)
    next_chance: datetime | None = None


class LockedPools:
    """Pools of one agency, locked until the transaction ends, in the order in which everybody locks them."""

    def __init__(self, agency: Agency, pools: Iterable[str], now: datetime) -> None:
        """Lock the pools with these ids, and those that they overflow into, and read their members."""
        self.now = now
        self.pools = {pool.pk: pool for pool in _lock(agency, _with_overflow(agency, pools))}
        places = list(
            PoolMember.objects.filter(pool__in=self.pools, member__agency=agency)
            .select_related("member__user", "member__calendar")
            .prefetch_related("member__calendar__exceptions")
            .order_by("pk")
        )
        self.places: dict[str, list[PoolMember]] = {pk: [] for pk in self.pools}
        for place in places:
            place.member.agency = agency
            self.places[place.pool_id].append(place)
        self.availability = Availability.of(agency, places, now)
        self._changed: dict[int, PoolMember] = {}

    def deal(self, pool_id: str, *, gave_back: Collection[str] = ()) -> Dealt:
        """Deal one lead of a pool. `gave_back` are members who gave this lead back."""
        pool, places = self.pools[pool_id], self.places[pool_id]
        found = {place.member_id: self.availability.obstacle(pool, place, gave_back) for place in places}
        eligible = [place for place in places if found[place.member_id] is None]
        obstacles = {key: obstacle for key, obstacle in found.items() if obstacle is not None}
        if not eligible:
            passed_over = [{"member": key, "why": why.value} for key, why in obstacles.items()]
            return Dealt(pool, None, passed_over, next_chance=self.availability.next_chance(pool, obstacles, places))
        players = [self._player(place) for place in eligible]
        streak = Streak(pool.streak_key, pool.streak_length)
        turn = next_by_open_leads(players) if pool.kind == PoolKind.LEAST_OPEN else next_by_turns(players, streak)
        passed_over = _passed_over(pool, places, players, obstacles, turn)
        apply(turn, players, streak, self.now)
        pool.streak_key, pool.streak_length = streak.key, streak.length
        self._take_figures(eligible, players, turn)
        winner = next(place for place in eligible if place.member_id == turn.winner.key)
        return Dealt(pool, winner.member, passed_over, dict(turn.shares))

    def save(self) -> None:
        """Write the pools' figures."""
        PoolMember.objects.bulk_update(self._changed.values(), FIGURES)
        Pool.objects.bulk_update(self.pools.values(), ["streak_key", "streak_length"])

    def _player(self, place: PoolMember) -> Player:
        open_leads = self.availability.open_leads.get(place.member_id, 0)
        return Player(place.member_id, place.weight, place.behind, open_leads, place.last_at)

    def _take_figures(self, places: list[PoolMember], players: list[Player], turn: Turn) -> None:
        for place, player in zip(places, players, strict=True):
            place.behind, place.last_at = player.behind, player.last_at
            self._changed[place.pk] = place
            if player is turn.winner:
                place.received += 1
                self.availability.count(place)


def _lock(agency: Agency, pools: Iterable[str]) -> list[Pool]:
    rows = Pool.objects.select_for_update(of=("self",)).filter(agency=agency, pk__in=list(pools))
    return list(rows.select_related("calendar").prefetch_related("calendar__exceptions").order_by("pk"))


def _with_overflow(agency: Agency, pools: Iterable[str]) -> set[str]:
    """Return these pools, and those that they overflow into, directly or over others."""
    below = dict(Pool.objects.filter(agency=agency).values_list("pk", "overflow_pool"))
    found: set[str] = set()
    waiting = [pk for pk in pools if pk in below]
    while waiting:
        pk = waiting.pop()
        if pk not in found:
            found.add(pk)
            waiting += filter(None, [below[pk]])
    return found


def _passed_over(
    pool: Pool, places: list[PoolMember], players: list[Player], obstacles: dict[str, PassedOver], turn: Turn
) -> list[dict[str, Any]]:
    """Return everybody but the winner, each with why; who could have had the lead also with the figure that decided."""
    figures = {player.key: player for player in players}
    rows: list[dict[str, Any]] = []
    for place in places:
        key = place.member_id
        if key in obstacles:
            rows.append({"member": key, "why": obstacles[key].value})
        elif key != turn.winner.key:
            why = PassedOver.IN_A_ROW if key == turn.limited else PassedOver.TURN
            by_turns = pool.kind == PoolKind.ROUND_ROBIN
            figure = {"behind": figures[key].behind + turn.shares.get(key, 0)} if by_turns else {}
            rows.append({"member": key, "why": why.value, **figure, "open": figures[key].open_leads})
    return rows
