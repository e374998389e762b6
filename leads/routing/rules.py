"""Define routing rules as a kind of rules: where they lead, and what a preview of them counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.models import Agency
from leads.enums import PoolKind
from leads.models import Lead, Pool, PoolMember, RoutingRule, RoutingSettings
from leads.models.rules import Rule
from leads.routing.turns import Player, Streak, apply, next_by_open_leads, next_by_turns
from leads.routing.waiting_list import look_again
from leads.rules.active import disable_rule
from leads.rules.kinds import RuleKind
from leads.rules.service import rules_of

MAX_TAGS = 20
MAX_TAG_LENGTH = 100
MAX_CHANNELS = 20
MAX_TARGET = 60 * 24 * 30  # minutes
LEADS_NOWHERE = "The member or pool that it led to is gone."


def check(agency: Agency, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a routing rule. Raises FieldError."""
    member_id, pool_id, keeps = values.get("member_id"), values.get("pool_id"), bool(values.get("keeps"))
    if sum((bool(member_id), bool(pool_id), keeps)) != 1:
        raise FieldError("effect", "Give one of “member”, “pool” and “keep”.")
    if member_id and not agency.members.filter(pk=member_id).exists():
        raise FieldError("effect", "There is no such member.")
    if pool_id and not agency.pools.filter(pk=pool_id).exists():
        raise FieldError("effect", "There is no such pool.")
    minutes = values.get("target_minutes")
    if minutes is not None and (type(minutes) is not int or not 1 <= minutes <= MAX_TARGET):
        raise FieldError("effect", f"The target is a number of minutes from 1 to {MAX_TARGET}.")
    return {
        "member_id": member_id or None,
        "pool_id": pool_id or None,
        "keeps": keeps,
        "tags": _tags(values.get("tags") or []),
        "target_minutes": minutes,
        "channels": _channels(agency, values.get("channels") or []),
    }


def disable_rules_without_target(agency: Agency) -> None:
    """Switch off the rules whose member or pool is gone, and alert the agency."""
    for rule in rules_of(KIND, agency):
        assert isinstance(rule, RoutingRule)  # noqa: S101 (the kind's model)
        if rule.active and not (rule.member_id or rule.pool_id or rule.keeps):
            disable_rule(KIND, rule, LEADS_NOWHERE)


def _tags(given: Any) -> list[str]:
    tags = [" ".join(plain(str(tag)).split()) for tag in given] if isinstance(given, list) else []
    if len(tags) > MAX_TAGS or not all(0 < len(tag) <= MAX_TAG_LENGTH for tag in tags) or len(tags) != len(given):
        raise FieldError("effect", f"Give at most {MAX_TAGS} tags of 1 to {MAX_TAG_LENGTH} characters.")
    return list(dict.fromkeys(tags))


def _channels(agency: Agency, given: Any) -> list[str]:
    ids = [str(one) for one in given] if isinstance(given, list) else ["?"]
    known = set(agency.channels.filter(pk__in=ids[: MAX_CHANNELS + 1]).values_list("pk", flat=True))
    if len(ids) > MAX_CHANNELS or set(ids) - known:
        raise FieldError("effect", "There is no such channel.")
    return list(dict.fromkeys(ids))


