"""The two pages that a mail's links open. Opening one changes nothing (mail scanners do that); its button does."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import channels
from notifications.models import Channel, ChannelStatus


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, token: str) -> HttpResponse:
    channel = _by_token(channels.verify if request.method == "POST" else channels.find_by_verification_token, token)
    return _page(request, "portal/verify.html", channel, done=channel.status != ChannelStatus.UNVERIFIED)


@csrf_exempt  # mail programs press it without having opened the page (RFC 8058); the token is what is secret
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    channel = _by_token(channels.unsubscribe if request.method == "POST" else channels.find_by_unsubscribe_token, token)
    return _page(request, "portal/unsubscribe.html", channel, done=channel.status == ChannelStatus.DISABLED)


def _by_token(find: Callable[[str], Channel], token: str) -> Channel:
    try:
        return find(token)
    except channels.ChannelError as error:
        raise Http404(str(error)) from None


def _page(request: HttpRequest, template: str, channel: Channel, *, done: bool) -> HttpResponse:
    return render(request, template, {"channel": channel, "agency": channel.agency, "done": done})
