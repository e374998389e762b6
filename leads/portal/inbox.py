"""List conversations with leads: who waits for an answer, the longest wait first."""

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import Agency
from accounts.portal import MemberRequest, paginate, readers, render_page
from accounts.web.portal.pagination import Page
from accounts.web.portal.sorting import Order
from leads.inbox.service import WAITING
from leads.models import Message, Thread, ThreadRead

WAITS, MINE, UNASSIGNED, ALL = "waiting", "mine", "unassigned", "all"
VIEWS = {WAITS: _("Waiting"), MINE: _("Mine"), UNASSIGNED: _("Unassigned"), ALL: _("All")}
OLDEST_WAIT_FIRST = Order("waiting_since", descending=False)
NEWEST_MESSAGE_FIRST = Order("last_message_at")


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the views of the inbox."""

    title: str
    url: str
    current: bool


def waiting_conversations(agency: Agency) -> "QuerySet[Thread]":
    """Return the conversations whose lead waits for an answer, without those of test leads."""
    return agency.threads.filter(WAITING, lead__is_test=False)


@require_safe
@readers
def inbox(request: MemberRequest) -> HttpResponse:
    """List conversations: those that wait, the longest wait first, or the newest message first."""
    view = request.GET.get("view", WAITS)
    view = view if view in VIEWS else WAITS
    context: dict[str, Any] = {"page": _page(request, view), "view": view}
    if request.headers.get("HX-Target") == "threads":
        return render(request, "portal/parts/threads.html", context)
    tabs = [Tab(str(title), f"{reverse('portal_inbox')}?view={name}", name == view) for name, title in VIEWS.items()]
    return render_page(request, "portal/inbox.html", "inbox", tabs=tabs, **context)


def _page(request: MemberRequest, view: str) -> Page[Thread]:
    """Return the conversations of a view, with their last message and when the member read them."""
    last = Message.objects.filter(thread=OuterRef("pk")).order_by("-occurred_at", "-pk")
    reads = ThreadRead.objects.filter(thread=OuterRef("pk"), member=request.member)
    rows = request.agency.threads.select_related("lead__assigned_to", "account").annotate(
        last_text=Subquery(last.values("text")[:1]),
        last_author=Subquery(last.values("author")[:1]),
        last_state=Subquery(last.values("sending_state")[:1]),
        read_by_me=Subquery(reads.values("read_at")[:1]),
    )
    if view == WAITS:
        return paginate(request, rows.filter(WAITING), order=OLDEST_WAIT_FIRST)
    if view == MINE:
        rows = rows.filter(lead__assigned_to=request.member.user_id)
    elif view == UNASSIGNED:
        rows = rows.filter(lead__assigned_to__isnull=True)
    return paginate(request, rows, order=NEWEST_MESSAGE_FIRST)
