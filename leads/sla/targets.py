"""Find in how much working time a lead is to be answered.

The routing rule that assigned it says so, else the first target rule that matches, else its agency.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from leads.conditions.fields import LeadValues
from leads.enums import ClockKind
from leads.models import Assignment, Lead, TargetRule
from leads.rules.active import CompiledRule, active_rules
from leads.sla.figures import WARN_SHARE
from leads.sla.target_kind import KIND


@dataclass(frozen=True, slots=True)
class Target:
    """Working seconds until a lead is to be answered and until the clock warns, and whom an overdue one goes to."""

    seconds: int
    warn_seconds: int
    escalate_to_id: str | None = None


class Targets:
    """The target rules of agencies, each set looked up once; and by lead the minutes to the first response that routing
    rules set (`by_routing`)."""

    def __init__(self, by_routing: Mapping[str, int] | None = None) -> None:
        self.by_routing = by_routing or {}
        self._rules: dict[str, Sequence[CompiledRule]] = {}

    def of(self, lead: Lead, kind: ClockKind) -> Target:
        """Return the target that counts for a lead now. What a routing rule sets is for the first response only."""
        if lead.agency_id not in self._rules:
            self._rules[lead.agency_id] = active_rules(KIND, lead.agency).rules
        target = _target_of(lead, self._rules[lead.agency_id])
        minutes = self.by_routing.get(lead.pk) if kind == ClockKind.FIRST_RESPONSE else None
        if minutes is None:
            return target
        return replace(target, seconds=minutes * 60, warn_seconds=round(minutes * 60 * WARN_SHARE))


def targets_by_routing(lead_ids: Collection[str]) -> dict[str, int]:
    """Return the minutes to the first response that routing rules set for these leads with their present owners."""
    rows = Assignment.objects.current().filter(lead__in=lead_ids, target_minutes__isnull=False)
    return {lead: minutes for lead, minutes in rows.order_by("pk").values_list("lead", "target_minutes") if minutes}


def _target_of(lead: Lead, rules: Sequence[CompiledRule]) -> Target:
    values = LeadValues(lead)
    for compiled in rules:
        rule = compiled.rule
        if isinstance(rule, TargetRule) and compiled.condition.evaluate(values) is True:
            seconds = rule.minutes * 60
            warn_seconds = round(seconds * WARN_SHARE) if rule.warn_minutes is None else rule.warn_minutes * 60
            return Target(seconds, warn_seconds, rule.escalate_to_id)
    seconds = lead.agency.response_minutes * 60
    return Target(seconds, round(seconds * WARN_SHARE))
