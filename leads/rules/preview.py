"""Say what rules, saved or not, would have done to the leads of the last weeks."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Agency
from leads.conditions.compiler import Condition, compile_condition
from leads.conditions.fields import FIELDS, UNREAD_COLUMNS, LeadValues
from leads.conditions.target_lists import values_of
from leads.models import Lead
from leads.models.rules import Rule
from leads.rules.kinds import RuleKind

#: Of how many days a preview can be.
DAYS = (30, 90)
#: The newest leads that a preview looks at.
MAX_LEADS = 20_000
CHUNK = 500


def preview(
    kind: RuleKind,
    agency: Agency,
    rules: Sequence[Rule],
    *,
    days: int,
    now: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Return what the active ones of `rules` would have done, in their order, to the leads of the last `days`.

    `progress` is called with the leads that are done, and all. Raises ConditionError for a rule that is wrong.
    `undecided` counts, by field, the leads for which a missing value left a rule open.
    """
    rules = [rule for rule in rules if rule.active]
    conditions = [compile_condition(rule.conditions) for rule in rules]
    leads = Lead.objects.without_tests().filter(agency=agency, received_at__gte=now - timedelta(days=days))
    total = min(leads.count(), MAX_LEADS)
    patterns, missing = Counter[tuple[bool | None, ...]](), Counter[str]()
    tally = kind.tally(agency, rules)
    for done, (lead, values) in enumerate(_newest(leads, conditions), start=1):
        verdicts = tuple(condition.evaluate(values) for condition in conditions)
        patterns[verdicts] += 1
        if None in verdicts:
            asked = (
                condition.fields for condition, verdict in zip(conditions, verdicts, strict=True) if verdict is None
            )
            missing.update({name for fields in asked for name in fields if values[name] is None})
        tally.add(lead, verdicts)
        if done % CHUNK == 0:
            progress(done, total)
    progress(total, total)
    return {
        "days": days,
        "leads": total,
        "is_limited": leads.count() > MAX_LEADS,
        "rules": [
            {
                "name": rule.name,
                "matched": sum(n for verdicts, n in patterns.items() if verdicts[number] is True),
                "undecided": sum(n for verdicts, n in patterns.items() if verdicts[number] is None),
            }
            for number, rule in enumerate(rules)
        ],
        "undecided": [
            {"field": name, "label": FIELDS[name].label, "leads": count} for name, count in missing.most_common()
        ],
        "outcome": tally.result(),
    }


def _newest(leads: Any, conditions: Sequence[Condition]) -> Iterator[tuple[Lead, LeadValues]]:
    """Yield the newest leads with their values, the oldest of them first, as they would have come."""
    newest = list(leads.order_by("-received_at", "-pk").values_list("pk", flat=True)[:MAX_LEADS])
    for start in range(len(newest), 0, -CHUNK):
        chunk = newest[max(0, start - CHUNK) : start]
        by_id = Lead.objects.defer(*UNREAD_COLUMNS).in_bulk(chunk)
        found = [by_id[pk] for pk in reversed(chunk) if pk in by_id]
        yield from zip(found, values_of(found, conditions), strict=True)
