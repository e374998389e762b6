"""Find out which target lists a lead is on, and compile conditions that name target lists."""

from collections.abc import Iterator
from typing import Any

from accounts.models import Agency
from leads.conditions.compiler import Condition, compile_condition
from leads.models import TargetList


def compile_for(agency: Agency, tree: Any) -> Condition:
    """Compile a tree whose target lists are the agency's; the sentence names them. Raises ConditionError."""
    lists = lists_in(tree)
    if not lists:
        return compile_condition(tree)
    rows = TargetList.objects.filter(agency=agency, pk__in=sorted(lists))
    return compile_condition(tree, list_names=dict(rows.values_list("pk", "name")))


def lists_in(tree: Any) -> frozenset[str]:
    """Return the ids of the target lists that a tree names, whether it can be compiled or not."""
    return frozenset(_ids(tree))


def _ids(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for one in tree:
            yield from _ids(one)
    elif isinstance(tree, dict) and tree.get("op") == "on_list":
        values = tree.get("value")
        yield from (one for one in (values if isinstance(values, list) else [values]) if isinstance(one, str))
    elif isinstance(tree, dict):
        for one in tree.values():
            yield from _ids(one)
