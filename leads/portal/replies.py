"""Answer a lead in a conversation, and decide about messages that were not sent."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.portal import MemberRequest, redirect_back, writers
from accounts.web.refusals import refusals_as_messages, refusals_on
from leads.inbox import sending
from leads.inbox.service import mark_read
from leads.models import Message
from leads.portal.conversations import render_conversation, thread_of, waiting_context
from leads.portal.preflight import ReplyForm


@require_POST
@writers
def conversation_reply(request: MemberRequest, pk: str) -> HttpResponse:
    """Have a message sent. A refused text is shown again in its box."""
    thread = thread_of(request, pk)
    form = ReplyForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            sending.reply(thread, form.cleaned_data["text"], user=request.member.user)
    if form.errors:
        return render_conversation(request, thread, form)
    mark_read(thread, member=request.member)
    if hold := waiting_context(thread).get("hold"):
        messages.warning(
            request, gettext("The message is sent as soon as the account is ready. %(why)s") % {"why": hold}
        )
    else:
        messages.success(request, gettext("The message is on its way."))
    return redirect_back(request, "portal_conversation", thread.pk)


@require_POST
@writers
def message_send_again(request: MemberRequest, pk: str) -> HttpResponse:
    return _decide(request, pk, sending.send_again, gettext("The message is on its way."))


@require_POST
@writers
def message_mark_sent(request: MemberRequest, pk: str) -> HttpResponse:
    return _decide(request, pk, sending.mark_sent, gettext("The message is marked as sent."))


@require_POST
@writers
def message_discard(request: MemberRequest, pk: str) -> HttpResponse:
    return _decide(request, pk, sending.discard, gettext("The message is discarded. Nobody gets it."))


def _decide(request: MemberRequest, pk: str, decide: Callable[[Message], Any], said: str) -> HttpResponse:
    """Carry out what a person decided about a message, or show why that is not possible."""
    written = request.agency.messages.select_related("thread__lead", "thread__account", "lead__agency")
    message = get_object_or_404(written, pk=pk, thread__isnull=False)
    with refusals_as_messages(request):
        decide(message)
        messages.success(request, said)
    return redirect_back(request, "portal_conversation", str(message.thread_id))
