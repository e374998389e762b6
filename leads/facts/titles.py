"""Derive the seniority and the function from a job title."""

import re
from enum import StrEnum

from leads.facts.tables import JOB_FUNCTIONS
from leads.facts.words import words_of


class Seniority(StrEnum):
    """List the levels, highest first. A title that names no level has none."""

    OWNER = "owner"
    C_LEVEL = "c_level"
    VP = "vp"
    HEAD = "head"
    DIRECTOR = "director"
    MANAGER = "manager"
    SENIOR = "senior"
    ENTRY = "entry"


#: In this order: what qualifies a title comes before the title that it qualifies.
_SENIORITY = [
    (re.compile(rf"\b(?:{words})\b"), level)
    for words, level in (
        ("former(?:ly)?|ex|retired|ehemalig(?:e|er)?|a d", None),
        ("assistant to|assistant of|executive assistant|personal assistant|assistenz|assistentin", Seniority.ENTRY),
        ("intern|internship|trainee|apprentice|working student|werkstudent(?:in)?|praktikant(?:in)?", Seniority.ENTRY),
        ("vice president|[sea]?vp", Seniority.VP),
        ("product owner|process owner", Seniority.MANAGER),
        ("(?:co ?)?owner|(?:co ?)?founder|proprietor|inhaber(?:in)?|(?:mit)?grunder(?:in)?", Seniority.OWNER),
        ("managing partner|general partner|founding partner", Seniority.OWNER),
        ("chief of staff", Seniority.HEAD),
        ("c[eftomipdsl]o|cro|chro|ciso|cco|chief|president|managing director", Seniority.C_LEVEL),
        ("geschaftsfuhrer(?:in)?|vorstand|managing directors", Seniority.C_LEVEL),
        ("head|leiter(?:in)?|bereichsleiter(?:in)?|general manager", Seniority.HEAD),
        ("director|direktor(?:in)?", Seniority.DIRECTOR),
        ("account manager|case manager", Seniority.SENIOR),
        ("manager(?:in)?|supervisor|team ?lead|team ?leader|teamleiter(?:in)?", Seniority.MANAGER),
        ("senior|sr|principal|staff|lead", Seniority.SENIOR),
        ("junior|jr|associate|assistant|entry level", Seniority.ENTRY),
    )
]


def seniority_of(title: str) -> str:
    """Return the level that a job title names, or "".

    “Assistant to the CEO” is no CEO, “Vice President” no president.
    """
    words = words_of(title)
    for pattern, level in _SENIORITY:
        if pattern.search(words):
            return level or ""
    return ""


def job_function_of(title: str) -> str:
    """Return the function that a job title names, or ""."""
    words = f" {words_of(title)} "
    for function, names in JOB_FUNCTIONS.items():
        if any(f" {name} " in words for name in names):
            return function
    return ""
