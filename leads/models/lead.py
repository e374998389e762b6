"""Define leads."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.core.derived_fields import (
    DerivedBooleanField,
    DerivedCharField,
    DerivedIntegerField,
    DerivedTextField,
    HasDerivedFields,
    search_text,
)
from accounts.core.ids import new_id
from accounts.models import Account, Agency, Campaign, Source
from leads.enums import ENDED, STATUS_CHOICES, LeadStatus, furthest
from leads.facts import derivations
from leads.models.lead_indexes import AWAITS_REPLY, INDEXES


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
        """Return the leads that wrote, and that no person answered since."""
        return self.filter(AWAITS_REPLY)

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
    name_key = DerivedCharField(
        max_length=400, sources=("name", ("first_name", "last_name")), derive=derivations.name_key
    )
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
    status = models.CharField(max_length=24, choices=STATUS_CHOICES, default=LeadStatus.PENDING)
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
    conversion_reported_at = models.DateTimeField(
        null=True, editable=False, help_text="When `lead_converted` was recorded of it."
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
        indexes = INDEXES

    def __str__(self) -> str:
        return self.display_name or self.email or self.linkedin_url or f"Unnamed lead …{self.id[-6:]}"

    @property
    def display_name(self) -> str:
        return self.name or f"{self.first_name} {self.last_name}".strip()

    @property
    def status_label(self) -> str:
        return LeadStatus(self.status).label
