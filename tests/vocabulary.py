"""Refuse retired words in names. The glossary of docs/architecture.md lists the words that replace them.

A name is what Python code binds (modules, classes, functions, arguments, variables, attributes), cut into its words.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("accounts", "benchmarks", "config", "leads", "notifications", "tests", "webhooks")
#: Retired word --> the word to use.
RETIRED = {
    "bell": "wake-up",
    "claims": "signature scheme",
    "courier": "sender",
    "doorbell": "wake-up",
    "drop": "outage",
    "drops": "outages",
    "farewell": "disconnect",
    "farewells": "disconnect",
    "findings": "problems",
    "intake": "submissions",
    "lane": "source lock, or concurrency limit",
    "letter": "owner mail",
    "parcel": "prepared delivery",
    "patience": "a time-out, or a number of attempts",
    "rhythm": "traffic baseline",
    "ring": "wake-up",
    "sighting": "account identity",
    "teller": "what records, sends or alerts",
    "tries": "attempts",
    "trouble": "issue (of a source), kind of error (of LinkedIn)",
    "troubles": "issues",
}
#: (module, name) --> why it is allowed.
ALLOWED = {
    ("accounts/api/sources.py", "troubles"): "the API's field: health.troubles",
}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def main() -> int:
    found = [line for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) for line in faults_of(path)]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return int(bool(found))


def faults_of(path: Path, root: Path = ROOT) -> list[str]:
    """Return a line for each retired word in the names of a module, once a name."""
    module = path.relative_to(root).as_posix()
    faults: dict[str, str] = {}
    for line, name in ((1, path.stem), *names_bound(ast.parse(path.read_text()))):
        if (module, name) in ALLOWED:
            continue
        for word in {word.lower() for word in WORD.findall(name)} & RETIRED.keys():
            faults.setdefault(name, f"{module}:{line}: {name}: “{word}” is retired, say {RETIRED[word]}")
    return list(faults.values())


def names_bound(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each name that a module binds, with its line. Skip tests: their names are sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not node.name.startswith("test_"):
                yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


if __name__ == "__main__":
    sys.exit(main())
