"""Find out which target lists leads are on, and compile conditions that name target lists."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from accounts.models import Agency
from leads.conditions.compiler import Condition, compile_condition
from leads.conditions.errors import ConditionError
from leads.conditions.fields import LeadValues, company_keys
from leads.models import Lead, TargetList, TargetListEntry

#: The field whose value takes a query.
FIELD = "target_list"

#: Fields whose values are ids --> where an agency has what they name.
NAMED = {"campaign": "campaigns", "source": "sources", "account": "accounts"}

#: What says which conditions an agency keeps: pairs of what people call their holder (“rule “VPs””), and the tree.
Holders = Callable[[Agency], Iterable[tuple[str, Any]]]
_holders: list[Holders] = []


def register_condition_holders(holders: Holders) -> None:
    """Add conditions beside those of rules. A target list that they ask about cannot be deleted."""
    _holders.append(holders)


def holders_asking_about(target_list: TargetList) -> list[str]:
    """Return who asks about a target list, rules aside."""
    found = (pair for holders in _holders for pair in holders(target_list.agency))
    return [name for name, tree in found if target_list.pk in lists_in(tree)]


def values_of(leads: Sequence[Lead], conditions: Iterable[Condition]) -> list[LeadValues]:
    """Return the values of leads. Which target lists they are on is one query for all, if a condition asks for it."""
    values = [LeadValues(lead) for lead in leads]
    if any(FIELD in condition.fields for condition in conditions):
        keys = [company_keys(lead) for lead in leads]
        entries = TargetListEntry.objects.filter(
            key__in=sorted(frozenset().union(*keys)), target_list__agency__in={lead.agency_id for lead in leads}
        )
        lists = defaultdict[tuple[str, str], set[str]](set)
        for agency_id, key, list_id in entries.values_list("target_list__agency_id", "key", "target_list_id"):
            lists[agency_id, key].add(list_id)
        for lead, own_keys, own_values in zip(leads, keys, values, strict=True):
            on = frozenset[str]().union(*(lists.get((lead.agency_id, key), ()) for key in own_keys))
            own_values[FIELD] = on if own_keys else None
    return values


def compile_for(agency: Agency, tree: Any) -> Condition:
    """Compile a tree whose target lists are the agency's. Raises ConditionError.

    The sentence names the lists, campaigns, sources and accounts of the tree.
    """
    names: dict[str, str] = {}
    if lists := lists_in(tree):
        names.update(agency.target_lists.filter(pk__in=sorted(lists)).values_list("pk", "name"))
    for field, related in NAMED.items():
        if ids := frozenset(_values(tree, "field", field)):
            names.update((row.pk, str(row)) for row in getattr(agency, related).filter(pk__in=sorted(ids)))
    return compile_condition(tree, names=names)


def sentence_for(agency: Agency, tree: Any) -> str:
    """Return conditions as a sentence in the reader's language, or why they cannot be compiled any more."""
    try:
        return compile_for(agency, tree).sentence
    except ConditionError as error:
        return str(error)


def lists_in(tree: Any) -> frozenset[str]:
    """Return the ids of the target lists that a tree names, whether it can be compiled or not."""
    return frozenset(_values(tree, "op", "on_list"))


def _values(tree: Any, key: str, wanted: str) -> Iterator[str]:
    """Yield the texts among the values of a tree's leaves whose field or operator, by `key`, is the wanted one."""
    if isinstance(tree, list):
        for one in tree:
            yield from _values(one, key, wanted)
    elif isinstance(tree, dict) and tree.get(key) == wanted:
        values = tree.get("value")
        yield from (one for one in (values if isinstance(values, list) else [values]) if isinstance(one, str))
    elif isinstance(tree, dict):
        for one in tree.values():
            yield from _values(one, key, wanted)
