"""Define receipts (verified requests), rejected requests, source monitors and registered requests."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.enums import RequestAction, WordKind, provider_choices, word_kind_choices
from accounts.core.jobs import DueRow
from accounts.core.sentences import in_readers_language, own_words
from accounts.models import Account, Agency, Source
from leads.models import Lead

RECEIPT_PREFIX = "rct_"
#: Marks receipts of samples. No request brings this header along: ingest stores only those that an adapter names.
SAMPLE_HEADER = "leadline-sample"
#: Kind of the word that a receipt waits for --> why it is in quarantine.
QUARANTINE_REASON_OF = {WordKind.EVENT: "unknown_event_type", WordKind.STATUS: "unknown_status"}


class ReceiptStatus(models.TextChoices):
    RECEIVED = "received", "waiting"
    PROCESSED = "processed", "processed"
    QUARANTINED = "quarantined", "in quarantine"
    FAILED = "failed", "failed"


class Receipt(models.Model):
    """Store one verified request with its bytes. `sequence` is the order in which the database stored the requests.

    `webhooks.ingest.writers` inserts the rows with SQL of its own: a column that is added here is added there too.
    """

    sequence = models.BigAutoField(primary_key=True)
    # No foreign key constraints: checking the source's row would cost a fifth of the ingest rate. The services that
    # delete sources keep those with receipts. No indexes of their own: the indexes below begin with these columns.
    source = models.ForeignKey(Source, models.CASCADE, related_name="receipts", db_constraint=False, db_index=False)
    agency = models.ForeignKey(
        Agency, models.CASCADE, related_name="receipts", null=True, blank=True, db_constraint=False, db_index=False
    )
    provider = models.CharField(max_length=32, choices=provider_choices)
    dedupe_key = models.BinaryField(max_length=32, help_text="SHA-256; random where every delivery is news.")
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=ReceiptStatus, default=ReceiptStatus.RECEIVED)
    event_type = models.CharField(max_length=100, blank=True)
    correlation = models.CharField(
        max_length=200, blank=True, help_text="We-Link's request id; what a receipt in quarantine waits for."
    )
    account_id = models.CharField(max_length=40, blank=True, help_text="The account it was about, once known.")
    lead_id = models.CharField(max_length=40, blank=True, help_text="The lead it was about, once known.")
    reason = models.CharField(
        max_length=64, blank=True, help_text="Why it is in quarantine: one machine-readable word."
    )
    error = models.CharField(max_length=1000, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "dedupe_key"], name="receipt_once_per_source")]
        indexes = [
            models.Index(
                fields=["source", "sequence"], name="receipt_due", condition=models.Q(status=ReceiptStatus.RECEIVED)
            ),
            models.Index(
                fields=["status", "-sequence"],
                name="receipt_needs_a_person",
                condition=models.Q(status__in=[ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED]),
            ),
            models.Index(fields=["agency", "-sequence"], name="receipt_newest"),
            models.Index(
                fields=["source", "correlation"], name="receipt_by_correlation", condition=~models.Q(correlation="")
            ),
            models.Index(fields=["lead_id"], name="receipt_by_lead", condition=~models.Q(lead_id="")),
            models.Index(
                fields=["agency", "-sequence"],
                name="receipt_unrecognised",
                condition=models.Q(status__in=[ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED]),
            ),
            models.Index(
                fields=["account_id", "-sequence"], name="receipt_by_account", condition=~models.Q(account_id="")
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return f"{RECEIPT_PREFIX}{self.sequence}"

    @property
    def is_sample(self) -> bool:
        """Return whether a person of the agency sent it from a source's page, to try the source out."""
        return SAMPLE_HEADER in self.headers


