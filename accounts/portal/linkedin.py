"""Show LinkedIn accounts."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.core.search import matching
from accounts.linkedin.links import contradicting_accounts, describe_views, linked_accounts
from accounts.linkedin.readiness import with_campaigns_paused
from accounts.models import Account
from accounts.reauth.recipients import mail_problem
from accounts.web.portal.access import MemberRequest, readers
from accounts.web.portal.forms import AccountFilter
from accounts.web.portal.pagination import paginate
from accounts.web.portal.views import render_page


@require_safe
@readers
def account_list(request: MemberRequest) -> HttpResponse:
    filters = AccountFilter(request.GET)
    rows = _filtered(request.agency.accounts.select_related("sub_account"), filters)
    return render_page(
        request,
        "portal/accounts.html",
        "accounts",
        page=paginate(request, rows),
        filters=filters,
        filtered=any(request.GET.get(name) for name in filters.fields),
    )


@require_safe
@readers
def account_page(request: MemberRequest, pk: str) -> HttpResponse:
    accounts = with_campaigns_paused(request.agency.accounts.select_related("sub_account", "source"))
    account = get_object_or_404(accounts, pk=pk)
    linked = linked_accounts([account])[account.pk]
    return render_page(
        request,
        "portal/account.html",
        "accounts",
        account=account,
        contradiction=describe_views(contradicting_accounts(account, linked)),
        history=paginate(request, account.reports.all(), size=25),
        linked=linked,
        mail_problem=mail_problem(account),
        campaigns=account.campaigns.order_by("-id")[:50],
    )


def _filtered(accounts: "QuerySet[Account]", filters: AccountFilter) -> "QuerySet[Account]":
    filters.is_valid()
    for name, column in (("status", "status"), ("provider", "provider"), ("location", "sub_account_id")):
        if value := filters.cleaned_data.get(name):
            accounts = accounts.filter(**{column: value})
    if word := filters.cleaned_data.get("q"):
        accounts = accounts.filter(matching(Account, word))
    return accounts
