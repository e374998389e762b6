"""Require a recent sign-in of users who are about to make keys, see secrets, export leads or erase them.

An open session alone does not prove that its user is at the keyboard.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account.internal.flows.reauthentication import is_reauthentication_required, suspend_request
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.core.redaction import is_secret_name
from accounts.web.portal.unsent_forms import CSRF_FIELD

#: Keys of the session: when the user signed in, and when the user made the last request.
SIGNED_IN_AT, LAST_SEEN_AT = "session_began_at", "session_seen_at"

REPEAT_NOTICE = _("Show that it is you, then do that once more: the secret that you typed was kept nowhere.")

View = TypeVar("View", bound=Callable[..., Any])


def record_sign_in(request: HttpRequest, **_: Any) -> None:
    """Store the time of the sign-in in the new session. Django sends `user_logged_in` to this function."""
    request.session[SIGNED_IN_AT] = request.session[LAST_SEEN_AT] = int(time.time())


def require_recent_sign_in(request: HttpRequest) -> None:
    """Raise ReauthenticationRequired unless the user signed in or re-authenticated within RECENT_SIGN_IN_SECONDS.

    The request continues after the user has re-authenticated.
    """
    if -1 <= time.time() - request.session.get(SIGNED_IN_AT, 0) <= settings.RECENT_SIGN_IN_SECONDS:
        return
    if is_reauthentication_required(request, app="leadline"):
        raise ReauthenticationRequired


def with_recent_sign_in(view: View) -> View:
    """Require a recent sign-in before the view answers a POST; otherwise redirect to re-authentication."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and request.user.is_authenticated:
            try:
                require_recent_sign_in(request)
            except ReauthenticationRequired:
                return _redirect_to_reauthentication(request)
        return view(request, *args, **kwargs)

    return cast(View, guarded)


def _redirect_to_reauthentication(request: HttpRequest) -> HttpResponse:
    """Redirect the user to re-authentication. The request continues afterwards, unless it holds a secret: that is not
    stored."""
    page = reverse("account_reauthenticate")
    if any(value and is_secret_name(name) and name != CSRF_FIELD for name, value in request.POST.items()):
        messages.warning(request, REPEAT_NOTICE)
        response: HttpResponse = redirect(f"{page}?{urlencode({'next': reverse('home')})}")
    else:
        response = suspend_request(request, page)
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response
