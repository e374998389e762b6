"""What came from outside, made harmless before people read it in mails, in Slack and on pages."""

import re

from accounts.core.text import plain, shorten

MAX_NAME_LENGTH = 120
MAX_SUBJECT_LENGTH = 150
MAX_DETAIL_LENGTH = 500


def clean(text: str, limit: int = MAX_NAME_LENGTH) -> str:
    """Outside text as one harmless line: no control, bidirectional or invisible characters, no addresses that mail
    programs would turn into links, at most `limit` characters."""
    line = " ".join(plain(text[: limit * 20]).split())
    line = re.sub(r":/+", ": ", line)
    line = re.sub(r"(?i)\bwww\.", "www ", line)
    return shorten(line, limit)