class RoutingTally:
    """Count who would have got the leads, and for how many leads that is somebody else than has them now.

    Pools deal as if everybody could always take leads, each from even.
    """

    def __init__(self, agency: Agency, rules: Sequence[Rule]) -> None:
        self._rules = [rule for rule in rules if isinstance(rule, RoutingRule)]
        self._pools = {pool.pk: _PreviewPool(pool) for pool in agency.pools.prefetch_related("members")}
        self._catch_all = next((pk for pk, pool in self._pools.items() if pool.is_catch_all), "")
        settings = RoutingSettings.objects.filter(agency=agency).first() or RoutingSettings(agency=agency)
        self._company_days = timedelta(days=settings.company_days if settings.same_company else -1)
        members = agency.members.select_related("user")
        self._names = {one.pk: one.user.get_full_name() or one.user.get_username() for one in members}
        self._members_of_users = {one.user_id: one.pk for one in members}
        self._owners: dict[str, tuple[str, datetime]] = {}
        self._then, self._now, self._moves = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
        self._by_pool, self._unrouted, self._kept, self._same_company = Counter[str](), 0, 0, 0

    def add(self, lead: Lead, verdicts: Sequence[bool | None]) -> None:
        """Count one lead. Leads come in the order of their receipt."""
        owner = self._members_of_users.get(lead.assigned_to_id or 0, "")
        would = self._decide(lead, verdicts)
        self._now[owner] += 1
        self._then[would] += 1
        if owner != would:
            self._moves[owner, would] += 1
        if would:
            for key in _company_keys(lead):
                self._owners[key] = would, lead.received_at

    def result(self) -> dict[str, Any]:
        """Return leads per member, now and then, per pool, and from whom to whom leads would move."""
        people = sorted(set(self._now) | set(self._then), key=lambda one: (-self._then[one], one))
        pools = [(pool.name, self._by_pool[pk]) for pk, pool in self._pools.items() if self._by_pool[pk]]
        return {
            "members": [{**self._who(one), "now": self._now[one], "then": self._then[one]} for one in people if one],
            "pools": [{"pool": name, "leads": count} for name, count in pools],
            "same_company": self._same_company,
            "kept": self._kept,
            "unrouted": self._unrouted,
            "changes": [
                {"from": self._names.get(old), "to": self._names.get(new), "leads": count}
                for (old, new), count in self._moves.most_common()
            ],
        }

    def _decide(self, lead: Lead, verdicts: Sequence[bool | None]) -> str:
        """Return the id of the member who would have got the lead, "" for nobody."""
        for key in _company_keys(lead):
            owner, at = self._owners.get(key, ("", lead.received_at))
            if owner and lead.received_at - at <= self._company_days:
                self._same_company += 1
                return owner
        rule = next((rule for rule, verdict in zip(self._rules, verdicts, strict=True) if verdict is True), None)
        if rule is not None and rule.keeps:
            self._kept += 1
            return ""
        if rule is not None and rule.member_id:
            return rule.member_id
        pool = self._pools.get(rule.pool_id if rule is not None and rule.pool_id else self._catch_all)
        winner = pool.deal(lead.received_at) if pool else ""
        if pool and winner:
            self._by_pool[pool.pk] += 1
        else:
            self._unrouted += 1
        return winner

    def _who(self, member: str) -> dict[str, str]:
        return {"member": member, "name": self._names.get(member, "")}


class _PreviewPool:
    """A pool that deals in memory."""

    def __init__(self, pool: Pool) -> None:
        self.pk, self.name, self.is_catch_all, self._kind = pool.pk, pool.name, pool.is_catch_all, pool.kind
        places: Sequence[PoolMember] = sorted(pool.members.all(), key=lambda place: place.pk)
        self._players = [Player(place.member_id, place.weight) for place in places]
        self._streak = Streak()

    def deal(self, at: datetime) -> str:
        """Return the member who gets the next lead, "" in an empty pool."""
        if not self._players:
            return ""
        by_open = self._kind == PoolKind.LEAST_OPEN
        turn = next_by_open_leads(self._players) if by_open else next_by_turns(self._players, self._streak)
        apply(turn, self._players, self._streak, at)
        return turn.winner.key


def _company_keys(lead: Lead) -> list[str]:
    business = [f"domain {lead.domain}"] if lead.domain and not lead.is_free_mail else []
    return [*([f"company {lead.company_key}"] if lead.company_key else []), *business]


KIND = RuleKind(
    "routing",
    RoutingRule,
    check=check,
    tally=RoutingTally,
    targets=("member_id", "pool_id"),
    on_change=look_again,
)
