"""Define conversations with leads, and their messages."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.core.enums import provider_choices
from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Account, Agency, Member, Source
from leads.enums import MessageAuthor, MessageDirection, MessageState, SendingKind
from leads.models.lead import Lead
from leads.models.origin import origin_field

MAX_LABEL_LENGTH = 40


class Thread(models.Model):
    """Store a conversation with a lead over one LinkedIn account."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "thr"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="threads")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="threads")
    origin = origin_field()
    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")
    provider = models.CharField(max_length=32, choices=provider_choices)
    external_id = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="The provider's id."
    )
    label = models.CharField(max_length=MAX_LABEL_LENGTH, blank=True)
    last_message_at = models.DateTimeField()
    last_received_at = models.DateTimeField(null=True, help_text="When the lead wrote last.")
    waiting_since = models.DateTimeField(
        null=True, help_text="When the lead wrote the first message that no person has answered."
    )
    read_at = models.DateTimeField(null=True, help_text="When somebody read the conversation last.")

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="thread_newest"),
            models.Index(fields=["agency", "-last_message_at", "-id"], name="thread_by_message"),
            models.Index(
                fields=["agency", "waiting_since", "id"],
                name="thread_waiting",
                condition=Q(waiting_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.pk

    @property
    def is_unread(self) -> bool:
        """Return whether the lead wrote after somebody read the conversation last."""
        return self.last_received_at is not None and (self.read_at is None or self.read_at < self.last_received_at)


class Message(models.Model):
    """Store a message of a lead, a person or an automation. It has no thread until `leads.inbox` has sorted it."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "msg"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="messages")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="messages")
    origin = origin_field()
    thread = models.ForeignKey(Thread, models.CASCADE, null=True, related_name="messages")
    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")
    provider = models.CharField(max_length=32, choices=provider_choices)
    author = models.CharField(max_length=16, choices=[(author, author.value) for author in MessageAuthor])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    is_preview = models.BooleanField(default=False, help_text="Only the beginning of the text is known.")
    occurred_at = models.DateTimeField()
    receipt_id = models.CharField(max_length=40, blank=True)
    sending_state = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        choices=[(state, state.value) for state in MessageState],
        help_text="Empty: a provider reported the message.",
    )

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="message_newest"),
            models.Index(fields=["thread", "occurred_at", "id"], name="message_of_thread"),
            models.Index(fields=["lead", "id"], name="message_to_sort", condition=Q(thread__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.pk

    @property
    def direction(self) -> MessageDirection:
        return MessageDirection.IN if self.author == MessageAuthor.LEAD else MessageDirection.OUT

    @property
    def state(self) -> MessageState:
        """Return what became of the message. What a provider reports was received or sent."""
        if self.sending_state:
            return MessageState(self.sending_state)
        return MessageState.RECEIVED if self.author == MessageAuthor.LEAD else MessageState.SENT

    @property
    def error(self) -> str:
        """Return why the message waits, or was not sent."""
        sending = getattr(self, "sending", None)
        return sending.error if sending and self.state is not MessageState.SENT else ""


class Sending(DueRow):
    """Store what Leadline does to send a message: the call to the provider, and its answers.

    `called_at` is stored before the call. It stays if nobody knows whether the provider carried the call out. Such a
    message is never sent again by itself.
    """

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="sending")
    kind = models.CharField(
        max_length=16,
        choices=[(kind, kind.value) for kind in SendingKind],
        default=SendingKind.MESSAGE,
        db_default=SendingKind.MESSAGE,
    )
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="+")
    called_at = models.DateTimeField(null=True, help_text="When the provider was asked last.")
    external_id = models.CharField(max_length=200, blank=True, help_text="The provider's id of the message or request.")
    echoed_at = models.DateTimeField(null=True, help_text="When the provider reported the message back.")
    held_codes = models.JSONField(default=list, help_text="Why the message waits, as codes of readiness.")

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], name="sending_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["source", "external_id"], name="sending_by_id", condition=~Q(external_id="")),
        ]

    def __str__(self) -> str:
        return f"sending of {self.message_id}"


class ThreadRead(models.Model):
    """Store when a member read a conversation last."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="reads")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["thread", "member"], name="thread_read_once")]

    def __str__(self) -> str:
        return f"{self.member_id} read {self.thread_id}"
