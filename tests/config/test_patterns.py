"""Every regular expression of the product takes time that grows with its text and no faster, whatever the text is."""

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

PACKAGES = ("accounts", "config", "leads", "notifications", "webhooks")
ROOT = Path(__file__).resolve().parents[2]
METHODS = {"search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split"}
LENGTH = 4_000
#: Times the cost of a character of the yardstick. The patterns of the product are below 10; one that grows with the
#: square of the length, or that looks forty times at each character, is beyond 100.
MAX_COUNT = 50
PUMPS = [
    "a",
    "A",
    "9",
    " ",
    "\t",
    "\n",
    "-",
    "_",
    ".",
    "/",
    ":",
    "@",
    "=",
    '"',
    "'",
    ",",
    "a.",
    "a-",
    "a@",
    "/a",
    "a ",
    "b- ",
]

Call = tuple[re.Pattern[Any], str]


def module_names() -> list[str]:
    return [
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
        if ".migrations" not in module.name and ".management.commands" not in module.name
    ]


def patterns_in(value: Any) -> Iterator[re.Pattern[Any]]:
    """The patterns that a module's name stands for: one, a collection with some, a Django validator's."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from patterns_in(item)
    elif isinstance(value, dict):
        yield from patterns_in(list(value.values()))
    elif isinstance(getattr(value, "regex", None), re.Pattern):
        yield value.regex


@cache
def sources() -> dict[str, ast.Module]:
    return {name: ast.parse(Path(str(importlib.import_module(name).__file__)).read_text()) for name in module_names()}


@cache
def methods() -> dict[str, set[str]]:
    """How the product uses the pattern of a name."""
    found: dict[str, set[str]] = {}
    for tree in sources().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
                found.setdefault(node.value.id, set()).add(node.attr)
    return found


def named_patterns() -> Iterator[tuple[str, Call]]:
    for module in module_names():
        for name, value in vars(importlib.import_module(module)).items():
            for number, pattern in enumerate(patterns_in(value)):
                for method in methods().get(name) or {"search"}:
                    yield f"{module}.{name}[{number}]", (pattern, method)


def inline_patterns() -> Iterator[tuple[str, Call]]:
    for module, tree in sources().items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
                continue
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
                assert isinstance(node.args[0], ast.Constant), f"{module}:{node.lineno}: give the pattern a name."
                yield f"{module}:{node.lineno}", (re.compile(node.args[0].value), node.func.attr)


def route_patterns() -> Iterator[tuple[str, Call]]:
    """Every path is matched by these before anything of ours sees it."""

    def walk(resolver: Any) -> Iterator[Any]:
        for entry in resolver.url_patterns:
            yield entry
            if not isinstance(entry, URLPattern):
                yield from walk(entry)

    for entry in walk(get_resolver()):
        regex = entry.pattern.regex
        whole = isinstance(entry, URLPattern) and regex.pattern.endswith("$")  # as `RegexPattern.match` does
        yield f"route {regex.pattern}", (regex, "fullmatch" if whole else "search")


def all_patterns() -> list[tuple[str, Call]]:
    """Where each stands, and how it is used; each once."""
    every = [*named_patterns(), *inline_patterns(), *route_patterns()]
    return list({(method, pattern.pattern): (where, (pattern, method)) for where, (pattern, method) in every}.values())


def spell(tree: Any) -> Iterator[str]:
    """One string for each node of a parsed pattern, which that node matches."""
    for op, value in tree:
        match op:
            case sre.LITERAL:
                yield chr(value)
            case sre.NOT_LITERAL:
                yield "b" if chr(value) == "a" else "a"
            case sre.ANY:
                yield "a"
            case sre.IN:
                yield _one_of(value)
            case sre.BRANCH:
                yield "".join(spell(value[1][0]))
            case sre.SUBPATTERN:
                yield "".join(spell(value[3]))
            case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
                yield "".join(spell(value[2])) * max(1, value[0])
            case sre.ATOMIC_GROUP:
                yield "".join(spell(value))


def _one_of(choices: Any) -> str:
    for candidate in "a0 -.:/@=\"'A_\x00":
        if re.fullmatch(_class_of(choices), candidate):
            return candidate
    return chr(choices[0][1][0] if choices[0][0] is sre.RANGE else choices[0][1])


def _class_of(choices: Any) -> str:
    inside = ""
    for op, value in choices:
        if op is sre.NEGATE:
            inside += "^"
        elif op is sre.LITERAL:
            inside += re.escape(chr(value))
        elif op is sre.RANGE:
            inside += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            inside += {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w"}.get(
                str(value), r"\S" if "SPACE" in str(value) else r"\W"
            )
    return f"[{inside}]"


def hostile_texts(pattern: re.Pattern[Any]) -> Iterator[str]:
    """Beginnings of what matches, each followed by much of the same, and by something that ends the match."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    nodes = list(spell(_parser.parse(source, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else 0)))
    starts = dict.fromkeys("".join(nodes[:end]) for end in range(len(nodes) + 1))
    heads = [start for start in starts if len(start) < 200]
    pumps = [pump for pump in dict.fromkeys([*PUMPS, *heads, *nodes]) if pump]
    for pump in pumps:
        yield (pump * LENGTH)[:LENGTH] + "\x01"
    for head in heads[1:]:
        for pump in PUMPS:
            yield head + (pump * LENGTH)[:LENGTH] + "\x01"


def cost(act: Callable[[], object]) -> float:
    """Seconds of this thread's own work."""
    began = time.thread_time()
    act()
    return time.thread_time() - began


def run(call: Call, text: str) -> Callable[[], object]:
    pattern, method = call
    subject: Any = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
    use = getattr(pattern, method)
    if method == "finditer":
        return lambda: sum(1 for _ in use(subject))
    return (lambda: use(type(subject)(), subject)) if method in {"sub", "subn"} else (lambda: use(subject))


def yardstick() -> float:
    pattern = re.compile("[xy]z")
    return min(cost(lambda: pattern.search("x" * LENGTH)) for _ in range(20))


def too_slow(call: Call, text: str, unit: float) -> bool:
    """Whether it costs too much every time of five: what disturbs a measurement does not do so for ever."""
    act = run(call, text)
    return all(cost(act) > MAX_COUNT * unit for _ in range(5))


def test_every_pattern_takes_time_as_its_text_is_long() -> None:
    unit = yardstick()
    slow = [
        f"{where}: {call[0].pattern!r} on {text[:60]!r}"
        for where, call in all_patterns()
        for text in hostile_texts(call[0])
        if too_slow(call, text, unit)
    ]
    assert not slow


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"(a|a)*b", "match"),
        (r"[a-z]+@[a-z]+", "search"),
        (r"\b[\w-]{0,40}(?:secret|token)=", "sub"),
        (r"-----BEGIN [A-Z ]*KEY-----.{0,800}?(-----END|$)", "sub"),
        (r"\s+$", "sub"),
    ],
)
def test_the_measure_finds_a_pattern_that_does_not(pattern: str, method: str) -> None:
    call = (re.compile(pattern, re.DOTALL), method)
    texts = (text[: 21 if "|a" in pattern else None] for text in hostile_texts(call[0]))
    unit = yardstick()
    assert any(too_slow(call, text, unit) for text in texts)
