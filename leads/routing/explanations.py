"""Say in a sentence why somebody has a lead, and why the others do not."""

from collections.abc import Mapping
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import Member
from leads.enums import AssignmentReason, PassedOver
from leads.models import Assignment
from leads.routing.turns import LEAD


def why_nobody_else(row: Assignment) -> list[tuple[str, str]]:
    """Return the names of the members whom the pool passed over, each with the reason."""
    members = Member.objects.filter(pk__in=[passed["member"] for passed in row.passed_over]).select_related("user")
    names = {member.pk: str(member.user.get_full_name() or member.user.get_username()) for member in members}
    return [(names.get(passed["member"], _("a former member")), why_passed_over(passed)) for passed in row.passed_over]


def why_passed_over(passed: Mapping[str, Any]) -> str:
    """Return why one member of the pool did not get the lead."""
    match PassedOver(passed["why"]):
        case PassedOver.INACTIVE:
            return _("cannot sign in")
        case PassedOver.READ_ONLY:
            return _("may only read")
        case PassedOver.PAUSED:
            return _("was paused")
        case PassedOver.OFF_HOURS:
            return _("was outside working hours")
        case PassedOver.DAILY_CAP:
            return _("had the most leads of a day")
        case PassedOver.OPEN_CAP:
            return _("had the most open leads")
        case PassedOver.GAVE_BACK:
            return _("had given the lead back")
        case PassedOver.IN_A_ROW:
            return _("had got the two leads before")
        case _:
            return _turn(passed)


def _turn(passed: Mapping[str, Any]) -> str:
    if "behind" not in passed:
        return _("had more open leads (%(count)s)") % {"count": passed.get("open", 0)}
    return _("was not next: %(state)s") % {"state": behind_text(int(passed["behind"]))}


def behind_text(millionths: int) -> str:
    """Return how far somebody is behind their share or ahead of it: “0.4 leads behind”."""
    leads = round(abs(millionths) / LEAD, 1)
    if not leads:
        return _("on par")
    amount = formats.number_format(leads, 1)
    text = _("%(amount)s leads behind") if millionths > 0 else _("%(amount)s leads ahead")
    return text % {"amount": amount}


def why_assigned(row: Assignment, *, by: str = "") -> str:
    """Return why somebody has, or had, a lead. `by` is the name of the person who assigned it."""
    rule = _("rule “%(rule)s”") % {"rule": row.rule_name} if row.rule_name else ""
    pool = _("pool “%(pool)s”") % {"pool": row.pool} if row.pool_id else ""
    place = ", ".join(filter(None, (rule, pool)))
    match AssignmentReason(row.reason):
        case AssignmentReason.PERSON:
            return _("assigned by %(name)s") % {"name": by or _("a former member")}
        case AssignmentReason.API:
            return _("assigned via API")
        case AssignmentReason.SAME_COMPANY:
            return _("has another lead of the same company")
        case AssignmentReason.RULE:
            return place or _("a routing rule")
        case AssignmentReason.CATCH_ALL:
            return _("no rule applied: %(place)s") % {"place": place}
        case AssignmentReason.OVERFLOW:
            return _("nobody of the first pool could take it: %(place)s") % {"place": place}
        case AssignmentReason.POOL:
            return _("given to the %(place)s by %(name)s") % {"place": place, "name": by or _("the API")}
        case AssignmentReason.OWNER_REMOVED:
            return ": ".join(filter(None, (_("the owner before left the team"), place)))
        case _:
            return ": ".join(filter(None, (_("not answered in time"), place)))
