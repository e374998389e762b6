"""Define what an agency's e-mails to leads are sent with: the sender, the outbox, and who wants no more of them."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.core.encrypted_fields import EncryptedJSONField
from accounts.core.ids import new_id, new_token
from accounts.core.jobs import DueRow
from accounts.models import Agency
from leads.enums import EmailKind, EmailState, HoldReason, SmtpSecurity
from leads.models.lead import Lead
from leads.models.origin import origin_field
from leads.models.templates import MAX_SUBJECT_LENGTH


class EmailSender(models.Model):
    """Store the address that an agency's e-mails to leads come from, and the agency's own mail server, if it has one.

    Without a `host` the deployment's mail server sends them.
    """

    agency = models.OneToOneField(Agency, models.CASCADE, primary_key=True, related_name="email_sender")
    address = models.CharField(max_length=254)
    name = models.CharField(max_length=120)
    verified_at = models.DateTimeField(null=True, help_text="When its owner confirmed the address. None: not yet.")
    verification_token = models.CharField(max_length=64, default=new_token, editable=False, unique=True)
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(default=587)
    security = models.CharField(
        max_length=16, choices=[(one, one.value) for one in SmtpSecurity], default=SmtpSecurity.STARTTLS
    )
    username = models.CharField(max_length=255, blank=True)
    password = EncryptedJSONField(null=True, blank=True, tolerant=True)
    error = models.CharField(max_length=500, blank=True, help_text="Why the last e-mail could not be handed over.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.address


class OutboundEmail(DueRow):
    """Store an e-mail to a lead, from the decision to send it on. `leads.sequences.outbox` sends it, once.

    It is `sending` from before the mail server is asked until the answer is stored. A row that is claimed in this state
    was left by a worker that died: nobody knows whether the mail left, so it is held.
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "eml"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="outbound_emails")
    lead = models.ForeignKey(Lead, models.CASCADE, null=True, related_name="emails")
    origin = origin_field()
    kind = models.CharField(max_length=16, choices=[(one, one.value) for one in EmailKind])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=MAX_SUBJECT_LENGTH)
    text = models.TextField()
    state = models.CharField(
        max_length=16, choices=[(one, one.value) for one in EmailState], default=EmailState.WAITING
    )
    hold = models.CharField(max_length=24, choices=[(one, one.value) for one in HoldReason], blank=True)
    sending_since = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="outbound_email_due", condition=Q(next_attempt_at__isnull=False)
            ),
            models.Index(fields=["lead", "-id"], name="outbound_email_of_lead"),
            models.Index(fields=["agency", "recipient"], name="outbound_email_to"),
            models.Index(fields=["agency", "-id"], name="outbound_email_held", condition=Q(state="held")),
        ]

    def __str__(self) -> str:
        return self.pk


class OptOut(models.Model):
    """Store that a person wants no more e-mails of an agency, as keyed hashes of an address or a profile.

    It outlives the erasure of the lead, and says nobody's name.
    """

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="opt_outs")
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    how = models.CharField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "digest"], name="opt_out_once")]

    def __str__(self) -> str:
        return self.digest[:8]
