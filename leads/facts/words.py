"""Normalise texts for look-ups in tables."""

import re

from accounts.core.derived_fields import fold, without_accents


def words_of(text: str) -> str:
    """Return a text folded, without accents and dots, its other punctuation as blanks."""
    return " ".join(re.findall(r"\w+", without_accents(fold(text)).replace(".", "").replace("_", " ")))
