"""Compile a tree of conditions: check it, build its function, write its sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from leads.conditions.errors import ConditionError
from leads.conditions.fields import FIELDS, Field, LeadValues
from leads.conditions.operators import OPERATORS
from leads.conditions.sentences import known_phrase, phrase_of

MAX_DEPTH = 5
MAX_LEAVES = 50

Evaluate = Callable[[LeadValues], bool | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled tree. `evaluate` returns None where a missing value leaves it open."""

    evaluate: Evaluate
    sentence: str
    fields: frozenset[str]

    def matches(self, values: LeadValues) -> bool:
        """Return whether a lead certainly fulfils the condition."""
        return self.evaluate(values) is True


@dataclass(slots=True)
class _Compiler:
    fields: Mapping[str, Field]
    used: set[str]
    names: Mapping[str, str] | None = None
    leaves: int = 0

    def compile(self, tree: Any, path: str, depth: int) -> tuple[Evaluate, str]:
        if not isinstance(tree, dict):
            raise ConditionError(path, "A condition is an object.")
        if depth > MAX_DEPTH:
            raise ConditionError(path, f"Conditions are nested more than {MAX_DEPTH} deep.")
        if "field" in tree:
            return self._leaf(tree, path)
        if len(tree) != 1 or (kind := next(iter(tree))) not in ("all", "any", "not"):
            raise ConditionError(path, "A condition has “field” and “op”, or one of “all”, “any”, “not”.")
        if kind == "not":
            inner, phrase = self.compile(tree["not"], _at(path, "not"), depth + 1)
            return _negation(inner), gettext("not (%(condition)s)") % {"condition": phrase}
        branches = tree[kind]
        if not isinstance(branches, list) or not branches:
            raise ConditionError(_at(path, kind), "Give a list of at least one condition.")
        compiled = [self.compile(one, _at(path, f"{kind}.{place}"), depth + 1) for place, one in enumerate(branches)]
        functions = [function for function, _ in compiled]
        phrases = [phrase for _, phrase in compiled]
        if len(phrases) == 1:
            return functions[0], phrases[0]
        word = gettext("and") if kind == "all" else gettext("or")
        joined = f" {word} ".join(phrases)
        return (_all if kind == "all" else _any)(functions), f"({joined})" if depth > 1 else joined

    def _leaf(self, tree: dict[str, Any], path: str) -> tuple[Evaluate, str]:
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise ConditionError(path, f"There are more than {MAX_LEAVES} conditions.")
        if unknown := tree.keys() - {"field", "op", "value"}:
            raise ConditionError(path, f"“{min(unknown)}” is no part of a condition.")
        field = self.fields.get(tree["field"]) if isinstance(tree["field"], str) else None
        if field is None:
            raise ConditionError(_at(path, "field"), f"There is no field “{tree['field']}”.")
        self.used.add(field.name)
        name = tree.get("op")
        if name == "exists":
            if "value" in tree and tree["value"] is not True:
                raise ConditionError(_at(path, "value"), "“exists” takes no value; use “not” for the opposite.")
            return _exists(field.name), known_phrase(field)
        if not isinstance(name, str) or (operator := OPERATORS[field.type].get(name)) is None:
            known = ", ".join([*OPERATORS[field.type], "exists"])
            raise ConditionError(_at(path, "op"), f"“{field.name}” has no operator “{name}”. It has: {known}.")
        test, key = operator.build(_at(path, "value"), tree.get("value")), field.name
        if name == "on_list":
            self._check_lists(_at(path, "value"), tree["value"])

        def evaluate(values: LeadValues) -> bool | None:
            value = values[key]
            return None if value is None else test(value)

        return evaluate, f"{gettext(field.label)} {phrase_of(operator, name, tree['value'], self.names or {})}"

    def _check_lists(self, path: str, value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            if self.names is not None and one not in self.names:
                raise ConditionError(path, f"There is no target list “{one}”.")


def compile_condition(
    tree: Any, fields: Mapping[str, Field] = FIELDS, *, names: Mapping[str, str] | None = None
) -> Condition:
    """Compile a tree. An empty object matches every lead. Raises ConditionError, which names the place in the tree.

    `names` are what ids in the tree are called, target lists among them. If None, the lists are known to exist.
    """
    if tree == {}:
        return Condition(lambda values: True, gettext("Every lead"), frozenset())
    compiler = _Compiler(fields, set(), names)
    evaluate, phrase = compiler.compile(tree, "", 1)
    return Condition(evaluate, phrase[:1].upper() + phrase[1:], frozenset(compiler.used))


def _exists(name: str) -> Evaluate:
    return lambda values: values[name] is not None


def _all(functions: list[Evaluate]) -> Evaluate:
    def evaluate(values: LeadValues) -> bool | None:
        unknown = False
        for function in functions:
            result = function(values)
            if result is False:
                return False
            unknown = unknown or result is None
        return None if unknown else True

    return evaluate


def _any(functions: list[Evaluate]) -> Evaluate:
    def evaluate(values: LeadValues) -> bool | None:
        unknown = False
        for function in functions:
            result = function(values)
            if result is True:
                return True
            unknown = unknown or result is None
        return None if unknown else False

    return evaluate


def _negation(function: Evaluate) -> Evaluate:
    def evaluate(values: LeadValues) -> bool | None:
        result = function(values)
        return None if result is None else not result

    return evaluate


def _at(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
