"""Show conversations with leads: who waits for an answer, what was written, and the lead beside it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core.enums import Role
from accounts.models import Agency
from accounts.portal import MemberRequest, add_error_messages, paginate, readers, redirect_back, render_page, writers
from accounts.web.portal.pagination import Page
from accounts.web.portal.sorting import Order
from accounts.web.refusals import refusals_as_messages
from leads.inbox.service import WAITING, mark_read, set_label
from leads.models import Message, Thread, ThreadRead
from leads.models.inbox import MAX_LABEL_LENGTH
from leads.portal.assignees import assignees_for, name_of
from leads.portal.clocks import clock_context
from leads.portal.tasks import activity_context

SHOWN = 200  # messages of a conversation
WAITS, MINE, UNASSIGNED, ALL = "waiting", "mine", "unassigned", "all"
VIEWS = {WAITS: _("Waiting"), MINE: _("Mine"), UNASSIGNED: _("Unassigned"), ALL: _("All")}
OLDEST_WAIT_FIRST = Order("waiting_since", descending=False)
NEWEST_MESSAGE_FIRST = Order("last_message_at")


class LabelForm(forms.Form):
    label = forms.CharField(
        required=False, max_length=MAX_LABEL_LENGTH, label=_("Label"), help_text=_("Such as “pricing”; empty for none.")
    )


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


@require_safe
@readers
def conversation(request: MemberRequest, pk: str) -> HttpResponse:
    """Show a conversation, beside what has to be known and done about the lead."""
    thread = _thread(request, pk)
    return render_page(
        request,
        "portal/conversation.html",
        "inbox",
        thread=thread,
        lead=thread.lead,
        label_form=LabelForm(initial={"label": thread.label}),
        assignees=assignees_for(request.member),
        assignee=name_of(thread.lead.assigned_to) if thread.lead.assigned_to else "",
        **_messages(request, thread),
        **clock_context(thread.lead, request.agency),
        **activity_context(thread.lead_id, request),
    )


@require_safe
@readers
def conversation_messages(request: MemberRequest, pk: str) -> HttpResponse:
    """Show the messages of a conversation alone: its page asks for them again and again."""
    thread = _thread(request, pk)
    may_change = request.member.role in (Role.OWNER, Role.MANAGER)
    context = {"thread": thread, "lead": thread.lead, "may_change": may_change, **_messages(request, thread)}
    return render(request, "portal/parts/messages.html", context)


@require_POST
@readers
def conversation_read(request: MemberRequest, pk: str) -> HttpResponse:
    """Record that the member has read the conversation."""
    mark_read(_thread(request, pk), member=request.member)
    return redirect_back(request, "portal_conversation", pk)


@require_POST
@writers
def conversation_label(request: MemberRequest, pk: str) -> HttpResponse:
    thread = _thread(request, pk)
    form = LabelForm(request.POST)
    if form.is_valid():
        with refusals_as_messages(request):
            set_label(thread, form.cleaned_data["label"])
            messages.success(request, gettext("Saved."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_conversation", thread.pk)


def _thread(request: MemberRequest, pk: str) -> Thread:
    related = ("lead__assigned_to", "lead__account", "lead__campaign", "account")
    return get_object_or_404(request.agency.threads.select_related(*related), pk=pk)


def _messages(request: MemberRequest, thread: Thread) -> dict[str, Any]:
    """Return what the part with the messages shows: the newest ones, the oldest of them first."""
    newest = list(thread.messages.select_related("user").order_by("-occurred_at", "-pk")[: SHOWN + 1])
    read = ThreadRead.objects.filter(thread=thread, member=request.member).values_list("read_at", flat=True).first()
    written_at = thread.last_received_at
    return {
        "written": newest[:SHOWN][::-1],
        "is_cut": len(newest) > SHOWN,
        "is_new": written_at is not None and (read is None or read < written_at),
    }


def _page(request: MemberRequest, view: str) -> Page[Thread]:
    """Return the conversations of a view, with their last message and when the member read them."""
    last = Message.objects.filter(thread=OuterRef("pk")).order_by("-occurred_at", "-pk")
    reads = ThreadRead.objects.filter(thread=OuterRef("pk"), member=request.member)
    rows = request.agency.threads.select_related("lead__assigned_to", "account").annotate(
        last_text=Subquery(last.values("text")[:1]),
        last_author=Subquery(last.values("author")[:1]),
        read_by_me=Subquery(reads.values("read_at")[:1]),
    )
    if view == WAITS:
        return paginate(request, rows.filter(WAITING), order=OLDEST_WAIT_FIRST)
    if view == MINE:
        rows = rows.filter(lead__assigned_to=request.member.user_id)
    elif view == UNASSIGNED:
        rows = rows.filter(lead__assigned_to__isnull=True)
    return paginate(request, rows, order=NEWEST_MESSAGE_FIRST)
