"""What came from outside, made harmless before people read it in mails, in Slack and on pages."""

import re
import unicodedata

LONGEST_NAME = 120
LONGEST_SUBJECT = 150
LONGEST_DETAIL = 500


def clean(text: str, limit: int = LONGEST_NAME) -> str:
    """Outside text as one harmless line: no control, bidirectional or invisible characters, no addresses that mail
    programs would turn into links, at most `limit` characters."""
    line = "".join(" " if _is_space(char) else char for char in text[: limit * 20] if not _is_hidden(char))
    line = " ".join(line.split())
    line = re.sub(r":/+", ": ", line)
    line = re.sub(r"(?i)\bwww\.", "www ", line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _is_space(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Cc", "Zl", "Zp", "Zs"}


def _is_hidden(char: str) -> bool:
    """Formatting (right-to-left marks, zero width), surrogates, private and unassigned characters, fillers."""
    return unicodedata.category(char) in {"Cf", "Cs", "Co", "Cn"} or char in "\u115f\u1160\u3164\uffa0\u034f"
