"""Find in how much working time a lead is to be answered: by the first rule that matches, else by its agency."""

from collections.abc import Sequence
from dataclasses import dataclass

from leads.conditions.fields import LeadValues
from leads.models import Lead, TargetRule
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
    """The target rules of agencies, each set looked up once."""

    def __init__(self) -> None:
        self._rules: dict[str, Sequence[CompiledRule]] = {}

    def of(self, lead: Lead) -> Target:
        """Return the target that counts for a lead now."""
        if lead.agency_id not in self._rules:
            self._rules[lead.agency_id] = active_rules(KIND, lead.agency).rules
        return _target_of(lead, self._rules[lead.agency_id])


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
