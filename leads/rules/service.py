"""Create, change, move and delete rules. Every change makes a version of the whole set, which can be brought back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.models import Agency
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from leads.conditions.target_lists import compile_for
from leads.enums import RuleAction
from leads.models.rules import Rule, RuleSet, RuleSetVersion
from leads.rules.kinds import RuleKind

MAX_RULES = 100
MAX_NAME_LENGTH = 120
COMMON = ("name", "position", "active", "conditions")


@transaction.atomic
def create_rule(kind: RuleKind, agency: Agency, *, by: Actor | None = None, **values: Any) -> Rule:
    """Create a rule at `position`, by default after all others. Raises FieldError."""
    rule_set = lock_rule_set(kind, agency)
    rules = rules_of(kind, agency)
    if len(rules) >= MAX_RULES:
        raise FieldError("", f"There are {MAX_RULES} rules already: delete one first.")
    rule = kind.model(agency=agency, position=len(rules) + 1)
    _assign(kind, rule, {"name": "", "conditions": {}, **values})
    rules.insert(_place(values, len(rules) + 1), rule)
    _save(kind, rule_set, rules, RuleAction.CREATED, rule.name, by, changed=[rule])
    audit.log_creation(by, rule, gettext_noop("Rule created"), kind.name)
    return rule


@transaction.atomic
def change_rule(kind: RuleKind, rule: Rule, *, by: Actor | None = None, **changes: Any) -> Rule:
    """Change a rule; `position` moves it. A rule that is saved or switched on is no longer off. Raises FieldError."""
    rule_set = lock_rule_set(kind, rule.agency)
    rules = rules_of(kind, rule.agency)
    rule = next((one for one in rules if one.pk == rule.pk), rule)
    if rule not in rules:
        raise FieldError("", "The rule has been deleted.")
    _assign(kind, rule, changes)
    if "position" in changes:
        rules.remove(rule)
        rules.insert(_place(changes, len(rules) + 1), rule)
    action = RuleAction.MOVED if changes.keys() == {"position"} else RuleAction.CHANGED
    _save(kind, rule_set, rules, action, rule.name, by, changed=[rule])
    audit.log_change(by, rule, gettext_noop("Rule changed"), f"{kind.name}: {', '.join(sorted(changes))}")
    return rule


@transaction.atomic
def change_rules(
    kind: RuleKind,
    agency: Agency,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    action: RuleAction,
    by: Actor | None = None,
) -> RuleSet:
    """Change several rules, by their ids, as one version. Raises FieldError, also for a rule that is gone."""
    rule_set = lock_rule_set(kind, agency)
    rules = rules_of(kind, agency)
    changed = [rule for rule in rules if rule.pk in changes]
    if len(changed) < len(changes):
        raise FieldError("", "One of the rules has been deleted.")
    for rule in changed:
        _assign(kind, rule, changes[rule.pk])
        audit.log_change(by, rule, gettext_noop("Rule changed"), f"{kind.name}: {', '.join(sorted(changes[rule.pk]))}")
    _save(kind, rule_set, rules, action, ", ".join(rule.name for rule in changed)[:120], by, changed=changed)
    return rule_set


@transaction.atomic
def delete_rule(kind: RuleKind, rule: Rule, *, by: Actor | None = None) -> None:
    """Delete a rule. Its versions keep it."""
    rule_set = lock_rule_set(kind, rule.agency)
    audit.log_deletion(by, rule, gettext_noop("Rule deleted"), kind.name)
    name = rule.name
    kind.model._default_manager.filter(pk=rule.pk).delete()
    _save(kind, rule_set, rules_of(kind, rule.agency), RuleAction.DELETED, name, by)


@transaction.atomic
def roll_back(kind: RuleKind, agency: Agency, number: int, *, by: Actor | None = None) -> RuleSet:
    """Make the rules what they were in a version, as a new version. Raises FieldError if there is none.

    A rule whose pool or member is gone comes back switched off, with the reason.
    """
    rule_set = lock_rule_set(kind, agency)
    version = rule_set.versions.filter(number=number).first()
    if version is None:
        raise FieldError("version", "There is no such version.")
    present = {rule.pk: rule for rule in rules_of(kind, agency)}
    rules = [_restored(kind, agency, stored, present.pop(stored["id"], None)) for stored in version.rules]
    kind.model._default_manager.filter(pk__in=list(present)).delete()
    _save(kind, rule_set, rules, RuleAction.ROLLED_BACK, str(number), by, changed=rules)
    audit.record_audit(agency, by=by, action=gettext_noop("Rules rolled back"), detail=f"{kind.name}: version {number}")
    return rule_set


@transaction.atomic
def switch_off(kind: RuleKind, rule: Rule, reason: str) -> bool:
    """Switch a rule off that can no longer be followed. Return whether it was on."""
    rule_set = lock_rule_set(kind, rule.agency)
    rules = rules_of(kind, rule.agency)
    found = next((one for one in rules if one.pk == rule.pk and one.active), None)
    if found is None:
        return False
    found.active, found.disabled_reason = False, reason[:500]
    _save(kind, rule_set, rules, RuleAction.DISABLED, found.name, None, changed=[found])
    return True


def draft_rules(kind: RuleKind, agency: Agency, drafts: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Return unsaved rules for a preview, in their order. Raises FieldError, which names the number of the rule."""
    if len(drafts) > MAX_RULES:
        raise FieldError("rules", f"Give at most {MAX_RULES} rules.")
    rules = []
    for number, values in enumerate(drafts, start=1):
        rule = kind.model(agency=agency, position=number)
        try:
            _assign(kind, rule, {"name": f"Rule {number}", "conditions": {}, **values})
        except FieldError as error:
            raise FieldError("rules", f"Rule {number}, {error.field}: {error}") from error
        rules.append(rule)
    return rules


