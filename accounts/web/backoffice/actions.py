"""Define what actions of the back office share: their effect on each row, messages, secrets, and the audit logs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts.core.markup import list_some
from accounts.tenancy import audit

#: What the audit log says of a change of which Django's log says no more.
FLAGS = {ADDITION: "Created", CHANGE: "Changed", DELETION: "Deleted"}


class LoggedActions(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin page whose actions say what became of each row, and write it into the audit logs."""

    #: Whether the services behind forms and buttons write the audit trail, so that this class does not.
    audited: ClassVar[bool] = False

    def change_url(self, obj: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def render_secrets(
        self, request: HttpRequest, obj: Model, *, title: str, secrets: Mapping[str, str]
    ) -> HttpResponse:
        """Return a page with secrets that are shown only once. The page is neither stored nor cached."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": obj,
            "secrets": secrets,
            "back": self.change_url(obj),
        }
        response = TemplateResponse(request, "admin/shown_once.html", context)
        add_never_cache_headers(response)
        return response

    def apply_to_each(
        self,
        request: HttpRequest,
        objects: Iterable[Any],
        act: Callable[[Any], object],
        what: str,
        *,
        to: Sequence[str] = (),
    ) -> None:
        """Apply `act` to each object and log it. Say how many succeeded (or, where `act` fills it, `to` whom), and why
        each other failed (`act` raised ValueError)."""
        done, failed = 0, []
        for obj in objects:
            try:
                act(obj)
            except ValueError as refusal:
                failed.append(f"{obj}: {refusal}")
                continue
            done += 1
            self.log_change(request, obj, f"{what}.")
        self.message_result(request, done, what, failed, to=to)

    def message_result(
        self, request: HttpRequest, done: int, what: str, failed: Sequence[str] = (), *, to: Sequence[str] = ()
    ) -> None:
        """Say how many objects an action was applied to, and why it failed for others."""
        if done:
            self.message_user(request, f"{what} to {list_some(to)}." if to else f"{what}: {done}.", messages.SUCCESS)
        for reason in dict.fromkeys(failed):
            self.message_user(request, reason, messages.ERROR)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry | None:  # type: ignore[override]
        return None if self.audited else _add_log_entry(request, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry | None:  # type: ignore[override]
        return None if self.audited else _add_log_entry(request, obj, CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[LogEntry]:
        return [] if self.audited else [_add_log_entry(request, obj, DELETION, "") for obj in queryset]


def acting_user(request: HttpRequest) -> User:
    """Return the staff member. Behind `admin_view` everybody is signed in."""
    return cast(User, request.user)


def _add_log_entry(request: HttpRequest, obj: Model, flag: int, message: Any) -> LogEntry:
    """Write what staff did into Django's log, and into the logs of the agencies that the object belongs to."""
    text = json.dumps(message) if isinstance(message, list) else message
    action = text.rstrip(".") if text and not isinstance(message, list) else FLAGS[flag]
    for agency in audit.agencies_of(obj):
        audit.record_audit(agency, by=acting_user(request), action=action, obj=obj)
    return audit.add_log_entry(acting_user(request), obj, flag, text)
