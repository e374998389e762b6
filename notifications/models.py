"""Define channels, deliveries and attempts."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.encrypted_fields import EncryptedJSONField, UnreadableValue
from accounts.core.enums import STAFF_EVENTS
from accounts.core.ids import new_id, new_token
from accounts.core.sentences import in_readers_language, stored
from accounts.models import Agency, Event


class ChannelKind(models.TextChoices):
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")
    SLACK = "slack", _("Slack")


class ChannelStatus(models.TextChoices):
    ENABLED = "enabled", _("enabled")
    DISABLED = "disabled", _("disabled")
    UNVERIFIED = "unverified", _("waiting for confirmation")


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", _("on its way")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Mode(models.TextChoices):
    INSTANT = "instant", _("at once")
    HOURLY = "hourly", _("once an hour")
    DAILY = "daily", _("once a day")


ENDPOINT_PAUSED = _("Paused after 10 failures in a row. Leadline keeps probing the endpoint, and resumes on success.")
#: A channel that only failed for so long is disabled.
FAILURES_TIMEOUT = timedelta(days=5)
#: Characters of the receiver's response that a failing channel shows.
MAX_EXCERPT_LENGTH = 160
#: Local time of daily digests by default.
DEFAULT_DIGEST_TIME = "08:00"


class Hold(models.TextChoices):
    """List why a delivery waits before its attempt. `rate` and `rest` apply to channels of all kinds."""

    ALERT = "alert", _("waits a minute: accounts that drop together are told of together")
    CONFLATION = "conflation", _("waits a moment for more about the same lead")
    DIGEST = "digest", _("waits for the next summary")
    QUIET_HOURS = "quiet_hours", _("waits for the end of the quiet hours")
    FLAPPING = "flapping", _("waits until the account has settled")
    RATE = "rate", _("waits its turn: the channel takes only so many a second")
    RECIPIENT = "recipient", _("waits: its address has got many mails within the hour")
    REST = "rest", _("waits because ten tries in a row failed: one at a time looks whether the receiver is back")


class Channel(models.Model):
    """Store where an agency gets notifications.

    An empty `event_types`, `locations`, `lead_statuses`, `creation_locales`, `conditions` or `working_days` means all.
    `mode` and the timing fields after it apply to e-mail and Slack, never to webhooks.
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "chn"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=16, choices=ChannelKind)
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    url: Any = EncryptedJSONField(tolerant=True, default="", blank=True, help_text="May carry a token: kept encrypted.")
    event_types = models.JSONField(default=list, blank=True)
    locations = models.JSONField(default=list, blank=True)
    lead_statuses = models.JSONField(default=list, blank=True, help_text="Changes to these statuses; empty: all.")
    creation_locales = models.JSONField(
        default=list, blank=True, help_text="Of leads, only those of forms in these languages; empty: all."
    )
    conditions = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Of leads, only those that fulfil them: `leads.conditions`."
    )
    test_events = models.BooleanField(default=False, help_text="Also what happens to test leads.")
    status = models.CharField(max_length=16, choices=ChannelStatus, default=ChannelStatus.ENABLED)
    disabled_reason = models.CharField(max_length=300, blank=True)
    disabled_reason_sentence = models.JSONField(null=True, editable=False)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.INSTANT)
    digest_at = models.CharField(
        max_length=5, default=DEFAULT_DIGEST_TIME, help_text="Daily summaries, as on a clock there."
    )
    quiet_hours = models.JSONField(null=True, blank=True, help_text="`start` and `end`, as on a clock there.")
    working_days = models.JSONField(default=list, blank=True)
    timezone = models.CharField(max_length=64, blank=True, help_text="Empty: the agency's.")
    conflation_seconds = models.PositiveSmallIntegerField(
        default=60, help_text="Changes of one lead within this time are one message."
    )
    urgent_event_types = models.JSONField(default=list, blank=True, help_text="These wait for nothing.")
    headers: Any = EncryptedJSONField(tolerant=True, default=dict, blank=True)
    rate_per_second = models.FloatField(null=True, blank=True)
    verification_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    unsubscribe_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, default="", db_default="", blank=True, editable=False)
    last_error_sentence = models.JSONField(null=True, editable=False)
    last_status_code = models.PositiveSmallIntegerField(null=True, editable=False)
    last_excerpt = models.CharField(
        max_length=MAX_EXCERPT_LENGTH, default="", db_default="", blank=True, editable=False
    )
    throttled_until = models.DateTimeField(null=True, editable=False, help_text="Its rate allows the next one then.")
    circuit_open_until = models.DateTimeField(null=True, editable=False, help_text="After many failures in a row.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="channel_newest"),
            models.Index(Upper("email"), name="channel_by_email"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or f"{self.get_kind_display()} channel"

    @property
    def why_disabled(self) -> str:
        """Return why it is disabled, in the reader's language."""
        return in_readers_language(self.disabled_reason_sentence, self.disabled_reason)

    @property
    def damaged(self) -> bool:
        """Return whether a needed value is encrypted with a key that is not set (any more)."""
        if self.kind == ChannelKind.EMAIL:
            return False
        secrets = [row.secret for row in self.secrets.all() if row.signs()]
        return any(isinstance(value, UnreadableValue) for value in (self.url, self.headers, *secrets))


class StaffAlerts(models.Model):
    """Store which alerts a member of Leadline's staff enabled."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_alerts")
    by_email = models.BooleanField("by e-mail", default=False)
    by_slack = models.BooleanField("by Slack", default=False)
    slack_url: Any = EncryptedJSONField(default="", blank=True, help_text="An incoming webhook: kept encrypted.")
    has_own_slack = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name_plural = "staff alerts"

    def __str__(self) -> str:
        return f"alerts of {self.user_id}"


class ChannelSecret(models.Model):
    """Store a signing secret: `whsec_` + base64 of 32 bytes. During a rotation two secrets sign."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="secrets")
    secret: Any = EncryptedJSONField(tolerant=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"secret of {self.channel_id}"

    def signs(self, now: datetime | None = None) -> bool:
        return self.expires_at is None or self.expires_at > (now or timezone.now())


def error_fields(text: str) -> dict[str, Any]:
    """Return the fields that keep why a delivery or an attempt failed."""
    return {"error": text[:500], "error_sentence": stored(text)}


#: Deliveries that an endpoint keeps waiting: it is down, or refused them and they are tried again.
STUCK = models.Q(status=DeliveryStatus.PENDING) & (models.Q(hold=Hold.REST) | ~models.Q(error=""))


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def seen_by(self, agency: Agency) -> "DeliveryQuerySet":
        """Return what an agency may see: its deliveries without alerts to Leadline's staff."""
        return self.filter(agency=agency).exclude(event__event_type__in=STAFF_EVENTS)


class Delivery(models.Model):
    """Store one event on its way to one channel, or (`channel` null) to one address.

    A delivery to people that waits has a later `next_attempt_at`, and its reason in `hold`. Deliveries of one `batch`
    that are due together become one message. The oldest carries it, with its id and attempts, and decides the status of
    the others (`carrier`). Only a delivery without `batch` can be claimed.
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "dlv"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, related_name="deliveries")
    recipient = models.CharField(max_length=254, blank=True)
    status = models.CharField(max_length=12, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try, so a crash counts too.")
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    leased_until = models.DateTimeField(null=True, editable=False)
    error = models.CharField(max_length=500, blank=True, help_text="Why it failed last, or was cancelled.")
    error_sentence = models.JSONField(null=True, editable=False, help_text="The error by code and values.")
    urgent = models.BooleanField(default=False, help_text="Waits for no digest and no quiet hours.")
    hold = models.CharField(max_length=12, choices=Hold, blank=True)
    batch = models.CharField(max_length=100, blank=True, editable=False)
    carrier = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="carried", db_index=False, editable=False
    )
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel"],
                name="delivery_once_per_channel",
                condition=models.Q(channel__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["event", "recipient"],
                name="delivery_once_per_recipient",
                condition=models.Q(channel__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["agency", "-id"], name="delivery_newest"),
            models.Index(fields=["channel", "-id"], name="delivery_by_channel"),
            models.Index(
                fields=["agency", "status", "-id"],
                name="delivery_not_delivered",
                condition=~models.Q(status=DeliveryStatus.DELIVERED),
            ),
            models.Index(
                Upper("recipient"),
                models.F("id").desc(),
                name="delivery_by_recipient",
                condition=models.Q(channel__isnull=True),
            ),
            models.Index(
                fields=["next_attempt_at"],
                name="delivery_due",
                condition=models.Q(status=DeliveryStatus.PENDING),
            ),
            models.Index(
                fields=["next_attempt_at"],
                name="delivery_to_batch",
                condition=models.Q(status=DeliveryStatus.PENDING) & ~models.Q(batch=""),
            ),
            models.Index(
                fields=["channel", "batch"],
                name="delivery_waiting",
                condition=models.Q(status=DeliveryStatus.PENDING) & ~models.Q(batch=""),
            ),
            models.Index(fields=["channel", "next_attempt_at"], name="delivery_stuck_by_channel", condition=STUCK),
            models.Index(fields=["agency", "hold", "-id"], name="delivery_stuck_by_hold", condition=STUCK),
            models.Index(fields=["carrier"], name="delivery_carried", condition=models.Q(carrier__isnull=False)),
            models.Index(
                fields=["-id"],
                name="delivery_needs_a_person",
                condition=models.Q(status=DeliveryStatus.FAILED),
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def reason(self) -> str:
        """Return why it has not arrived: what it waits for, or the error. "" if it arrived or is about to be sent."""
        if self.status == DeliveryStatus.PENDING and self.hold == Hold.REST:
            return str(ENDPOINT_PAUSED)
        if self.status == DeliveryStatus.PENDING and self.hold:
            return gettext("It %(waits)s.") % {"waits": Hold(self.hold).label}
        return "" if self.status == DeliveryStatus.DELIVERED else in_readers_language(self.error_sentence, self.error)


class Attempt(models.Model):
    """Store one attempt of a delivery. Rows are only appended.

    Headers are those that were sent and answered, secret values masked. Mails have none.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_log")
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    error_sentence = models.JSONField(null=True, blank=True)
    response_excerpt = models.TextField(blank=True)
    request_headers = models.JSONField(null=True, blank=True)
    response_headers = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.status_code or self.error}"

    @property
    def reason(self) -> str:
        """Return why it failed, in the reader's language."""
        return in_readers_language(self.error_sentence, self.error)
