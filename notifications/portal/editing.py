"""Serve the forms that add and change a channel. Pages fetch them by htmx; without JavaScript they are pages."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.core.email_addresses import display_email
from accounts.portal import MemberRequest, redirect_back, render_page, writers
from accounts.web.refusals import refusals_on
from notifications.channels import service as channels
from notifications.channels.presets import PRESETS
from notifications.models import Channel, ChannelKind
from notifications.portal.forms import ChannelForm, channel_choices
from notifications.portal.kinds import KINDS
from notifications.portal.secrets import show_secret


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def add_channel(request: MemberRequest, kind: str) -> HttpResponse:
    if kind not in set(ChannelKind):
        raise Http404
    of_kind = ChannelKind(kind)
    given, preset = request.POST if _sent(request) else None, request.GET.get("events", "")
    offered, preset = channel_choices(request.agency), preset if preset in PRESETS else ""
    form = ChannelForm(given, agency=request.agency, offered=offered, kind=of_kind, preset=preset)
    if form.is_valid():
        with refusals_on(form):
            channel, secret = channels.create_channel(
                request.agency, kind=kind, by=request.member.user, **form.values()
            )
        if not form.errors:
            return _show_added(request, channel, secret)
    return _render_form(request, form, of_kind)


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def edit_channel(request: MemberRequest, pk: str) -> HttpResponse:
    channel = get_object_or_404(request.agency.channels, pk=pk)
    kind = ChannelKind(channel.kind)
    given = request.POST if _sent(request) else None
    offered = channel_choices(request.agency)
    form = ChannelForm(given, agency=request.agency, offered=offered, kind=kind, channel=channel)
    if form.is_valid():
        with refusals_on(form):
            channels.update_channel(channel, by=request.member.user, **form.values())
            messages.success(request, _("Saved."))
            return redirect_back(request, "portal_notifications", anchor=channel.pk)
    return _render_form(request, form, kind, channel)


def _sent(request: MemberRequest) -> bool:
    return request.method == "POST"


def _show_added(request: MemberRequest, channel: Channel, secret: str | None) -> HttpResponse:
    if secret:
        return show_secret(request, _("%(channel)s is ready") % {"channel": channel}, channel, secret)
    if channel.kind == ChannelKind.EMAIL:
        text = _("Added. %(address)s now gets an e-mail to confirm the address, and nothing else before that.")
        messages.success(request, text % {"address": display_email(channel.email)})
    else:
        messages.success(request, _("Added. Send a test to check that it is delivered."))
    return redirect_back(request, "portal_notifications", anchor=channel.pk)


def _render_form(
    request: MemberRequest, form: ChannelForm, kind: ChannelKind, channel: Channel | None = None
) -> HttpResponse:
    status = 422 if form.errors else 200
    return render_page(
        request,
        "portal/channel_form.html",
        "notifications",
        status=status,
        form=form,
        channel=channel,
        words=KINDS[kind],
    )
