"""Create, change and delete pools, and change members' turns by a credit. Every change is in the audit log."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.models import Agency, Calendar, Member
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from leads.enums import PoolKind
from leads.models import Credit, Pool, PoolMember, RoutingRule
from leads.routing.removal import leave_pool
from leads.routing.rules import disable_rules_without_target
from leads.routing.turns import LEAD
from leads.routing.waiting_list import look_again

MAX_POOLS = 100
MAX_MEMBERS = 200
MAX_WEIGHT = 100
MAX_MINUTES = 60 * 24 * 7
MAX_CAP = 100_000
MAX_CREDIT = 100  # leads
MAX_NAME_LENGTH = 120
FLAGS = ("is_catch_all", "respects_hours", "hold")
PLACE_FIELDS = ("weight", "daily_cap", "open_cap", "paused_until")
REMOVED = "Left the pool"
T = TypeVar("T", Calendar, Pool)


@transaction.atomic
def create_pool(agency: Agency, *, by: Actor | None = None, **values: Any) -> Pool:
    """Create a pool with its members. Raises FieldError."""
    Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    if agency.pools.count() >= MAX_POOLS:
        raise FieldError("", _("An agency has at most %(count)d pools.") % {"count": MAX_POOLS})
    pool = Pool(agency=agency)
    _change(pool, {"name": "", **values})
    pool.save()
    _set_members(pool, values.get("members") or [])
    audit.log_creation(by, pool, "Created")
    look_again(agency)
    return pool


@transaction.atomic
def update_pool(pool: Pool, *, by: Actor | None = None, **changes: Any) -> Pool:
    """Change a pool. `members` replaces its members; who stays keeps their turns. Raises FieldError."""
    Agency.objects.select_for_update(no_key=True).get(pk=pool.agency_id)
    pool = Pool.objects.select_for_update(of=("self",)).select_related("agency").get(pk=pool.pk)
    _change(pool, changes)
    pool.save()
    if changes.get("members") is not None:
        _set_members(pool, changes["members"])
    audit.log_change(by, pool, "Changed", ", ".join(sorted(changes)))
    look_again(pool.agency)
    return pool


@transaction.atomic
def delete_pool(pool: Pool, *, by: Actor | None = None) -> None:
    """Delete a pool. Leads that it holds are routed anew; its assignments stay."""
    pool = Pool.objects.select_for_update(of=("self",)).select_related("agency").get(pk=pool.pk)
    audit.log_deletion(by, pool, "Deleted")
    pool.waiting.update(pool=None, rule="", reason="")
    RoutingRule.objects.filter(pool=pool).update(pool=None)
    disable_rules_without_target(pool.agency)
    pool.delete()
    look_again(pool.agency)


@transaction.atomic
def give_credit(pool: Pool, *, member: Member, leads: float, reason: str, by: Actor | None = None) -> Credit:
    """Give a member of a pool more turns, or fewer with a negative number of leads. Raises FieldError."""
    reason = " ".join(plain(reason).split())
    if not reason or len(reason) > 200:
        raise FieldError("reason", _("Say in at most 200 characters why."))
    amount = round(leads * LEAD)
    if not amount or abs(leads) > MAX_CREDIT:
        raise FieldError("leads", _("Enter a number from -%(most)d to %(most)d, not 0.") % {"most": MAX_CREDIT})
    Pool.objects.select_for_update().get(pk=pool.pk)
    places = PoolMember.objects.filter(pool=pool, member=member)
    if not places.update(behind=F("behind") + amount, credited=F("credited") + amount):
        raise FieldError("member", _("This person is not in the pool."))
    person = by if isinstance(by, User) else None
    credit = Credit.objects.create(pool=pool, member=member, amount=amount, reason=reason, by=person)
    audit.log_change(by, pool, gettext_noop("Credit given"), f"{leads:+g} to {member.pk}: {reason}")
    return credit


def _change(pool: Pool, changes: Mapping[str, Any]) -> None:
    agency = pool.agency
    if "name" in changes:
        pool.name = " ".join(plain(str(changes["name"])).split())
        if not pool.name or len(pool.name) > MAX_NAME_LENGTH:
            raise FieldError("name", _("Enter a name of at most %(count)d characters.") % {"count": MAX_NAME_LENGTH})
        if agency.pools.filter(name=pool.name).exclude(pk=pool.pk).exists():
            raise FieldError("name", _("Another pool has this name."))
    if "kind" in changes:
        if changes["kind"] not in set(PoolKind):
            raise FieldError("kind", f"Choose {' or '.join(PoolKind)}.")
        pool.kind = changes["kind"]
    for flag in FLAGS:
        if flag in changes:
            setattr(pool, flag, bool(changes[flag]))
    if pool.is_catch_all:
        agency.pools.filter(is_catch_all=True).exclude(pk=pool.pk).update(is_catch_all=False)
    if "calendar" in changes:
        pool.calendar = _own(agency, changes["calendar"], "calendar")
    _change_overflow(pool, changes)


def _change_overflow(pool: Pool, changes: Mapping[str, Any]) -> None:
    if "overflow_pool" in changes:
        pool.overflow_pool = _own(pool.agency, changes["overflow_pool"], "overflow_pool")
        if pool.overflow_pool is not None and pool.overflow_pool.pk == pool.pk:
            raise FieldError("overflow_pool", _("A pool cannot overflow into itself."))
    if "overflow_minutes" in changes:
        minutes = changes["overflow_minutes"] or 0
        if not 0 <= minutes <= MAX_MINUTES:
            raise FieldError("overflow_minutes", _("Enter at most %(count)d minutes.") % {"count": MAX_MINUTES})
        pool.overflow_minutes = minutes


def _own(agency: Agency, value: T | None, field: str) -> T | None:
    """Return an object of the agency. Raises FieldError for another agency's."""
    if value is not None and value.agency_id != agency.pk:
        raise FieldError(field, "There is no such object.")
    return value


def _set_members(pool: Pool, given: Sequence[Mapping[str, Any]]) -> None:
    """Replace the members of a pool. Raises FieldError."""
    members = [values["member"] for values in given]
    if len(members) > MAX_MEMBERS:
        raise FieldError("members", _("A pool has at most %(count)d members.") % {"count": MAX_MEMBERS})
    if len({member.pk for member in members}) < len(members):
        raise FieldError("members", _("Name each member once."))
    if any(member.agency_id != pool.agency_id for member in members):
        raise FieldError("members", "There is no such member.")
    present = {place.member_id: place for place in pool.members.all()}
    for values in given:
        place = present.pop(values["member"].pk, None) or PoolMember(pool=pool, member=values["member"])
        for name in PLACE_FIELDS:
            if name in values:
                setattr(place, name, values[name])
        _check_place(place)
        if place.pk is None:
            place.save()
        else:
            place.save(update_fields=PLACE_FIELDS)
    for place in present.values():
        leave_pool(place, REMOVED)


def _check_place(place: PoolMember) -> None:
    if not 1 <= place.weight <= MAX_WEIGHT:
        raise FieldError("members", _("A weight is a number from 1 to %(most)d.") % {"most": MAX_WEIGHT})
    for cap in (place.daily_cap, place.open_cap):
        if cap is not None and not 0 <= cap <= MAX_CAP:
            raise FieldError("members", _("A cap is a number from 0 to %(most)d.") % {"most": MAX_CAP})
