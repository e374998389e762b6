"""Define leads, the providers' references to them, and their history."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.core.derived_fields import (
    DerivedBooleanField,
    DerivedCharField,
    DerivedIntegerField,
    DerivedTextField,
    HasDerivedFields,
    search_text,
)
from accounts.core.enums import provider_choices
from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Account, Agency, Campaign, Source
from leads.enums import AWAITING_REPLY, ENDED, REPLIED, ChangedBy, LeadStatus, furthest
from leads.facts import derivations

STATUSES = [(status, status.label) for status in LeadStatus]


class LeadQuerySet(models.QuerySet["Lead"]):
    def without_tests(self) -> "LeadQuerySet":
        """Exclude leads that were made to test a form. Reports, clocks and task lists never count them."""
        return self.filter(is_test=False)

    def with_clock(self, state: str) -> "LeadQuerySet":
        """Return the leads with an `open` clock, or with one that is `due_soon` or `overdue` now."""
        now = timezone.now()
        conditions = {
            "open": Q(response_due_at__isnull=False),
            "due_soon": Q(response_due_at__gt=now, response_warn_at__lte=now),
            "overdue": Q(response_due_at__lte=now),
            "urgent": Q(response_warn_at__lte=now),
        }
        return self.filter(conditions[state], response_due_at__isnull=False)

    def awaiting_reply(self) -> "LeadQuerySet":
        """Return the leads that answered, and are no test."""
        return self.without_tests().filter(status__in=AWAITING_REPLY)

    def open_leads(self) -> "LeadQuerySet":
        """Return the leads that somebody has to work on, without tests."""
        return self.without_tests().exclude(status__in=ENDED)


BaseLeadManager = models.Manager.from_queryset(LeadQuerySet)


class LeadManager(BaseLeadManager["Lead"]):
    """Exclude records that were merged into another lead, in every list, count and search."""

    def get_queryset(self) -> LeadQuerySet:
        return LeadQuerySet(self.model, using=self._db).filter(merged_into__isnull=True)


class Lead(HasDerivedFields):
    """Store one person of an agency. `status` and `campaign` come from the latest change of any reference.

    A record that proved to be the same person as another keeps its values and points to the other with `merged_into`
    (`leads.pipeline.merge`).
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "lead"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="leads")
    name = models.CharField(max_length=400, blank=True)
    first_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    phone_e164 = models.CharField(max_length=20, blank=True)
    title = models.CharField(max_length=300, blank=True)
    company = models.CharField(max_length=300, blank=True)
    company_size = models.CharField(max_length=100, blank=True)
    industry = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=32, blank=True)
    linkedin_url = models.CharField(max_length=500, blank=True)
    linkedin_key = models.CharField(max_length=500, blank=True, editable=False, help_text="The URL as it is compared.")
    location = models.CharField(max_length=300, blank=True)
    search_text = DerivedTextField(
        sources=(
            *("name", ("first_name", "last_name"), "email", "title", "company", "linkedin_url", "linkedin_key"),
            "id",
        ),
        derive=search_text,
        has_text_index=True,
    )
    seniority = DerivedCharField(max_length=16, sources=("title",), derive=derivations.seniority)
    job_function = DerivedCharField(max_length=24, sources=("title",), derive=derivations.job_function)
    size_min = DerivedIntegerField(sources=("company_size",), derive=derivations.size_min)
    size_max = DerivedIntegerField(sources=("company_size",), derive=derivations.size_max)
    country_code = DerivedCharField(max_length=2, sources=("country",), derive=derivations.country_code)
    state_code = DerivedCharField(max_length=2, sources=("state", "country"), derive=derivations.state_code)
    zip5 = DerivedCharField(max_length=5, sources=("postal_code", "country"), derive=derivations.zip5)
    company_key = DerivedCharField(max_length=300, sources=("company",), derive=derivations.company_key)
    domain = DerivedCharField(max_length=254, sources=("email",), derive=derivations.domain)
    is_free_mail = DerivedBooleanField(sources=("email",), derive=derivations.free_mail)
    answers = models.JSONField(default=list, blank=True)
    consents = models.JSONField(default=list, blank=True)
    hidden_fields = models.JSONField(default=list, blank=True)
    details_pending = models.BooleanField(default=False)
    creation_locale = models.CharField(max_length=16, blank=True, help_text="Of the form: `en_US`.")
    provenance = models.JSONField(default=dict, blank=True, help_text="Contact field → where its value came from.")
    recovered = models.BooleanField(default=False, help_text="Found by a pull; no notification told of it first.")
    lead_type = models.CharField(max_length=32, blank=True)
    form = models.CharField(max_length=200, blank=True)
    owner = models.CharField(max_length=200, blank=True)
    associated_entity = models.CharField(max_length=200, blank=True)
    source = models.ForeignKey(Source, models.SET_NULL, null=True, blank=True, related_name="leads")
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, blank=True, related_name="leads")
    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="leads")
    status = models.CharField(max_length=24, choices=STATUSES, default=LeadStatus.PENDING)
    status_since = models.DateTimeField()
    status_sequence = models.BigIntegerField(default=0, editable=False)
    furthest_status = DerivedTextField(
        sources=("status", "furthest_status"),
        derive=furthest,
        help_text="The furthest status that the lead ever had. Empty: none that says how far it came.",
    )
    score = models.IntegerField(null=True, blank=True, help_text="From 0 to 100 (`leads.scoring`).")
    grade = models.CharField(
        max_length=2, blank=True, default="", db_default="", help_text="A to C for fit, 1 to 3 for engagement."
    )
    priority = models.CharField(max_length=16, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assigned_leads"
    )
    tags = models.JSONField(default=list, blank=True)
    is_test = models.BooleanField(default=False)
    merged_into = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, editable=False, db_index=False, related_name="+"
    )
    has_records = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Records were merged into it."
    )
    received_at = models.DateTimeField()
    first_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text="When somebody or something first wrote to the lead or called."
    )
    first_response_at = models.DateTimeField(null=True, blank=True, help_text="When a person first answered the lead.")
    last_response_at = models.DateTimeField(null=True, editable=False)
    first_contact_at = models.DateTimeField(
        null=True, blank=True, help_text="When both sides had first heard of each other."
    )
    response_warn_at = models.DateTimeField(null=True, editable=False, help_text="Of the clock that is due first.")
    response_due_at = models.DateTimeField(
        null=True, editable=False, help_text="Of the open clock that is due first. None: no clock is open."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = LeadManager()
    all_records = LeadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "linkedin_key"], name="lead_one_per_person", condition=~models.Q(linkedin_key="")
            )
        ]
        indexes = [
            models.Index(fields=["agency", "-id"], name="lead_newest"),
            models.Index(fields=["agency", "status", "-id"], name="lead_by_status"),
            models.Index(fields=["agency", "-updated_at"], name="lead_by_update"),
            models.Index(fields=["agency", "grade", "-id"], name="lead_by_grade"),
            models.Index(fields=["agency", "-score", "-id"], name="lead_by_score"),
            models.Index("agency", Lower("email"), name="lead_by_email"),
            models.Index(fields=["agency", "creation_locale", "-id"], name="lead_by_form_language"),
            models.Index(fields=["received_at"], name="lead_by_age"),
            models.Index(fields=["agency", "-status_since", "-id"], name="lead_by_status_age"),
            models.Index(fields=["agency", "-received_at", "-id"], name="lead_by_receipt"),
            models.Index(
                fields=["agency", "status_since", "id"],
                name="lead_awaiting_reply",
                condition=models.Q(
                    status__in=[status.value for status in AWAITING_REPLY], is_test=False, merged_into__isnull=True
                ),
            ),
            models.Index(
                fields=["agency", "campaign", "furthest_status"],
                name="lead_by_campaign",
                condition=models.Q(is_test=False, merged_into__isnull=True),
            ),
            models.Index(  # whatever counts leads reads this alone
                fields=["agency", "received_at"],
                name="lead_counted",
                include=["id", "source", "campaign", "account", "furthest_status"],
                condition=models.Q(is_test=False, merged_into__isnull=True),
            ),
            models.Index(
                fields=["agency", "id"],
                name="lead_replied",
                condition=models.Q(
                    furthest_status__in=[status.value for status in REPLIED], is_test=False, merged_into__isnull=True
                ),
            ),
            models.Index(
                fields=["agency", "response_due_at", "id"],
                name="lead_by_response_due",
                condition=models.Q(response_due_at__isnull=False, merged_into__isnull=True),
            ),
            models.Index(
                fields=["agency", "assigned_to", "-id"],
                name="lead_by_assignee",
                condition=models.Q(assigned_to__isnull=False, merged_into__isnull=True),
            ),
            models.Index(
                fields=["assigned_to", "agency"],
                name="lead_open_by_assignee",
                condition=models.Q(assigned_to__isnull=False, is_test=False, merged_into__isnull=True)
                & ~models.Q(status__in=[status.value for status in ENDED]),
            ),
            models.Index(
                fields=["agency", "company_key", "-received_at"],
                name="lead_owner_by_company",
                condition=models.Q(assigned_to__isnull=False) & ~models.Q(company_key=""),
            ),
            models.Index(
                fields=["agency", "domain", "-received_at"],
                name="lead_owner_by_domain",
                condition=models.Q(assigned_to__isnull=False, is_free_mail=False),
            ),
            models.Index(fields=["merged_into"], name="lead_by_root", condition=models.Q(merged_into__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email or self.linkedin_url or f"Unnamed lead …{self.id[-6:]}"

    @property
    def display_name(self) -> str:
        return self.name or f"{self.first_name} {self.last_name}".strip()

    @property
    def status_label(self) -> str:
        return LeadStatus(self.status).label


class LeadMerge(models.Model):
    """Store the values that one merge replaced, so that the merge can be undone."""

    record = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="merge")
    merged_at = models.DateTimeField()
    linkedin_key = models.CharField(
        max_length=500,
        blank=True,
        db_default="",
        editable=False,
        help_text="The record's own.",
    )
    replaced = models.JSONField(
        encoder=DjangoJSONEncoder, help_text="What the fields that the merge changed held in the record that is shown."
    )

    def __str__(self) -> str:
        return f"merge of {self.record_id}"


class OwnValues(models.Model):
    """Store the values that a lead has by itself, while it shows those of records that were merged into it too."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="own_values")
    own = models.JSONField(help_text="What it held when the first record was merged, and was reported of it since.")
    later = models.JSONField(default=dict, help_text="What was written on the lead as it is shown. It wins.")
    shown = models.JSONField(default=dict, help_text="What the lead showed when it was put together last.")

    def __str__(self) -> str:
        return f"own values of {self.lead_id}"


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """Hold a lead's status with one provider in one campaign, and since when it applies."""

    status: LeadStatus
    since: datetime
    sequence: int = 0


class LeadReference(models.Model):
    """Store a lead's id, campaign and status at one provider."""

    id = models.BigAutoField(primary_key=True)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="references")
    origin = models.ForeignKey(
        Lead, models.DO_NOTHING, null=True, editable=False, db_index=False, db_constraint=False, related_name="+",
        help_text="The record that the row was born on, where a merge has moved it.",
    )  # fmt: skip
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=32, choices=provider_choices)
    external_id = models.CharField(max_length=200)
    source = models.ForeignKey(Source, models.SET_NULL, null=True, blank=True, related_name="+")
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=24, choices=STATUSES, default=LeadStatus.PENDING)
    status_since = models.DateTimeField()
    status_sequence = models.BigIntegerField(default=0, editable=False)
    reported_at = models.DateTimeField(null=True, editable=False, help_text="Time of the newest report.")
    reported_sequence = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "provider", "external_id", "campaign"], name="lead_reference_once_per_campaign"
            ),
            models.UniqueConstraint(
                fields=["agency", "provider", "external_id"],
                name="lead_reference_once_without_campaign",
                condition=models.Q(campaign__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.external_id}"

    @property
    def current_status(self) -> CurrentStatus | None:
        """Return the status that the reports give. None before the first report."""
        if self.reported_at is None:
            return None
        return CurrentStatus(LeadStatus(self.status), self.status_since, self.status_sequence)

    @property
    def latest_report(self) -> tuple[datetime | None, int]:
        """Return the time and the sequence of the newest report."""
        return self.reported_at, self.reported_sequence


class LeadChange(models.Model):
    """Store one report about a lead, or one note, also if it changed nothing. Rows are only appended."""

    id = models.BigAutoField(primary_key=True)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="changes")
    origin = models.ForeignKey(
        Lead, models.DO_NOTHING, null=True, editable=False, db_index=False, db_constraint=False, related_name="+",
        help_text="The record that the row was born on, where a merge has moved it.",
    )  # fmt: skip
    reference = models.ForeignKey(LeadReference, models.SET_NULL, null=True, related_name="+")
    previous_status = models.CharField(max_length=24, blank=True)
    new_status = models.CharField(max_length=24)
    stated = models.BooleanField(help_text="The provider's own word; otherwise derived from another event.")
    is_report = models.BooleanField(default=True, help_text="Says where the lead stands; otherwise a remark.")
    changed_by = models.CharField(max_length=16, choices=[(c, c.value) for c in ChangedBy])
    user_id = models.BigIntegerField(null=True, editable=False, help_text="The user who made it, if a person did.")
    assignee_id = models.BigIntegerField(
        null=True, editable=False, help_text="The user whom the lead was assigned to; 0: nobody any more."
    )
    occurred_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True, editable=False, help_text="When the report reached Leadline.")
    sequence = models.BigIntegerField(default=0)
    receipt_id = models.CharField(max_length=40, blank=True)
    applied = models.BooleanField()
    note = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True, default="", db_default="", help_text="What the lead answered.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["lead", "-id"], name="lead_change_newest"),
            models.Index(fields=["reference", "occurred_at"], name="lead_change_by_reference"),
            models.Index(
                fields=["new_status", "occurred_at"],
                name="lead_change_by_outcome",
                include=["lead", "previous_status"],
                condition=models.Q(
                    applied=True,
                    is_report=True,
                    new_status__in=[LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY, LeadStatus.MEETING_BOOKED],
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.previous_status or 'first seen'} → {self.new_status}"


class Enrichment(DueRow):
    """Store a lead that waits for the enrichers. The row is deleted once they have answered."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="enrichment")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="enrichment_due", condition=models.Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"enrichment of {self.lead_id}"


class Tombstone(models.Model):
    """Keep an erased lead from coming back. Store a keyed hash of the provider's id, never the id."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    erased_at = models.DateTimeField(help_text="Reports up to this time stay without effect.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "provider", "digest"], name="tombstone_once")]

    def __str__(self) -> str:
        return f"{self.provider} lead erased {self.erased_at:%Y-%m-%d}"
