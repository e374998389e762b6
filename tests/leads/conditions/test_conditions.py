"""Conditions: what a tree may say, what it matches, what it leaves open, and how it reads."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from leads.conditions import ConditionError, LeadValues, compile_condition
from leads.models import Lead

NOW = timezone.now


def lead(**fields: Any) -> Lead:
    """Return a lead that is not saved, with its derived columns."""
    made = Lead(**{"received_at": NOW(), "status_since": NOW(), **fields})
    for field in Lead._meta.concrete_fields:
        if field.name != "search_text" and getattr(field, "sources", ()):
            field.pre_save(made, add=True)
    return made


def result(tree: dict[str, Any], **fields: Any) -> bool | None:
    return compile_condition(tree).evaluate(LeadValues(lead(**fields)))


def leaf(field: str, op: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, **({"value": value[0]} if value else {})}


MATCHES: list[tuple[dict[str, Any], dict[str, Any], bool | None]] = [
    (leaf("title", "word", "vp"), {"title": "VP, Sales"}, True),
    (leaf("title", "word", "vp"), {"title": "MVP"}, False),
    (leaf("title", "word", "head of"), {"title": "Head  of Growth"}, True),
    (leaf("title", "contains", ["growth", "SALES"]), {"title": "Sales Lead"}, True),
    (leaf("title", "equals", "ＣＥＯ"), {"title": "ceo"}, True),
    (leaf("title", "starts_with", "head"), {"title": "Head of Growth"}, True),
    (leaf("title", "contains", "growth"), {}, None),
    (leaf("title", "exists"), {}, False),
    (leaf("title", "exists"), {"title": "CEO"}, True),
    ({"not": leaf("title", "contains", "growth")}, {}, None),
    ({"not": leaf("title", "exists")}, {}, True),
    (leaf("seniority", "in", ["vp", "c_level"]), {"title": "Vice President"}, True),
    (leaf("company_size", "overlaps", [50, 500]), {"company_size": "11-50"}, True),
    (leaf("company_size", "overlaps", [51, None]), {"company_size": "10,001+"}, True),
    (leaf("company_size", "overlaps", [51, 200]), {"company_size": "11-50"}, False),
    (leaf("company_size", "overlaps", [51, 200]), {"company_size": "many"}, None),
    (leaf("place", "in_states", ["CA", "or"]), {"country": "US", "state": "Oregon"}, True),
    (leaf("place", "in_states", ["CA"]), {"country": "US"}, None),
    (leaf("place", "in_countries", ["US"]), {"country": "Germany"}, False),
    (leaf("place", "zip_between", ["94000", "94999"]), {"postal_code": "94105-1234"}, True),
    (leaf("place", "zip_starts", ["sw1"]), {"postal_code": "SW1A 1AA"}, True),
    (leaf("tags", "has_any", ["Hot", "vip"]), {"tags": ["VIP"]}, True),
    (leaf("tags", "has_any", ["hot"]), {}, False),
    (leaf("is_free_mail", "is", False), {"email": "a@acme.example.com"}, True),
    (leaf("received", "older_than", "7d"), {"received_at": NOW() - timedelta(days=8)}, True),
    (leaf("received", "newer_than", "12h"), {"received_at": NOW() - timedelta(hours=13)}, False),
    ({"all": [leaf("title", "exists"), leaf("industry", "equals", "x")]}, {"title": "CEO"}, None),
    ({"all": [leaf("title", "equals", "x"), leaf("industry", "equals", "x")]}, {"title": "CEO"}, False),
    ({"any": [leaf("title", "equals", "ceo"), leaf("industry", "equals", "x")]}, {"title": "CEO"}, True),
    ({"any": [leaf("title", "equals", "x"), leaf("industry", "equals", "x")]}, {"title": "CEO"}, None),
    ({}, {}, True),
]


@pytest.mark.parametrize(("tree", "fields", "expected"), MATCHES)
def test_a_condition_is_fulfilled_not_fulfilled_or_open(tree: Any, fields: Any, expected: bool | None) -> None:
    assert result(tree, **fields) is expected
    assert compile_condition(tree).matches(LeadValues(lead(**fields))) is (expected is True)


DEEP: dict[str, Any] = leaf("title", "exists")
for _ in range(5):
    DEEP = {"not": DEEP}

REFUSED: dict[str, tuple[Any, str]] = {
    "no object": ([], ""),
    "nothing known": ({"every": []}, ""),
    "two kinds": ({"all": [leaf("title", "exists")], "any": [leaf("title", "exists")]}, ""),
    "an empty list": ({"all": []}, "all"),
    "an unknown field": ({"all": [leaf("title", "exists"), leaf("shoe_size", "gt", 4)]}, "all.1.field"),
    "a field that is a list": ({"field": ["title"], "op": "exists"}, "field"),
    "an unknown operator": (leaf("title", "matches", ".*"), "op"),
    "an operator of another type": (leaf("title", "gt", 4), "op"),
    "no value": (leaf("title", "equals"), "value"),
    "a value that is too much": ({**leaf("title", "exists"), "other": 1}, ""),
    "a value for exists": (leaf("title", "exists", False), "value"),
    "a number for a text": (leaf("title", "in", ["a", 1]), "value"),
    "a blank text": (leaf("title", "contains", " \u200b"), "value"),
    "a long text": (leaf("title", "contains", "a" * 201), "value"),
    "many texts": (leaf("title", "in", ["a"] * 201), "value"),
    "no word": (leaf("title", "word", "&"), "value"),
    "a range that is upside down": (leaf("company_size", "overlaps", [200, 51]), "value"),
    "a range of one": (leaf("company_size", "overlaps", [200]), "value"),
    "a flag as a number": (leaf("company_size", "overlaps", [True, 51]), "value"),
    "a country by name": (leaf("place", "in_countries", ["Germany"]), "value"),
    "half a ZIP code": (leaf("place", "zip_between", ["94", "95"]), "value"),
    "a strange time span": (leaf("received", "older_than", "7 weeks"), "value"),
    "a text for a flag": (leaf("is_free_mail", "is", "yes"), "value"),
    "too deep": (DEEP, "not.not.not.not.not"),
    "too many": ({"any": [leaf("title", "exists")] * 51}, "any.50"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_condition_is_refused_with_its_place(case: str) -> None:
    tree, path = REFUSED[case]
    with pytest.raises(ConditionError) as refused:
        compile_condition(tree)
    assert (refused.value.path, refused.value.field) == (path, "conditions")


def test_a_condition_reads_as_a_sentence() -> None:
    tree = {
        "all": [
            leaf("seniority", "in", ["vp", "c_level", "owner"]),
            {"any": [leaf("company_size", "overlaps", [51, None]), leaf("tags", "has_any", "target")]},
            {"not": leaf("is_free_mail", "is", True)},
            leaf("received", "newer_than", "1d"),
        ]
    }
    assert compile_condition(tree).sentence == (
        "The seniority is vice president, C level or owner and (the company's size is 51 or more"
        " or the tags include “target”) and not (free mail is yes) and the lead arrived less than 1 day ago"
    )
    assert compile_condition(tree).fields == {"seniority", "company_size", "tags", "is_free_mail", "received"}
    assert compile_condition({}).sentence == "Every lead"


def test_a_value_is_folded_once_whatever_the_number_of_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [compile_condition(leaf("title", "contains", f"word {number}")) for number in range(50)]
    values = LeadValues(lead(title="Head of Growth"))
    for rule in rules:
        rule.evaluate(values)
    assert dict(values) == {"title": "head of growth"}


LEAVES = {
    True: leaf("title", "equals", "ceo"),
    False: leaf("title", "equals", "cfo"),
    None: leaf("industry", "equals", "software"),
}
TREES = st.recursive(
    st.sampled_from(list(LEAVES)),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


def as_tree(drawn: Any) -> dict[str, Any]:
    if not isinstance(drawn, tuple):
        return LEAVES[drawn]
    kind, inner = drawn
    return {kind: as_tree(inner) if kind == "not" else [as_tree(one) for one in inner]}


def kleene(drawn: Any) -> bool | None:
    """Evaluate by the tables of Kleene's logic, with unknown between false and true."""
    if not isinstance(drawn, tuple):
        return drawn
    kind, inner = drawn
    if kind == "not":
        value = kleene(inner)
        return None if value is None else not value
    order = {False: 0, None: 1, True: 2}
    return (min if kind == "all" else max)((kleene(one) for one in inner), key=lambda value: order[value])


def depth(drawn: Any) -> int:
    if not isinstance(drawn, tuple):
        return 1
    kind, inner = drawn
    return 1 + (depth(inner) if kind == "not" else max(depth(one) for one in inner))


@given(TREES.filter(lambda drawn: depth(drawn) <= 5))
def test_unknown_goes_through_every_tree_as_kleenes_logic_says(drawn: Any) -> None:
    assert result(as_tree(drawn), title="CEO") is kleene(drawn)
