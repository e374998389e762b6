"""Show a conversation with a lead: what was written, a box to answer, and the lead beside it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core.enums import Role
from accounts.linkedin.readiness import Action, held
from accounts.portal import MemberRequest, add_error_messages, readers, redirect_back, render_page, writers
from accounts.web.refusals import refusals_as_messages
from leads.inbox.service import mark_read, set_label
from leads.inbox.ways import NoWay, way_of
from leads.models import Thread, ThreadRead
from leads.models.inbox import MAX_LABEL_LENGTH
from leads.portal.assignees import assignees_for, name_of
from leads.portal.clocks import clock_context
from leads.portal.inbox import waiting_conversations
from leads.portal.preflight import ReplyForm, reply_context
from leads.portal.tasks import activity_context

SHOWN = 200  # messages of a conversation


class LabelForm(forms.Form):
    label = forms.CharField(
        required=False, max_length=MAX_LABEL_LENGTH, label=_("Label"), help_text=_("Such as “pricing”; empty for none.")
    )


@require_safe
@readers
def conversation(request: MemberRequest, pk: str) -> HttpResponse:
    """Show a conversation, beside what has to be known and done about the lead."""
    return render_conversation(request, thread_of(request, pk))


def render_conversation(request: MemberRequest, thread: Thread, form: ReplyForm | None = None) -> HttpResponse:
    """Return the page of a conversation, with a reply that was refused if there is one."""
    return render_page(
        request,
        "portal/conversation.html",
        "inbox",
        status=422 if form else 200,
        thread=thread,
        lead=thread.lead,
        **waiting_context(thread),
        **reply_context(request, thread, form),
        following=_following(request, thread),
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
    thread = thread_of(request, pk)
    may_change = request.member.role in (Role.OWNER, Role.MANAGER)
    context = {"thread": thread, "lead": thread.lead, "may_change": may_change, **_messages(request, thread)}
    return render(request, "portal/parts/messages.html", context)


@require_POST
@readers
def conversation_read(request: MemberRequest, pk: str) -> HttpResponse:
    """Record that the member has read the conversation."""
    mark_read(thread_of(request, pk), member=request.member)
    return redirect_back(request, "portal_conversation", pk)


@require_POST
@writers
def conversation_label(request: MemberRequest, pk: str) -> HttpResponse:
    thread = thread_of(request, pk)
    form = LabelForm(request.POST)
    if form.is_valid():
        with refusals_as_messages(request):
            set_label(thread, form.cleaned_data["label"])
            messages.success(request, gettext("Saved."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_conversation", thread.pk)


def thread_of(request: MemberRequest, pk: str) -> Thread:
    """Return a conversation of the agency. Raises Http404."""
    related = ("lead__assigned_to", "lead__account", "lead__campaign", "account", "agency")
    return get_object_or_404(request.agency.threads.select_related(*related), pk=pk)


def _messages(request: MemberRequest, thread: Thread) -> dict[str, Any]:
    """Return what the part with the messages shows: the newest ones, the oldest of them first."""
    newest = list(thread.messages.select_related("user", "sending").order_by("-occurred_at", "-pk")[: SHOWN + 1])
    read = ThreadRead.objects.filter(thread=thread, member=request.member).values_list("read_at", flat=True).first()
    written_at = thread.last_received_at
    return {
        "written": newest[:SHOWN][::-1],
        "is_cut": len(newest) > SHOWN,
        "is_new": written_at is not None and (read is None or read < written_at),
    }


def waiting_context(thread: Thread) -> dict[str, Any]:
    """Return why nobody can answer here (`no_way`), or what an answer would wait for (`hold`)."""
    try:
        way = way_of(thread)
    except NoWay as error:
        return {"no_way": str(error)}
    hold = held(way.account, Action.SEND_MESSAGE) if way.account else None
    return {"no_way": "", "hold": hold.words if hold else ""}


def _following(request: MemberRequest, thread: Thread) -> str:
    """Return the page of the next conversation that waits, from the longest wait on, or ""."""
    waiting = waiting_conversations(request.agency).exclude(pk=thread.pk).order_by("waiting_since", "pk")
    later = waiting.filter(waiting_since__gt=thread.waiting_since) if thread.waiting_since else waiting
    found = later.first() or waiting.first()
    return reverse("portal_conversation", args=[found.pk]) if found else ""
