"""Manage the alerts of Leadline's staff: who enabled them, and where they go.

A delivery to staff has no channel. Its `recipient` is an e-mail address, `slack:team` (STAFF_SLACK_URL) or `slack:<user
id>` (the person's own incoming webhook): no delivery holds a secret URL.
"""

from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from accounts.core.email_addresses import email_key
from accounts.core.errors import FieldError
from notifications.egress.url_policy import TargetRefused, check_url
from notifications.models import StaffAlerts

SLACK_PREFIX = "slack:"
TEAM_SLACK = f"{SLACK_PREFIX}team"


def alert_recipients() -> list[str]:
    """Return where alerts go now, each recipient once: the settings' addresses and what staff enabled."""
    found = [email_key(address) for address in settings.STAFF_ALERT_EMAILS]
    wanted = StaffAlerts.objects.filter(user__is_active=True, user__is_staff=True).select_related("user")
    for alerts in wanted.defer("slack_url").order_by("user_id"):
        if alerts.by_email and alerts.user.email:
            found.append(alerts.user.email)
        if alerts.by_slack:
            found.append(f"{SLACK_PREFIX}{alerts.user_id}" if alerts.has_own_slack else TEAM_SLACK)
    return list(dict.fromkeys(whom for whom in found if whom != TEAM_SLACK or settings.STAFF_SLACK_URL))


def slack_url(recipient: str) -> str:
    """Return the incoming webhook of a recipient, or "" if it is gone or cannot be decrypted."""
    if recipient == TEAM_SLACK:
        return str(settings.STAFF_SLACK_URL)
    try:
        return str(StaffAlerts.objects.get(user=int(recipient.removeprefix(SLACK_PREFIX))).slack_url)
    except (StaffAlerts.DoesNotExist, InvalidToken, ValueError):
        return ""


@transaction.atomic
def set_alerts(user: User, *, by_email: bool, by_slack: bool, slack_url: str | None = None) -> StaffAlerts:
    """Save which alerts a person wants. `slack_url`: None keeps the person's own, "" removes it.

    Raises FieldError, also for a URL that is not allowed.
    """
    alerts, _ = StaffAlerts.objects.defer("slack_url").get_or_create(user=user)
    changes: dict[str, Any] = {"by_email": by_email, "by_slack": by_slack}
    if slack_url is not None:
        try:
            if slack_url:
                slack_url = check_url(slack_url).url
        except TargetRefused as refusal:
            raise FieldError("slack_url", str(refusal)) from None
        changes |= {"slack_url": slack_url, "has_own_slack": bool(slack_url)}
    if by_email and not user.email:
        raise FieldError("by_email", "You have no e-mail address. Ask a superuser to enter it.")
    if by_slack and not changes.get("has_own_slack", alerts.has_own_slack) and not settings.STAFF_SLACK_URL:
        raise FieldError("slack_url", "Leadline has no Slack of its own (STAFF_SLACK_URL): enter your webhook URL.")
    for name, value in changes.items():
        setattr(alerts, name, value)
    alerts.save(update_fields=list(changes))
    return alerts
