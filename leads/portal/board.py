"""Serve the board of leads: a column for each status of leads that are open, and moves from one to another."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core.enums import Role
from accounts.portal import MemberRequest, Page, add_error_messages, paginate, readers, render_page, writers
from accounts.web.portal.navigation import capped_count
from accounts.web.refusals import refusals_as_messages
from leads.enums import ENDED, LeadStatus
from leads.labels import STATUSES
from leads.models import Lead, LeadQuerySet
from leads.pipeline.changes import move_lead
from leads.pipeline.merge import root_id
from leads.portal.filters import SORTING, LeadFilter
from leads.portal.lists import list_tabs, saved_filters_of
from leads.portal.marks import is_shown, mark_of

SIZE = 8  # cards of a column, and how many more come at once
OPEN = tuple(status for status in LeadStatus if status not in ENDED)


@dataclass(frozen=True, slots=True)
class Column:
    """The first leads of one status, and how many there are."""

    status: LeadStatus
    name: str
    page: Page[Lead]
    count: str


class MoveForm(forms.Form):
    """Where a card was put, and the status that it showed."""

    status = forms.ChoiceField(choices=[(status.value, label.text) for status, label in STATUSES.items()])
    shown = forms.ChoiceField(choices=[(status.value, label.text) for status, label in STATUSES.items()])


@require_safe
@readers
def lead_board(request: MemberRequest) -> HttpResponse:
    filters = LeadFilter(request.GET, request.agency, request.member)
    leads = _open_leads(request, filters)
    columns = [_column(request, leads, status) for status in OPEN]
    mark = mark_of(lead for column in columns for lead in column.page.rows)
    if is_shown(request, mark):
        return HttpResponse(status=204)
    return render_page(
        request,
        "portal/board.html",
        "leads",
        columns=columns,
        ends=[(status, STATUSES[status].text) for status in ENDED],
        mark=mark,
        filters=filters,
        filtered=filters.is_set,
        tabs=list_tabs(request, filters, saved_filters_of(request.member)),
        timed=[lead.pk for column in columns for lead in column.page.rows if lead.response_due_at],
        is_empty=not any(column.page for column in columns),
    )


@require_safe
@readers
def board_column(request: MemberRequest, status: str) -> HttpResponse:
    """Show the next cards of a column: those after the key that the address says."""
    if status not in OPEN:
        raise Http404
    filters = LeadFilter(request.GET, request.agency, request.member)
    column = _column(request, _open_leads(request, filters), LeadStatus(status))
    context = {"column": column, "filters": filters, "is_later": True, "may_change": _may_change(request)}
    return render(request, "portal/parts/board_cards.html", context)


@require_POST
@writers
def board_move(request: MemberRequest, pk: str) -> HttpResponse:
    """Give a lead the status of the column that its card was put into, unless it has another than the card showed.

    Answer with the card as it is now, the reason if the lead was not moved, and what the columns count.
    """
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    form = MoveForm(request.POST)
    if form.is_valid():
        status, shown = (LeadStatus(form.cleaned_data[name]) for name in ("status", "shown"))
        with refusals_as_messages(request):
            move_lead(lead, status=status, expected=shown, by=request.member.user)
            text = _("Status of %(lead)s changed to “%(status)s”.")
            messages.success(request, text % {"lead": lead, "status": STATUSES[status].text})
    add_error_messages(request, form)
    filters = LeadFilter(request.GET, request.agency, request.member)
    leads = _open_leads(request, filters)
    context = {
        "lead": leads.filter(pk=lead.pk).first(),
        "may_change": True,
        "is_moved": True,
        "counts": [(status, capped_count(leads.filter(status=status))) for status in OPEN],
    }
    return render(request, "portal/parts/board_moved.html", context)


def _may_change(request: MemberRequest) -> bool:
    return request.member.role in (Role.OWNER, Role.MANAGER)


def _open_leads(request: MemberRequest, filters: LeadFilter) -> LeadQuerySet:
    return filters.apply(request.agency.leads.open_leads()).select_related("assigned_to")


def _column(request: MemberRequest, leads: LeadQuerySet, status: LeadStatus) -> Column:
    rows = leads.filter(status=status)
    page = paginate(request, rows, size=SIZE, order=SORTING.order(request))
    count = capped_count(rows) if page.older or page.first else str(len(page.rows))
    return Column(status, STATUSES[status].text, page, count)
