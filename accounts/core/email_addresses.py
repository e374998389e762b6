"""Bring e-mail addresses and host names into one canonical form, so that equal addresses compare equal.

Domains follow IDNA 2008 with UTS 46, non-transitional: `faß.example` and `fass.example` stay two domains. The local
part is folded to lower case, because no mailbox provider in use distinguishes `Ann` from `ann`.
"""

import re
import unicodedata
from email.utils import formataddr, parseaddr
from typing import Any

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 254
INVALID = _("Enter an e-mail address.")

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")
_NAMED = re.compile(r'(?:"[^"]*"|[^<>",;@])*<([^<>]+)>\Z')
_MAILTO = re.compile(r"mailto:", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"\\]+)"\Z')


def normalize_email(text: str) -> str:
    """Return the canonical form of one e-mail address. Raises ValidationError.

    Surrounding blanks, a `mailto:` prefix and a display name (`Ann <ann@example.com>`) are removed. Full-width letters
    are read as ASCII.
    """
    if not isinstance(text, str) or len(text) > 4 * MAX_LENGTH or _CONTROLS.search(text.strip()):
        raise ValidationError(INVALID)
    address = _without_wrapping(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip())
    local, _, domain = address.rpartition("@")
    if quoted := _QUOTED.match(local):
        local = quoted[1]
    try:
        canonical = f"{local.lower()}@{normalize_host(domain)}"
    except UnicodeError:
        raise ValidationError(INVALID) from None
    validate_email(canonical)
    if len(canonical) > MAX_LENGTH or '"' in canonical or "[" in domain:
        raise ValidationError(INVALID)
    return canonical


def email_key(text: str) -> str:
    """Return the canonical form of an address, or the lower-case text if it is no address, for comparisons and
    look-ups."""
    try:
        return normalize_email(text)
    except ValidationError:
        return text.strip().lower()


def normalize_host(host: str) -> str:
    """Return a host name in lower-case ASCII without a trailing dot. Raises UnicodeError for a name that no domain can
    have."""
    host = host.strip().removesuffix(".")
    if host.isascii() and "xn--" not in host.lower():
        return host.lower()
    return idna.encode(host, uts46=True, transitional=False, std3_rules=True).decode("ascii")


def normalize_sender(text: str) -> str:
    """Return a sender (`Name <address>` or an address) with its address in canonical form. Return any other text
    unchanged."""
    name, address = parseaddr(text)
    try:
        return formataddr((name, normalize_email(address)))
    except (ValidationError, UnicodeError):
        return text


def display_email(address: str) -> str:
    """Return an address for display, with an internationalised domain in its own letters."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain.lower():
        return address
    try:
        readable = idna.decode(domain)
        return f"{local}{at}{readable}" if normalize_host(readable) == domain.lower() else address
    except UnicodeError:
        return address


class EmailAddressField(forms.EmailField):
    """A form field that takes an address in any spelling. Its value is the canonical form."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return normalize_email(text) if text else ""


def _without_wrapping(text: str) -> str:
    """Return the address inside `mailto:…` or `Name <…>`."""
    if _MAILTO.match(text):
        text = text[len("mailto:") :].partition("?")[0].strip()
    named = _NAMED.match(text)
    return named[1].strip() if named else text
