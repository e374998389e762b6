"""Serve the pages that links in mails open, and the address for bounce notices.

Opening a page changes nothing, because mail scanners do that; its button does.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.core.errors import FieldError
from accounts.web.rest.problems import CONTENT_TYPE, problem, request_id_of
from leads.sequences import opt_outs, senders
from notifications.channels import bounces
from notifications.channels import service as channels
from notifications.models import Channel, ChannelStatus

MAX_NOTICE_BYTES = 64 * 1024
T = TypeVar("T")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, token: str) -> HttpResponse:
    sender = _find_or_none(senders.verify_address if request.method == "POST" else senders.find_by_token, token)
    if sender is not None:
        context = {"sender": sender, "agency": sender.agency, "done": sender.verified_at is not None}
        return render(request, "portal/sequences/verify_sender.html", context)
    channel = _find_channel(
        channels.verify_address if request.method == "POST" else channels.find_by_verification_token, token
    )
    return _render_page(request, "portal/verify.html", channel, done=channel.status != ChannelStatus.UNVERIFIED)


@csrf_exempt  # mail programs post without opening the page (RFC 8058); the token authenticates
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    link = _find_or_none(opt_outs.follow_link if request.method == "POST" else opt_outs.read_link, token)
    if link is not None:
        context = {"agency": link.agency, "done": opt_outs.is_followed(link)}
        return render(request, "portal/sequences/opt_out.html", context)
    channel = _find_channel(
        channels.unsubscribe_address if request.method == "POST" else channels.find_by_unsubscribe_token, token
    )
    return _render_page(request, "portal/unsubscribe.html", channel, done=channel.status == ChannelStatus.DISABLED)


@csrf_exempt  # programs post it; the token authenticates
@never_cache
@require_POST
def bounce(request: HttpRequest) -> HttpResponse:
    """Take a bounce notice from a mail server that knows `BOUNCE_TOKEN`. 404 if none is set."""
    if not settings.BOUNCE_TOKEN:
        return _refuse(request, 404, "BOUNCE_TOKEN is not set.")
    if not secrets.compare_digest(_token_of(request), settings.BOUNCE_TOKEN.encode()):
        refusal = _refuse(request, 401, "Send BOUNCE_TOKEN as a bearer token, or as the password of HTTP Basic.")
        refusal["WWW-Authenticate"] = 'Bearer, Basic realm="bounces"'
        return refusal
    if len(request.body) > MAX_NOTICE_BYTES:
        return _refuse(request, 413, "A notice has at most 64 KiB.")
    try:
        notice = bounces.parse_notice(json.loads(request.body))
    except FieldError as error:
        return _refuse(request, 400, f"{error.field}: {error}" if error.field else str(error))
    except (ValueError, RecursionError):
        return _refuse(request, 400, "Send one JSON object.")
    return JsonResponse({"status": "accepted", "channels_disabled": bounces.apply_notice(notice)})


def _token_of(request: HttpRequest) -> bytes:
    """Return the bearer token or password of the `Authorization` header, or b""."""
    scheme, _, value = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape").partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2] if scheme.lower() == b"basic" else b""
    except binascii.Error:
        return b""


def _refuse(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    body = problem(status, detail, request_id=request_id_of(request))
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def _find_or_none(find: Callable[[str], T], token: str) -> T | None:
    """Return what a token of an e-mail to a lead or of a sender stands for, or None if it is none of them."""
    try:
        return find(token)
    except FieldError:
        return None


def _find_channel(find: Callable[[str], Channel], token: str) -> Channel:
    try:
        return find(token)
    except FieldError as error:
        raise Http404(str(error)) from None


def _render_page(request: HttpRequest, template: str, channel: Channel, *, done: bool) -> HttpResponse:
    return render(request, template, {"channel": channel, "agency": channel.agency, "done": done})