def values_of(rule: Rule) -> dict[str, Any]:
    """Return the fields of a rule as `draft_rules` takes them."""
    return {"name": rule.name, "active": rule.active, "conditions": rule.conditions, **_content(rule)}


def rules_of(kind: RuleKind, agency: Agency) -> list[Rule]:
    """Return an agency's rules of one kind in their order."""
    return list(kind.model._default_manager.filter(agency=agency).order_by("position", "pk"))


def lock_rule_set(kind: RuleKind, agency: Agency) -> RuleSet:
    """Lock the set until the transaction ends, and make it if it is new."""
    RuleSet.objects.get_or_create(agency=agency, kind=kind.name)
    return RuleSet.objects.select_for_update().get(agency=agency, kind=kind.name)


def _assign(kind: RuleKind, rule: Rule, values: Mapping[str, Any]) -> None:
    if "name" in values:
        rule.name = " ".join(plain(str(values["name"])).split())
        if not rule.name or len(rule.name) > MAX_NAME_LENGTH:
            raise FieldError("name", f"Enter a name of at most {MAX_NAME_LENGTH} characters.")
    rule.conditions = values.get("conditions", rule.conditions)
    compile_for(rule.agency, rule.conditions)
    own = {name: value for name, value in values.items() if name not in COMMON}
    for name, value in kind.check(rule.agency, {**_content(rule), **own}).items():
        setattr(rule, name, value)
    rule.active = bool(values.get("active", rule.active or bool(rule.disabled_reason)))
    rule.disabled_reason = ""


def _content(rule: Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in rule.CONTENT}


def _place(values: Mapping[str, Any], last: int) -> int:
    """Return the index for a position, which is counted from 1. Raises FieldError."""
    position = values.get("position", last)
    if not 1 <= position <= last:
        raise FieldError("position", f"Enter a position from 1 to {last}.")
    return int(position) - 1


def _restored(kind: RuleKind, agency: Agency, stored: Mapping[str, Any], rule: Rule | None) -> Rule:
    fields = {name: value for name, value in stored.items() if name != "id"}
    rule = rule or kind.model(id=stored["id"], agency=agency)
    try:
        _assign(kind, rule, fields)
    except FieldError as error:
        for name, value in fields.items():
            setattr(rule, name, None if name in kind.targets else value)
        rule.active, rule.disabled_reason = False, str(error)[:500]
    return rule


def _save(
    kind: RuleKind,
    rule_set: RuleSet,
    rules: list[Rule],
    action: RuleAction,
    subject: str,
    by: Actor | None,
    changed: Iterable[Rule] = (),
) -> None:
    """Write the rules whose fields or position changed, and the new version."""
    rule_set.version += 1
    rule_set.save(update_fields=["version"])
    written = list(changed)
    for position, rule in enumerate(rules, start=1):
        if rule.position != position or rule in written:
            rule.position = position
            rule.version = rule_set.version if rule in written else rule.version
            rule.save()
    RuleSetVersion.objects.create(
        rule_set=rule_set,
        number=rule_set.version,
        rules=[_stored(rule) for rule in rules],
        action=action,
        subject=subject,
        changed_by=str(by)[:200] if by is not None else "",
    )
    kind.on_change(rule_set.agency)


def _stored(rule: Rule) -> dict[str, Any]:
    common = {name: getattr(rule, name) for name in ("id", *COMMON)}
    return {**common, **_content(rule)}
