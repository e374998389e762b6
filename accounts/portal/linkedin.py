"""Show LinkedIn accounts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.core.search import matching
from accounts.linkedin.advice import needs_owner
from accounts.linkedin.attention import NEEDS_ATTENTION, by_urgency
from accounts.linkedin.links import contradicting_accounts, describe_views, linked_accounts
from accounts.linkedin.readiness import readiness, with_campaigns_paused
from accounts.linkedin.uptime import account_spans, measure
from accounts.models import Account
from accounts.portal.account_history import history_of
from accounts.reauth.asking import progress_of
from accounts.reauth.recipients import addresses_for, mail_problem
from accounts.tenancy.localtime import get_zone
from accounts.web.portal.access import MemberRequest, readers
from accounts.web.portal.forms import ATTENTION, AccountFilter
from accounts.web.portal.pagination import paginate
from accounts.web.portal.pictures import percent, uptime_strip_of
from accounts.web.portal.sorting import Order
from accounts.web.portal.views import render_page

UPTIME_DAYS = 30
URGENCY = Order("urgency")
MAX_CAMPAIGNS = 50


@require_safe
@readers
def account_list(request: MemberRequest) -> HttpResponse:
    """List accounts, those first that need somebody."""
    filters = AccountFilter(request.GET, agency=request.agency)
    rows = _filtered(request.agency.accounts.select_related("sub_account"), filters)
    page = paginate(request, by_urgency(rows), order=URGENCY)
    progress, uptime = progress_of(page.rows), _uptimes(page.rows)
    return render_page(
        request,
        "portal/accounts.html",
        "accounts",
        page=page,
        lines=[(one, progress.get(one.pk), uptime.get(one.pk), needs_owner(one)) for one in page.rows],
        tabs=_tabs(request, filters),
        filters=filters,
        filtered=any(request.GET.get(name) for name in filters.fields),
    )


@require_safe
@readers
def account_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show what an account can do, whom to ask, and what happened to it."""
    accounts = with_campaigns_paused(request.agency.accounts.select_related("sub_account", "source"))
    account = get_object_or_404(accounts, pk=pk)
    linked = linked_accounts([account])[account.pk]
    campaigns = list(account.campaigns.order_by("-id")[:MAX_CAMPAIGNS])
    cursor = request.GET.get("before", "")
    return render_page(
        request,
        "portal/account.html",
        "accounts",
        account=account,
        addresses=addresses_for(account),
        can_be_asked=account.status in NEEDS_ATTENTION,
        progress=progress_of([account]).get(account.pk),
        readiness=readiness(account),
        strip=uptime_strip_of(account, get_zone(request.agency.timezone)),
        contradiction=describe_views(contradicting_accounts(account, linked)),
        history=history_of(account, cursor),
        has_newer=bool(cursor),
        linked=linked,
        mail_problem=mail_problem(account),
        campaigns=campaigns,
        can_pause=any(campaign.status == "active" for campaign in campaigns),
        can_resume=any(campaign.status == "paused" for campaign in campaigns),
    )


def _filtered(accounts: "QuerySet[Account]", filters: AccountFilter) -> "QuerySet[Account]":
    filters.is_valid()
    chosen = filters.cleaned_data
    if chosen.get("status") == ATTENTION:
        accounts = accounts.filter(status__in=NEEDS_ATTENTION)
    elif chosen.get("status"):
        accounts = accounts.filter(status=chosen["status"])
    for name, column in (("provider", "provider"), ("location", "sub_account_id")):
        if value := chosen.get(name):
            accounts = accounts.filter(**{column: value})
    if word := chosen.get("q"):
        accounts = accounts.filter(matching(Account, word))
    return accounts


def _tabs(request: MemberRequest, filters: AccountFilter) -> list[dict[str, Any]]:
    """Return the views of the list with their counts. They keep the other filters."""
    counts = dict(request.agency.accounts.order_by().values_list("status").annotate(Count("pk")))
    chosen = filters.cleaned_data.get("status", "")
    tabs = (
        (_("All"), "", sum(counts.values())),
        (_("Needs attention"), ATTENTION, sum(counts.get(status, 0) for status in NEEDS_ATTENTION)),
        (_("Active"), "active", counts.get("active", 0)),
        (_("Deleted"), "deleted", counts.get("deleted", 0)),
    )
    found = []
    for title, status, count in tabs:
        query = request.GET.copy()
        for name in ("status", "before", "after"):
            query.pop(name, None)
        if status:
            query["status"] = status
        current = chosen == status
        found.append({"title": title, "url": f"?{query.urlencode()}", "count": count or "", "current": current})
    return found


def _uptimes(accounts: Sequence[Account]) -> dict[str, str]:
    """Return the uptime of each account over the last UPTIME_DAYS, such as `98.2 %`, by its id."""
    end = timezone.now()
    begin = end - timedelta(days=UPTIME_DAYS)
    by_account: dict[str, list[Any]] = {}
    for span in account_spans(accounts, begin, end):
        by_account.setdefault(span.account_id, []).append(span)
    measured = {pk: measure(spans, begin, end) for pk, spans in by_account.items()}
    return {pk: percent(one.uptime, 1) for pk, one in measured.items() if one.uptime is not None}
