"""Render a part that asks again only once what it shows of leads has changed.

The part sends in the header `X-Shown` the mark of what it shows. It is answered 204 as long as that is the same.
"""

import hashlib
from collections.abc import Iterable

from django.http import HttpRequest

from leads.models import Lead

HEADER = "X-Shown"


def mark_of(leads: Iterable[Lead]) -> str:
    """Return the mark of these leads in their order: another one once any of them changed, came or went."""
    shown = (f"{lead.pk} {lead.updated_at} {lead.grade} {lead.response_due_at}" for lead in leads)
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()[:16]


def is_shown(request: HttpRequest, mark: str) -> bool:
    """Return whether the page that asks shows what has this mark."""
    return request.headers.get(HEADER) == mark
