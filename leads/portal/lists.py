"""Serve the portal's list of leads, its export and what members save of it."""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core import csv_export
from accounts.models import Member
from accounts.portal import MemberRequest, paginate, readers, redirect_back, render_page, writers
from accounts.web.portal.navigation import capped_count
from accounts.web.recent_sign_in import with_recent_sign_in
from accounts.web.refusals import refusals_as_messages
from leads.analytics.export import TooManyDownloads, download_leads
from leads.labels import STATUSES
from leads.models import LeadQuerySet, SavedFilter
from leads.pipeline.replies import with_latest_reply
from leads.portal.assignees import assignees_for
from leads.portal.filters import DUE, SORTING, LeadFilter
from leads.portal.marks import is_shown, mark_of
from leads.portal.waiting import awaiting_reply, to_be_answered
from leads.saved_filters import remove_filter, save_filter

SIZE = 32  # rows of a page: what a person looks through, and changes at once
LONG_SIZE = 30  # where each row has a reply or a countdown too
MAX_COUNT = 10_000  # counting of a list stops here
AWAITING = "waiting=yes&sort=status_since"
ANSWER_DUE = "clock=open&sort=due"
MAX_REFRESHED = 100  # rows whose clocks one request shows anew


@dataclass(frozen=True, slots=True)
class Tab:
    title: str
    url: str
    current: bool
    count: str = ""


@require_safe
@readers
def lead_list(request: MemberRequest) -> HttpResponse:
    filters = LeadFilter(request.GET, request.agency, request.member)
    leads = filters.apply(request.agency.leads.all())
    order = SORTING.order(request)
    rows = with_latest_reply(_related(leads)) if filters.is_waiting else _related(leads)
    page = paginate(request, rows, size=LONG_SIZE if filters.is_waiting or filters.is_due else SIZE, order=order)
    mark = mark_of(page.rows)
    if is_shown(request, mark):
        return HttpResponse(status=204)
    saved = saved_filters_of(request.member)
    return render_page(
        request,
        "portal/leads.html",
        "leads",
        page=page,
        mark=mark,
        rows=[(lead, order.own_key_of(lead)) for lead in page.rows],
        count=capped_count(leads, MAX_COUNT) if page else "0",
        filters=filters,
        filtered=filters.is_set,
        tabs=list_tabs(request, filters, saved),
        saved=next((one for one in saved if one.query == filters.query), None),
        heads=SORTING.heads(request, {"status_since": _("Status since"), "received": _("Received"), DUE: _("Answer")}),
        timed=[lead.pk for lead in page.rows if lead.response_due_at],
        statuses=STATUSES.items(),
        assignees=assignees_for(request.member),
    )


@require_safe
@readers
def leads_due(request: MemberRequest) -> HttpResponse:
    """Show anew until when the leads of a page have to be answered."""
    ids = [pk for pk in request.GET.getlist("lead")[:MAX_REFRESHED] if "\x00" not in pk]
    return render(request, "portal/parts/leads_due.html", {"leads": request.agency.leads.filter(pk__in=ids)})


@require_POST
@writers
@with_recent_sign_in
def lead_export(request: MemberRequest) -> HttpResponseBase:
    """Download the leads that match the list's filters."""
    filters = LeadFilter(request.GET, request.agency, request.member)
    leads = filters.apply(request.agency.leads.all())
    delimiter = csv_export.NAMED_DELIMITERS.get(request.POST.get("delimiter", ""), "")
    try:
        return download_leads(request.agency, leads, by=request.member.user, delimiter=delimiter)
    except TooManyDownloads as error:
        messages.error(request, str(error))
        return redirect_back(request, "portal_leads")


@require_POST
@readers
def filter_save(request: MemberRequest) -> HttpResponse:
    """Save the list that the form names under a name, for this member alone."""
    query = LeadFilter(QueryDict(request.POST.get("query", "")), request.agency, request.member).saved_query
    name = request.POST.get("name", "")[: SavedFilter._meta.get_field("name").max_length]
    with refusals_as_messages(request):
        saved = save_filter(request.member, name=name, query=query)
        messages.success(request, _("“%(name)s” was saved.") % {"name": saved})
    return redirect(f"{reverse('portal_leads')}?{query}")


@require_POST
@readers
def filter_remove(request: MemberRequest, pk: str) -> HttpResponse:
    mine = SavedFilter.objects.filter(member=request.member)
    saved = get_object_or_404(mine, pk=int(pk) if pk.isdecimal() and len(pk) < 19 else 0)
    remove_filter(saved)
    messages.success(request, _("“%(name)s” was removed.") % {"name": saved})
    return redirect("portal_leads")


def saved_filters_of(member: Member) -> "QuerySet[SavedFilter]":
    return SavedFilter.objects.filter(member=member).order_by("name")


def _related(leads: LeadQuerySet) -> LeadQuerySet:
    return leads.select_related("campaign", "account", "assigned_to")


def list_tabs(request: MemberRequest, filters: LeadFilter, saved: "QuerySet[SavedFilter]") -> list[Tab]:
    """Return the lists that everybody has, and those that the member saved."""
    waiting = capped_count(awaiting_reply(request.agency))
    due = capped_count(to_be_answered(request.agency))
    everybody = [
        (_("All leads"), "", ""),
        (_("Awaiting reply"), AWAITING, "" if waiting == "0" else waiting),
        (_("To be answered"), ANSWER_DUE, "" if due == "0" else due),
        (_("Mine"), "assigned_to=me", ""),
        (_("Unassigned"), "assigned_to=none", ""),
    ]
    lists = [*everybody, *((one.name, one.query, "") for one in saved)]
    current = next((number for number, (_title, query, _count) in enumerate(lists) if _same(query, filters.query)), -1)
    return [Tab(title, f"?{query}", number == current, count) for number, (title, query, count) in enumerate(lists)]


def _same(query: str, other: str) -> bool:
    return QueryDict(query).dict() == QueryDict(other).dict()
