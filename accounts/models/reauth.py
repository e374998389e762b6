"""Store re-authentication: prompts to owners, their steps, and the tokens that open a provider's page."""

from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.core.encrypted_fields import EncryptedJSONField
from accounts.core.enums import AccountStatus
from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models.account import Account


class PromptEnd(models.TextChoices):
    """How a prompt ended: the account came back, the time ran out, or the prompt was revoked."""

    DONE = "done", "done"
    EXPIRED = "expired", "expired"
    REVOKED = "revoked", "revoked"


class StepKind(models.TextChoices):
    OPENED = "opened", "link made"
    MAILED = "mailed", "mail sent"
    REMINDED = "reminded", "reminder sent"
    VIEWED = "viewed", "page opened"
    STARTED = "started", "provider's page opened"
    SUBMITTED = "submitted", "sign-in handed to the provider"
    FINISHED = "finished", "finished at the provider"
    FAILED = "failed", "did not work"
    BOUNCED = "bounced", "mail came back"
    CLOSED = "closed", "closed"


class ReauthPrompt(DueRow):
    """The request to an account's owner to reconnect the account. An account has at most one open prompt.

    The link's token is looked up by its SHA-256, and stored encrypted so that every mail can carry the same link. An
    open prompt is due at its next reminder, or else when it expires.
    """

    due_at_once = None

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "rap"), editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="prompts")
    token: Any = EncryptedJSONField(editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    status = models.CharField(
        max_length=16,
        choices=[(status, status.replace("_", " ")) for status in AccountStatus],
        help_text="The account's status when the prompt was opened.",
    )
    opened_by = models.CharField(max_length=32, help_text="`system`, `api` or `staff`.")
    recipients = models.JSONField(default=list, blank=True, help_text="Addresses that get the mail and its reminders.")
    opened_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    viewed_at = models.DateTimeField(null=True, blank=True, help_text="When its page was last open.")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as = models.CharField(max_length=8, choices=PromptEnd, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], name="one_open_prompt_per_account", condition=models.Q(closed_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="prompt_newest"),
            models.Index(
                fields=["next_attempt_at"],
                name="prompt_reminder_due",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.closed_as or 'open'})"

    @property
    def end(self) -> PromptEnd | None:
        """Return how the prompt ended, or None if its link works."""
        if self.closed_at is not None:
            return PromptEnd(self.closed_as)
        return PromptEnd.EXPIRED if self.expires_at <= timezone.now() else None

    @property
    def next_reminder_at(self) -> datetime | None:
        """Return when its owner is mailed next. None: only its end is left."""
        due = self.next_attempt_at
        return due if due is not None and due < self.expires_at else None

    @property
    def url(self) -> str:
        """Return the link. Raises `cryptography.fernet.InvalidToken` if no key decrypts the token."""
        return f"{settings.PUBLIC_URL}/reauth/{self.token}"


class ReauthStep(models.Model):
    """One entry in the history of a prompt. Append-only; the account's timeline shows it."""

    id = models.BigAutoField(primary_key=True)
    prompt = models.ForeignKey(ReauthPrompt, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=12, choices=StepKind)
    at = models.DateTimeField(default=timezone.now)
    recipient = models.CharField(max_length=254, blank=True)
    event_id = models.CharField(max_length=40, blank=True, help_text="The Event that carries a mail.")
    reference = models.CharField(max_length=200, blank=True, help_text="The provider's id of a request.")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["prompt", "-id"], name="reauth_step_newest"),
            models.Index(fields=["event_id"], name="reauth_step_by_event", condition=~models.Q(event_id="")),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class BouncedAddress(models.Model):
    """An address that gets no more mail for owners, because a mail bounced or its reader complained."""

    email = models.CharField(max_length=254, unique=True, help_text="In canonical form.")
    reason = models.CharField(max_length=300)
    complained = models.BooleanField(
        default=False, help_text="Its reader called our mail unwanted. No other mail lifts this."
    )
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "address without mail"
        verbose_name_plural = "addresses without mail"

    def __str__(self) -> str:
        return self.email


class AccountToken(models.Model):
    """The token with which a provider lets this one account be updated (Salesflow's `handleResponse`)."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="provider_token")
    token: Any = EncryptedJSONField()
    created_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"token of {self.account_id}"
