"""Render the portal's pages: what every page shows, messages after a change, and secrets that are shown once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.core.encrypted_fields import fernet
from accounts.core.enums import Role
from accounts.models import Member
from accounts.web.portal.access import MemberRequest
from accounts.web.portal.navigation import entries_for

ONCE = "portal_shown_once"


def show(request: MemberRequest, template: str, section: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page of the portal. `section` is the menu entry that the page belongs to."""
    mine = Member.objects.filter(user=request.member.user).select_related("agency").order_by("agency__name")
    everywhere: dict[str, Any] = {
        "member": request.member,
        "agency": request.agency,
        "memberships": list(mine),
        "may_change": request.member.role in (Role.OWNER, Role.MANAGER),
        "is_owner": request.member.role == Role.OWNER,
        "section": section,
        "menu": entries_for(request.member.role),
    }
    return render(request, template, {**everywhere, **context}, status=status)


@dataclass(frozen=True)
class Shown:
    """Secrets that are shown once: a title, the values by name, and a hint what to do with them."""

    title: str
    secrets: Mapping[str, str]
    hint: str
    back: str


def show_once(request: MemberRequest, shown: Shown) -> HttpResponse:
    """Redirect to a page that shows the secrets of a change once. They are encrypted in the session until then."""
    content = {"title": shown.title, "secrets": dict(shown.secrets), "hint": shown.hint, "back": shown.back}
    request.session[ONCE] = fernet().encrypt(json.dumps(content).encode()).decode()
    return redirect("portal_shown_once")


def take_shown(request: HttpRequest) -> Shown | None:
    """Return what `show_once` stored, and delete it."""
    sealed = request.session.pop(ONCE, None)
    if not sealed:
        return None
    try:
        return Shown(**json.loads(fernet().decrypt(sealed.encode(), ttl=600)))
    except InvalidToken:
        return None


def back_to(request: HttpRequest, view: str, *args: str, anchor: str = "") -> HttpResponse:
    """Redirect after a change: to the page that the form names (`next`, own pages only), else to a view."""
    there = request.POST.get("next", "")
    if there and url_has_allowed_host_and_scheme(there, allowed_hosts=None) and there.startswith("/"):
        return redirect(there)
    return redirect(reverse(view, args=args) + (f"#{anchor}" if anchor else ""))


def say_errors(request: HttpRequest, form: Form) -> None:
    """Show the errors of a form as messages, if the form is too small to be shown again."""
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, str(error))
