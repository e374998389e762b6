"""Render times, states and stored JSON for pages. Everything is escaped, because only `format_html` makes HTML."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from accounts.core.redaction import mask
from accounts.core.text import REPLACEMENT, plain

Tone = Literal["good", "busy", "warn", "bad", "quiet"]

#: The signs that stand beside the colours, for people who cannot tell colours apart.
SIGNS: Mapping[Tone, str] = {"good": "✓", "busy": "…", "warn": "!", "bad": "✕", "quiet": "–"}
NOTHING = "–"
JSON_LENGTH = 60_000

_DAY, _MONTH = 86_400, 86_400 * 30
#: Up to how many seconds a unit is used --> its length in seconds.
_LENGTHS = [(60, 1), (3600, 60), (_DAY, 3600), (_DAY * 60, _DAY), (_MONTH * 24, _MONTH), (math.inf, _MONTH * 12)]
_DURATIONS = [
    ngettext_lazy("%d second", "%d seconds"),
    ngettext_lazy("%d minute", "%d minutes"),
    ngettext_lazy("%d hour", "%d hours"),
    ngettext_lazy("%d day", "%d days"),
    ngettext_lazy("%d month", "%d months"),
    ngettext_lazy("%d year", "%d years"),
]
_PAST = [
    ngettext_lazy("%d second ago", "%d seconds ago"),
    ngettext_lazy("%d minute ago", "%d minutes ago"),
    ngettext_lazy("%d hour ago", "%d hours ago"),
    ngettext_lazy("%d day ago", "%d days ago"),
    ngettext_lazy("%d month ago", "%d months ago"),
    ngettext_lazy("%d year ago", "%d years ago"),
]
_FUTURE = [
    ngettext_lazy("in %d second", "in %d seconds"),
    ngettext_lazy("in %d minute", "in %d minutes"),
    ngettext_lazy("in %d hour", "in %d hours"),
    ngettext_lazy("in %d day", "in %d days"),
    ngettext_lazy("in %d month", "in %d months"),
    ngettext_lazy("in %d year", "in %d years"),
]


def ago(when: datetime | None) -> str:
    """Return a time such as `3 minutes ago`, with the exact time in UTC on hover."""
    if when is None:
        return NOTHING
    exact = when.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%a %d %b %Y, %H:%M:%S} UTC",
        relative(timezone.now() - when),
    )


def relative(age: timedelta) -> str:
    """Return `just now`, `5 minutes ago` or `in 2 hours`. From two months on count months, then years."""
    seconds = abs(age.total_seconds())
    if seconds < 5:
        return _("just now")
    return _in_largest_unit(_PAST if age.total_seconds() > 0 else _FUTURE, seconds)


def duration(length: timedelta) -> str:
    """Return a duration such as `1 minute` or `3 hours`, in the largest unit that fits, rounded down."""
    return _in_largest_unit(_DURATIONS, length.total_seconds())


def badge(text: str, tone: Tone) -> SafeString:
    """Return a badge: a text, a sign and a colour."""
    return format_html(
        '<span class="badge badge-{}"><span aria-hidden="true">{}</span> {}</span>', tone, SIGNS[tone], text
    )


def code(text: str) -> SafeString | str:
    return format_html("<code>{}</code>", text) if text else NOTHING


def link(target: Model | None, text: str = "") -> SafeString | str:
    """Return a link to the object's page in the back office."""
    if target is None:
        return NOTHING
    meta = target._meta
    return link_to(f"{meta.app_label}_{meta.model_name}", target.pk, text or str(target))


def link_to(view: str, pk: object, text: str) -> SafeString | str:
    """Return a link to a back-office page by the name of its view, for callers that hold only an id of an upper app."""
    if not pk:
        return NOTHING
    try:
        url = reverse(f"admin:{view}_change", args=[pk])
    except NoReverseMatch:
        return text
    return format_html('<a href="{}">{}</a>', url, text)


def receipt_link(public_id: str) -> SafeString | str:
    """Return a link to a receipt by its public id."""
    return link_to("webhooks_receipt", public_id.rpartition("_")[2], public_id)


def list_link(view: str, text: str, **filters: str) -> SafeString:
    """Return a link to a back-office list with filters set."""
    url = reverse(f"admin:{view}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', url, text)


def side_by_side(*links: SafeString) -> SafeString:
    return format_html_join(" · ", "{}", ((link,) for link in links))


def pretty_json(value: Any) -> SafeString:
    """Return stored JSON, indented and without secrets."""
    return _preformatted(json.dumps(mask(value), indent=2, ensure_ascii=False, default=str))


def pretty_body(body: bytes | memoryview) -> SafeString:
    """Return a request body, indented if it is JSON, else as text. Bytes that are not UTF-8 show as U+FFFD."""
    try:
        return pretty_json(json.loads(bytes(body)))
    except (ValueError, RecursionError):
        return _preformatted(str(mask(bytes(body))))


def table(heads: Iterable[str], rows: Iterable[Iterable[object]], *, empty: str) -> SafeString:
    """Return a small table for a page, or the sentence `empty` if there are no rows."""
    heads = list(heads)
    cells = (format_html_join("", '<td data-label="{}">{}</td>', zip(heads, row, strict=True)) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", ([row] for row in cells))
    if not body:
        return format_html('<p class="empty">{}</p>', empty)
    head = format_html_join("", '<th scope="col">{}</th>', ([text] for text in heads))
    return format_html(
        '<div class="scroll"><table class="inner"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>', head, body
    )


def list_some(names: Sequence[str], most: int = 3) -> str:
    """Return some names in a sentence, and how many more there are: `a, b, c and 4 more`."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def visible(text: str) -> str:
    """Return the text with U+FFFD in place of control characters, direction marks and other invisible characters."""
    return plain(text, lines=True, replaced_by=REPLACEMENT)


def _preformatted(text: str) -> SafeString:
    cut = len(text) > JSON_LENGTH
    content = visible(text[:JSON_LENGTH]) + ("\n… (cut here)" if cut else "")
    return format_html('<pre class="json" tabindex="0">{}</pre>', content)


def _in_largest_unit(words: Sequence[Any], seconds: float) -> str:
    place = next(place for place, (limit, _size) in enumerate(_LENGTHS) if seconds < limit)
    return str(words[place] % (int(seconds) // _LENGTHS[place][1]))
