"""Change what a member is called, when they work, and what they are mailed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.models import Member
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from accounts.tenancy.member_alerts import alerts_of, clean_alerts

MAX_NAME_LENGTH = 150
_hooks: list[Callable[[Member], None]] = []
_deactivation_hooks: list[Callable[[Member], None]] = []


def on_member_change(hook: Callable[[Member], None]) -> Callable[[Member], None]:
    """Call `hook` whenever a member's availability changes, in the transaction that changes it."""
    _hooks.append(hook)
    return hook


def on_member_deactivation(hook: Callable[[Member], None]) -> Callable[[Member], None]:
    """Call `hook` with each membership of a user who can no longer sign in, in the transaction that makes it so."""
    _deactivation_hooks.append(hook)
    return hook


def availability_changed(member: Member) -> None:
    """Call what follows a change of a member's availability."""
    for hook in _hooks:
        hook(member)


@transaction.atomic
def activation_changed(user: User) -> None:
    """Call what follows the deactivation or reactivation of a user, in each of their agencies."""
    for member in user.memberships.select_related("agency", "user").order_by("pk"):
        for hook in [*_hooks, *(() if user.is_active else _deactivation_hooks)]:
            hook(member)


@transaction.atomic
def update_member(member: Member, *, by: Actor | None = None, **changes: Any) -> Member:
    """Change a member's name, calendar, pause or alerts; `alerts` changes those that it names. Raises FieldError."""
    member = Member.objects.select_for_update(of=("self",)).select_related("user", "agency").get(pk=member.pk)
    if "name" in changes:
        _rename(member, str(changes["name"]))
    if "calendar" in changes:
        calendar = changes["calendar"]
        if calendar is not None and calendar.agency_id != member.agency_id:
            raise FieldError("calendar", "There is no such calendar.")
        member.calendar = calendar
    if "paused_until" in changes:
        member.paused_until = _future(changes["paused_until"])
    if "alerts" in changes:
        member.alerts = {**alerts_of(member), **clean_alerts(changes["alerts"] or {})}
    member.save(update_fields=["calendar", "paused_until", "alerts"])
    audit.log_change(by, member, "Changed", ", ".join(sorted(changes)))
    availability_changed(member)
    return member


def _rename(member: Member, name: str) -> None:
    """Give a member's user another name. Raises FieldError if they belong to other agencies too."""
    name = " ".join(plain(name).split())
    if not name or len(name) > MAX_NAME_LENGTH:
        raise FieldError("name", _("Enter a name of at most %(count)d characters.") % {"count": MAX_NAME_LENGTH})
    if member.user.is_staff or member.user.memberships.exclude(pk=member.pk).exists():
        raise FieldError("name", _("This person belongs to other agencies too: only they can change their name."))
    member.user.first_name, _space, member.user.last_name = name.partition(" ")
    member.user.save(update_fields=["first_name", "last_name"])


def _future(until: datetime | None) -> datetime | None:
    """Return a pause, or None where it is over already."""
    return until if until is not None and until > timezone.now() else None