class WordMapping(DueRow):
    """Store what a source's provider means by a word that Leadline does not know: their word, our meaning.

    As a job it releases the receipts in quarantine that wait for the word, a batch at a time.
    """

    source = models.ForeignKey(Source, models.CASCADE, related_name="word_mappings")
    kind = models.CharField(max_length=8, choices=word_kind_choices)
    word = models.CharField(max_length=200, help_text="The provider's word, exactly as it is sent.")
    meaning = models.CharField(max_length=100, help_text="The word that Leadline reads instead.")
    released = models.PositiveIntegerField(default=0, help_text="Receipts that left quarantine by it.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "kind", "word"], name="word_mapping_once")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="word_mapping_due", condition=models.Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.word} → {self.meaning}"

    @property
    def reason(self) -> str:
        """Return the reason for which receipts with this word are in quarantine."""
        return QUARANTINE_REASON_OF[WordKind(self.kind)]


#: Reasons of rejected requests, in words.
REJECTION_REASONS = (
    gettext_noop("wrong signature"),
    gettext_noop("missing signature"),
    gettext_noop("malformed signature"),
    gettext_noop("stale timestamp"),
    gettext_noop("malformed timestamp"),
    gettext_noop("no secret"),
    gettext_noop("unusable key"),
    gettext_noop("unreadable body"),
    gettext_noop("body too large"),
    gettext_noop("body encoded"),
    gettext_noop("network"),
    gettext_noop("too many failures"),
)


class RejectedRequest(models.Model):
    """Count requests that failed verification, in one row for a source and reason."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="rejected_requests")
    reason = models.CharField(max_length=64)
    diagnosis = models.CharField(max_length=1000, blank=True)
    diagnosis_sentence = models.JSONField(null=True, editable=False, help_text="The diagnosis by codes and values.")
    diagnosed_at = models.DateTimeField(
        null=True, editable=False, help_text="When the signature doctor found what would have matched."
    )
    count = models.PositiveBigIntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "reason"], name="rejected_request_once_per_reason")]

    def __str__(self) -> str:
        return f"{self.words} × {self.count}"

    @property
    def words(self) -> str:
        """Return the reason in words, in the reader's language where it is one of ours."""
        return own_words(self.reason.replace("_", " "))

    @property
    def why(self) -> str:
        """Return the diagnosis in the reader's language, or the reason in words."""
        return in_readers_language(self.diagnosis_sentence, self.diagnosis) or self.words


class SourceMonitor(models.Model):
    """Store the state of a source's monitor between two rounds (`webhooks.monitoring.source_monitor`)."""

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="monitor")
    checked_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True, help_text="The last receipt that was seen.")
    hour = models.DateTimeField(null=True, help_text="The hour being counted.")
    busy_minutes = models.PositiveSmallIntegerField(
        null=True, help_text="Minutes of it in which something came; null: it is not watched whole."
    )
    busy = models.JSONField(default=list, help_text="Mean busy minutes for each hour of the week.")
    weeks = models.JSONField(default=list, help_text="How many weeks each of these hours was watched.")
    surprise = models.FloatField(default=0.0, help_text="How surprising the quiet since the last receipt is.")
    most_natural = models.FloatField(default=0.0, help_text="The greatest that ended by itself.")
    refused_total = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0, help_text="Requests refused in the present run of them.")
    refused_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"watch over {self.source_id}"


class LatencyTally(models.Model):
    """Count a source's responses of ten minutes, and the slow ones among them."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, models.CASCADE, related_name="latency_tallies")
    began_at = models.DateTimeField()
    requests = models.PositiveBigIntegerField(default=0)
    slow = models.PositiveBigIntegerField(default=0, help_text="Those that took over a second.")
    rejected = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Requests that failed verification in this time."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "began_at"], name="latency_tally_once")]
        indexes = [models.Index(fields=["began_at"], name="latency_tally_by_time")]

    def __str__(self) -> str:
        return f"{self.requests} answers, {self.slow} slow"


class ProviderRequest(models.Model):
    """Store what a We-Link request is for, as the agency registered it (`sources/{id}/requests`)."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="requests")
    request_id = models.CharField(max_length=200)
    action = models.CharField(max_length=16, choices=[(a, a.value) for a in RequestAction])
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "request_id"], name="provider_request_once_per_source")
        ]

    def __str__(self) -> str:
        return self.request_id
