"""Read the code with which a receiver checks our signature, in the languages that agencies use.

The portal and the documentation of the API show these files; the suite runs them against delivered webhooks.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("snippets")
_FILES = {"Python": "verify.py", "Node.js": "verify.mjs", "PHP": "verify.php"}


@dataclass(frozen=True, slots=True)
class Snippet:
    language: str
    filename: str
    code: str


@cache
def verification_snippets() -> tuple[Snippet, ...]:
    """Return the code in each language."""
    return tuple(Snippet(language, name, (FOLDER / name).read_text("utf-8")) for language, name in _FILES.items())
