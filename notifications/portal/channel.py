"""Serve the page of one channel, and the actions of its buttons."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.core.email_addresses import display_email
from accounts.portal import MemberRequest, readers, redirect_back, render_page, writers
from accounts.web.recent_sign_in import with_recent_sign_in
from accounts.web.refusals import refusals_as_messages, refusals_on
from notifications.channels import replay as resending
from notifications.channels import service as channels
from notifications.labels import channel_label
from notifications.models import Channel
from notifications.portal.log import recent_deliveries
from notifications.portal.secrets import show_secret
from notifications.portal.sending_forms import ReplayForm, TestForm
from notifications.portal.setup import cards_of


@require_safe
@readers
def channel_page(request: MemberRequest, pk: str) -> HttpResponse:
    channel = get_object_or_404(request.agency.channels.prefetch_related("secrets"), pk=pk)
    [card] = cards_of([channel])
    return render_page(
        request,
        "portal/channel.html",
        "notifications",
        card=card,
        channel=channel,
        test=TestForm(),
        latest=recent_deliveries(request.agency, channel=channel),
    )


@require_POST
@writers
def press_button(request: MemberRequest, pk: str, button: str) -> HttpResponse:
    """Run the action of one of a channel's buttons."""
    channel = _get_channel(request, pk)
    if button not in _BUTTONS:
        raise Http404
    with refusals_as_messages(request):
        messages.success(request, _BUTTONS[button](channel, request.member.user))
    if button == "remove":
        return redirect_back(request, "portal_notifications")
    return redirect_back(request, "portal_notifications", anchor=channel.pk)


@require_POST
@writers
@with_recent_sign_in
def rotate_secret(request: MemberRequest, pk: str) -> HttpResponse:
    channel = _get_channel(request, pk)
    with refusals_as_messages(request):
        secret = channels.rotate_secret(channel, by=request.member.user)
        return show_secret(request, _("New signing secret of %(channel)s") % {"channel": channel}, channel, secret)
    return redirect_back(request, "portal_channel", channel.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def replay_channel(request: MemberRequest, pk: str) -> HttpResponse:
    channel = _get_channel(request, pk)
    form = ReplayForm(request.POST if request.method == "POST" else None, auto_id=f"{channel.pk}-replay-%s")
    if form.is_valid():
        with refusals_on(form):
            span = {name: form.cleaned_data[name] for name in ("since", "until")}
            count = resending.replay_deliveries(channel, **span, status=form.cleaned_data["status"] or None)
            text = ngettext("%(count)s delivery will be resent.", "%(count)s deliveries will be resent.", count)
            messages.success(
                request, text % {"count": count} if count else _("Nothing from that period will be resent.")
            )
            return redirect_back(request, "portal_channel", channel.pk)
    status = 422 if form.errors else 200
    context = {"form": form, "channel": channel}
    return render_page(request, "portal/channel_replay.html", "notifications", status=status, **context)


def _ask_again(channel: Channel, by: User) -> str:
    channels.enable_channel(channel, by=by)
    text = _("Confirmation sent to %(address)s, at most one in five minutes.")
    return text % {"address": display_email(channel.email)}


def _enable(channel: Channel, by: User) -> str:
    after = channels.enable_channel(channel, by=by)
    if channel_label(after).tone == "good":
        return _("%(channel)s is enabled.") % {"channel": after}
    return _("%(address)s has to confirm the address first.") % {"address": display_email(after.email)}


def _disable(channel: Channel, by: User) -> str:
    channels.disable_channel(channel, channels.DISABLED_BY_HAND, by=by)
    return _("%(channel)s is disabled. What happens meanwhile can be replayed later.") % {"channel": channel}


def _remove(channel: Channel, by: User) -> str:
    name = str(channel)
    channels.delete_channel(channel, by=by)
    return _("%(channel)s was removed.") % {"channel": name}


def _try_now(channel: Channel, by: User) -> str:
    waiting = resending.retry_channel(channel, by=by)
    if not waiting:
        return _("Nothing waits for %(channel)s.") % {"channel": channel}
    text = ngettext(
        "%(channel)s is being tried now: %(count)s delivery waits.",
        "%(channel)s is being tried now: %(count)s deliveries wait, one goes first.",
        waiting,
    )
    return text % {"channel": channel, "count": waiting}


_BUTTONS: dict[str, Callable[[Channel, User], str]] = {
    "ask": _ask_again,
    "on": _enable,
    "off": _disable,
    "remove": _remove,
    "try": _try_now,
}


def _get_channel(request: MemberRequest, pk: str) -> Channel:
    return get_object_or_404(request.agency.channels, pk=pk)
