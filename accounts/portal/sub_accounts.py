"""Show the sub-accounts of the agency, and name them."""

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core.search import matching
from accounts.models import SubAccount
from accounts.tenancy.sub_accounts import MAX_NAME_LENGTH, rename_sub_account
from accounts.web.portal.access import MemberRequest, readers, writers
from accounts.web.portal.pagination import paginate
from accounts.web.portal.place_figures import figures_at
from accounts.web.portal.views import add_error_messages, redirect_back, render_page
from accounts.web.refusals import refusals_as_messages


class PlaceFilter(forms.Form):
    q = forms.CharField(required=False, max_length=200, label=_("Name, location ID or installer"))


class NameForm(forms.Form):
    name = forms.CharField(required=False, max_length=MAX_NAME_LENGTH, label=_("Name"))


@require_safe
@readers
def sub_account_list(request: MemberRequest) -> HttpResponse:
    """List sub-accounts. `?edit=` names the one whose name is being edited."""
    filters = PlaceFilter(request.GET)
    places = request.agency.sub_accounts.all()
    if filters.is_valid() and (word := filters.cleaned_data["q"]):
        places = places.filter(matching(SubAccount, word))
    page = paginate(request, places)
    figures = figures_at(page.rows)
    accounts = dict(
        request.agency.accounts.filter(sub_account__in=page.rows)
        .order_by()
        .values_list("sub_account")
        .annotate(Count("pk"))
    )
    edited = request.GET.get("edit", "")
    return render_page(
        request,
        "portal/sub_accounts.html",
        "sub_accounts",
        page=page,
        lines=[
            (
                place,
                accounts.get(place.pk, 0),
                figures.get("leads", {}).get(place.pk, 0),
                NameForm(initial={"name": place.name}, auto_id=f"{place.pk}_%s") if place.pk == edited else None,
            )
            for place in page.rows
        ],
        filters=filters,
        filtered=bool(request.GET.get("q")),
    )


@require_POST
@writers
def sub_account_rename(request: MemberRequest, pk: str) -> HttpResponse:
    place = get_object_or_404(request.agency.sub_accounts, pk=pk)
    form = NameForm(request.POST)
    if form.is_valid():
        with refusals_as_messages(request):
            rename_sub_account(place, form.cleaned_data["name"], by=request.member.user)
            messages.success(request, gettext("Name saved."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_sub_accounts")
