"""Give the active rules of an agency in their compiled form, which is kept as long as the set has the same version."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import structlog

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Agency
from leads.conditions.compiler import Condition
from leads.conditions.errors import ConditionError
from leads.conditions.target_lists import compile_for
from leads.models.rules import Rule, RuleSet
from leads.rules.kinds import RuleKind
from leads.rules.service import rules_of, switch_off

log = structlog.get_logger(__name__)

MAX_CACHED_SETS = 500


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with the function that its conditions became."""

    rule: Rule
    condition: Condition


@dataclass(frozen=True, slots=True)
class CompiledSet:
    """The active rules of one version, in their order."""

    version: int
    rules: Sequence[CompiledRule]


_cache: "OrderedDict[tuple[str, str], CompiledSet]" = OrderedDict()
_lock = Lock()


def active_rules(kind: RuleKind, agency: Agency) -> CompiledSet:
    """Return the agency's active rules, compiled. One query, unless the version is new to this process.

    A rule that cannot be compiled any more is switched off, and the agency is alerted.
    """
    version = RuleSet.objects.filter(agency=agency, kind=kind.name).values_list("version", flat=True).first() or 0
    key = (agency.pk, kind.name)
    with _lock:
        found = _cache.get(key)
        if found is not None and found.version == version:
            _cache.move_to_end(key)
            return found
    compiled = CompiledSet(version, _compile(kind, agency))
    with _lock:
        _cache[key] = compiled
        _cache.move_to_end(key)
        while len(_cache) > MAX_CACHED_SETS:
            _cache.popitem(last=False)
    return compiled


def disable_rule(kind: RuleKind, rule: Rule, reason: str) -> None:
    """Switch a rule off that can no longer be followed, and alert the agency. Do nothing if it is off already."""
    if not switch_off(kind, rule, reason):
        return
    log.warning("rule_disabled", rule=rule.pk, kind=kind.name)
    record_event(
        rule.agency,
        EventType.RULE_DISABLED,
        subject=rule.pk,
        rule_id=rule.pk,
        rule_name=rule.name,
        rule_kind=kind.name,
        error_detail=reason,
    )


def _compile(kind: RuleKind, agency: Agency) -> list[CompiledRule]:
    compiled = []
    for rule in rules_of(kind, agency):
        if not rule.active:
            continue
        try:
            compiled.append(CompiledRule(rule, compile_for(agency, rule.conditions)))
        except ConditionError as error:
            disable_rule(kind, rule, str(error))
    return compiled
