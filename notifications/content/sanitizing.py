"""What came from outside, made harmless before people read it in mails, in Slack and on pages."""

import re
import unicodedata

MAX_NAME_LENGTH = 120
MAX_SUBJECT_LENGTH = 150
MAX_DETAIL_LENGTH = 500


def clean(text: str, limit: int = MAX_NAME_LENGTH) -> str:
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
