"""Refuse retired words in names. The glossary of docs/architecture.md lists the words that replace them.

A name is what Python code binds (modules, classes, functions, arguments, variables, attributes), cut into its words. A
plural is retired with its singular. Words that mean nothing else are refused in docstrings, comments and docs as well.
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
    "beaten": "heartbeat",
    "beats": "heartbeats",
    "bell": "wake-up",
    "claims": "signature scheme",
    "courier": "sender",
    "desk": "ingest context",
    "doorbell": "wake-up",
    "drop": "outage",
    "farewell": "disconnect",
    "finding": "problem, or result of a check",
    "gate": "rate limit",
    "gather": "combine, or digest",
    "intake": "submissions",
    "journal": "group commit (of ingest), erasure log (of leads)",
    "lane": "source lock, or concurrency limit",
    "letter": "owner mail",
    "longest": "a maximum, or a time-out",
    "moment": "time",
    "news": "changed, or new",
    "packet": "fast-path request, or segment (of TCP)",
    "parcel": "prepared delivery",
    "patience": "a time-out, or a number of attempts",
    "rhythm": "traffic baseline",
    "ring": "wake-up",
    "settle": "end a lease, or store a result",
    "settled": "ended, or stable (of an account)",
    "sighting": "account identity",
    "tell": "record an event, alert, or notify",
    "teller": "what records, sends or alerts",
    "telling": "history",
    "tidings": "events",
    "told": "recorded, delivered, or notified",
    "tries": "attempts",
    "trouble": "issue (of a source), kind of error (of LinkedIn)",
    "watch": "monitor",
}
#: Retired words that no sentence needs in another meaning.
NEVER = ("beaten", "courier", "doorbell", "farewell", "lane", "parcel", "sighting", "teller", "tidings")
PROSE = re.compile(rf"\b({'|'.join(NEVER)})s?\b", re.IGNORECASE)
#: Modules that have to spell the words out.
ABOUT_WORDS = ("test_vocabulary", "vocabulary")
#: (module, name) --> why it is allowed. Names of the public contract stay.
ALLOWED = {
    ("accounts/api/sources.py", "troubles"): "the API's field: health.troubles",
    ("", "ERASURE_JOURNAL"): "a setting",
    ("benchmarks/desk.py", "desk"): "the lead desk, by which name `make bench` knows it",
}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def main() -> int:
    modules = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    pages = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
    found = [line for path in modules for line in faults_of(path)]
    found += [line for path in (*modules, *pages) if path.stem not in ABOUT_WORDS for line in faults_of_prose(path)]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return int(bool(found))


def faults_of(path: Path, root: Path = ROOT) -> list[str]:
    """Return a line for each retired word in the names of a module, once a name."""
    module = path.relative_to(root).as_posix()
    faults: dict[str, str] = {}
    for line, name in ((1, path.stem), *names_bound(ast.parse(path.read_text()))):
        if (module, name) in ALLOWED or ("", name) in ALLOWED:
            continue
        for word in (word.lower() for word in WORD.findall(name)):
            if advice := RETIRED.get(word) or RETIRED.get(word.removesuffix("s")):
                faults.setdefault(name, f"{module}:{line}: {name}: “{word}” is retired, say {advice}")
    return list(faults.values())


def faults_of_prose(path: Path, root: Path = ROOT) -> list[str]:
    """Return a line for each retired word that no sentence needs, in a page of docs or in the text of a module. Skip
    the glossary's rows."""
    lines = enumerate(path.read_text().splitlines(), 1)
    return [
        f"{path.relative_to(root).as_posix()}:{number}: “{word}” is retired, say {RETIRED[word.lower()]}"
        for number, line in lines
        if not (line.startswith("|") and path.stem == "architecture")
        for word in PROSE.findall(line)
    ]


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
