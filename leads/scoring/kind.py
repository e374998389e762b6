"""Define scoring rules as a kind of rules: what they may say, and what a preview of them counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.models import Agency
from leads.conditions.compiler import compile_condition
from leads.enums import ScoreGroup
from leads.models import Lead, ScoringRule, ScoringSettings
from leads.models.rules import Rule
from leads.rules.active import CompiledRule
from leads.rules.kinds import RuleKind
from leads.scoring.runs import request_run
from leads.scoring.scores import MAX_TOTAL, caps_of, score_lead

BANDS = ((0, 19), (20, 39), (40, 59), (60, 79), (80, 100))


def check(agency: Agency, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a scoring rule. Raises FieldError."""
    if values.get("group") not in set(ScoreGroup):
        raise FieldError("group", f"Choose {' or '.join(ScoreGroup)}.")
    points, cap = values.get("points"), values.get("cap")
    if type(points) is not int or not -MAX_TOTAL <= points <= MAX_TOTAL or points == 0:
        raise FieldError("points", f"Enter a number from -{MAX_TOTAL} to {MAX_TOTAL}, not 0.")
    if cap is not None and (type(cap) is not int or not 1 <= cap <= MAX_TOTAL):
        raise FieldError("cap", f"Enter a number from 1 to {MAX_TOTAL}, or nothing.")
    return {"group": str(values["group"]), "points": points, "cap": cap}


class ScoreTally:
    """Count the scores that rules would have given: by grade, by band, and how many leads change their grade."""

    def __init__(self, agency: Agency, rules: Sequence[Rule]) -> None:
        self._rules = [CompiledRule(rule, compile_condition(rule.conditions)) for rule in rules]
        self._caps = caps_of(rules)
        settings = ScoringSettings.objects.filter(agency=agency).first() or ScoringSettings(agency=agency)
        self._half_life, self._now = timedelta(days=settings.half_life_days), timezone.now()
        self._threshold = settings.threshold
        self._grades, self._bands = Counter[str](), Counter[int]()
        self._high = self._changed = 0

    def add(self, lead: Lead, verdicts: Sequence[bool | None]) -> None:
        """Count one lead."""
        score = score_lead(lead, self._rules, verdicts, half_life=self._half_life, now=self._now, caps=self._caps)
        self._grades[score.grade] += 1
        self._bands[next(number for number, (_, end) in enumerate(BANDS) if score.total <= end)] += 1
        self._high += score.total >= self._threshold
        self._changed += bool(lead.grade) and lead.grade != score.grade

    def result(self) -> dict[str, Any]:
        """Return leads per grade and per band of scores, those of high priority, and those whose grade changes."""
        return {
            "grades": dict(sorted(self._grades.items())),
            "bands": [{"from": start, "to": end, "leads": self._bands[n]} for n, (start, end) in enumerate(BANDS)],
            "high_priority": self._high,
            "changed": self._changed,
        }


KIND = RuleKind("scoring", ScoringRule, check=check, tally=ScoreTally, on_change=request_run)
