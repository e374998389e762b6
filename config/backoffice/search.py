"""Search everything that staff look for by a part of its name, e-mail or id: the field in the head of every page."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from accounts.core.search import is_long_enough
from accounts.models import Account, Agency, Campaign, Invitation, Member, Source, SubAccount
from config.backoffice.menu import title_of
from leads.models import Lead
from notifications.models import Channel

#: In the order in which the page shows them.
SEARCHED: tuple[type[Model], ...] = (Lead, Account, Agency, Member, Invitation, SubAccount, Campaign, Source, Channel)
MAX_HITS = 6


@dataclass(frozen=True, slots=True)
class Found:
    """The newest hits of a kind: each with its link, its name and what tells it from others; and the list of all."""

    title: str
    hits: list[tuple[str, str, str]]
    list_url: str
    has_more: bool


def search(site: AdminSite, request: HttpRequest, word: str) -> list[Found]:
    """Return what a word finds, of the kinds that this person may view."""
    if not is_long_enough(word):
        return []
    groups = (_found(site._registry[model], request, word) for model in SEARCHED)
    return [group for group in groups if group.hits]


def _found(page: Any, request: HttpRequest, word: str) -> Found:
    view = f"admin:{page.opts.app_label}_{page.opts.model_name}"
    rows: list[Any] = []
    if page.has_view_or_change_permission(request):
        found, _ = page.get_search_results(request, page.get_queryset(request), word)
        rows = list(found.order_by("-pk")[: MAX_HITS + 1])
    hits = [(reverse(f"{view}_change", args=[row.pk]), str(row), _detail(row)) for row in rows[:MAX_HITS]]
    list_url = reverse(f"{view}_changelist", query={"q": word})
    return Found(title_of(page), hits, list_url, len(rows) > MAX_HITS)


def _detail(row: Any) -> str:
    parts = [getattr(row, name, "") for name in ("company", "email", "provider", "location_id", "ghl_company_id")]
    agency = "" if isinstance(row, Agency) else getattr(row, "agency", None)
    return " · ".join(str(part) for part in (*parts, agency) if part and str(part) != str(row))
