"""Define response targets as a kind of rules: what they may say, and what a preview of them counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from accounts.core.errors import FieldError
from accounts.models import Agency
from leads.models import Lead, TargetRule
from leads.models.rules import Rule
from leads.rules.kinds import RuleKind

MAX_MINUTES = 10_080  # a week without a pause


def check(agency: Agency, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a target rule. Raises FieldError."""
    minutes, warn_minutes = values.get("minutes"), values.get("warn_minutes")
    if type(minutes) is not int or not 1 <= minutes <= MAX_MINUTES:
        raise FieldError("minutes", f"Enter a number from 1 to {MAX_MINUTES}.")
    if warn_minutes is not None and (type(warn_minutes) is not int or not 1 <= warn_minutes < minutes):
        raise FieldError("warn_minutes", "Enter a number that is less than the target, or nothing.")
    member = values.get("escalate_to") or values.get("escalate_to_id")
    member_id = getattr(member, "pk", member) or None
    if member_id is not None and not agency.members.filter(pk=member_id, user__is_active=True).exists():
        raise FieldError("escalate_to", "Choose an active member of the agency.")
    return {"minutes": minutes, "warn_minutes": warn_minutes, "escalate_to_id": member_id}


class TargetTally:
    """Count the leads for which each rule would have been the first to match, by target."""

    def __init__(self, agency: Agency, rules: Sequence[Rule]) -> None:
        self._rules, self._default = rules, agency.response_minutes
        self._minutes: Counter[int] = Counter()

    def add(self, lead: Lead, verdicts: Sequence[bool | None]) -> None:
        first = next((rule for rule, verdict in zip(self._rules, verdicts, strict=True) if verdict), None)
        self._minutes[first.minutes if isinstance(first, TargetRule) else self._default] += 1

    def result(self) -> dict[str, Any]:
        """Return how many leads would have had each target."""
        return {"targets": [{"minutes": minutes, "leads": n} for minutes, n in sorted(self._minutes.items())]}


KIND = RuleKind("target", TargetRule, check=check, tally=TargetTally, targets=("escalate_to_id",))
