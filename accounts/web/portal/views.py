"""Render the portal's pages: what every page shows, messages after a change, and secrets that are shown once."""

import json
import re
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
from accounts.web.portal.access import MemberRequest

SECRETS_KEY = "portal_shown_once"
#: What a template's lines leave between two tags. Browsers show it as one blank, and so they do a line break.
_BETWEEN_TAGS = re.compile(rb">[^\S\n]*\n\s*<")


def render_page(
    request: MemberRequest, template: str, section: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page of the portal. `section` is the menu entry that the page belongs to."""
    common: dict[str, Any] = {
        "member": request.member,
        "agency": request.agency,
        "may_change": request.member.role in (Role.OWNER, Role.MANAGER),
        "is_owner": request.member.role == Role.OWNER,
        "section": section,
    }
    response = render(request, template, {**common, **context}, status=status)
    response.content = _BETWEEN_TAGS.sub(b">\n<", response.content)
    return response


@dataclass(frozen=True)
class NewSecrets:
    """Secrets that are shown once: a title, the values by name, and a hint what to do with them.

    `part` is a template that follows below them; `about` is the id of what the secrets belong to.
    """

    title: str
    secrets: Mapping[str, str]
    hint: str
    back: str
    part: str = ""
    about: str = ""


def redirect_to_secrets(request: MemberRequest, new_secrets: NewSecrets) -> HttpResponse:
    """Redirect to a page that shows the secrets of a change once. They are encrypted in the session until then."""
    content = {
        "title": new_secrets.title,
        "secrets": dict(new_secrets.secrets),
        "hint": new_secrets.hint,
        "back": new_secrets.back,
        "part": new_secrets.part,
        "about": new_secrets.about,
    }
    request.session[SECRETS_KEY] = fernet().encrypt(json.dumps(content).encode()).decode()
    return redirect("portal_shown_once")


def pop_secrets(request: HttpRequest) -> NewSecrets | None:
    """Return what `redirect_to_secrets` stored, and delete it."""
    sealed = request.session.pop(SECRETS_KEY, None)
    if not sealed:
        return None
    try:
        return NewSecrets(**json.loads(fernet().decrypt(sealed.encode(), ttl=600)))
    except InvalidToken:
        return None


def redirect_back(request: HttpRequest, view: str, *args: str, anchor: str = "") -> HttpResponse:
    """Redirect after a change: to the page that the form names (`next`, own pages only), else to a view."""
    target = request.POST.get("next", "")
    if target and url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/"):
        return redirect(target)
    return redirect(reverse(view, args=args) + (f"#{anchor}" if anchor else ""))


def add_error_messages(request: HttpRequest, form: Form) -> None:
    """Show the errors of a form as messages, if the form is too small to be shown again."""
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, str(error))
