"""Derive a company's size, its name as it is compared, and the domain of an e-mail address."""

import re

from accounts.core.derived_fields import fold, without_accents
from accounts.core.email_addresses import normalize_host
from leads.facts.tables import FREE_MAIL, LEGAL_SUFFIXES

#: A web address, an e-mail address or a bare domain, whose last label is letters or Punycode.
_HOST = re.compile(
    r"(?:https?://)?(?:[^\s/@:]+@)?((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}))\.?"
    r"(?::\d{1,5})?(?:[/?#]\S*)?",
    re.IGNORECASE,
)


def size_of(text: str) -> tuple[int | None, int | None]:
    """Return a company's least and greatest number of employees: `51–200`, `10,001+`, `SIZE_2_TO_10`, `500`."""
    folded = fold(text).replace("_", " ")
    if re.search(r"\bself[ -]?employed\b|\bmyself only\b", folded):
        return 1, 1
    numbers = [int(re.sub(r"[.,' ]", "", one)) for one in re.findall(r"\d{1,3}(?:[.,' ]\d{3})+(?!\d)|\d{1,9}", folded)]
    if not numbers or len(numbers) > 2:
        return None, None
    if len(numbers) == 2:
        return (numbers[0], numbers[1]) if numbers[0] <= numbers[1] else (None, None)
    if re.search(r"\+|\bor more\b|\bplus\b|\bover\b|\bmore than\b|>", folded):
        return numbers[0], None
    if re.search(r"\bless than\b|\bunder\b|\bup to\b|<", folded):
        return 1, numbers[0]
    return numbers[0], numbers[0]


def company_key_of(company: str) -> str:
    """Return a company's name as it is compared: folded, without a legal suffix at its end.

    The “Co” of “Smith & Co” belongs to the name: a suffix after “&” or “and” stays.
    """
    words = re.findall(r"[\w&]+", without_accents(fold(company)).replace(".", ""))
    while len(words) > 1 and words[-1] in LEGAL_SUFFIXES and words[-2] not in ("&", "and", "und", "et", "y"):
        words.pop()
    return " ".join(words)


def host_of(text: str) -> str:
    """Return the host that a text names: a domain, a web address, an e-mail address. Return "" for any other text.

    A `www.` is left out; letters of other scripts become IDNA.
    """
    match = _HOST.fullmatch(text.strip())
    if match is None:
        return ""
    try:
        return normalize_host(match[1]).removeprefix("www.")
    except UnicodeError:
        return ""


def domain_of(email: str) -> str:
    """Return the part of an e-mail address behind the @, or ""."""
    return email.rpartition("@")[2].casefold().rstrip(".")


def is_free_mail(email: str) -> bool | None:
    """Return whether an address is of a provider of free mailboxes; None without an address."""
    domain = domain_of(email)
    return domain in FREE_MAIL if domain else None
