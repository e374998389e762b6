"""Define the indexes of leads."""

from django.db import models
from django.db.models.functions import Lower

from leads.enums import AWAITING_REPLY, ENDED, REPLIED

#: A lead wrote, and no person answered since.
AWAITS_REPLY = models.Q(status__in=[status.value for status in AWAITING_REPLY], is_test=False) & (
    models.Q(last_response_at__isnull=True) | models.Q(last_response_at__lt=models.F("status_since"))
)

INDEXES = [
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
        name="lead_unanswered",
        condition=AWAITS_REPLY & models.Q(merged_into__isnull=True),
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
        fields=["agency", "-id"],
        name="lead_unassigned",
        condition=models.Q(assigned_to__isnull=True, merged_into__isnull=True),
    ),
    models.Index(fields=["agency", "priority", "-id"], name="lead_by_priority", condition=~models.Q(priority="")),
    models.Index(fields=["agency", "form", "-id"], name="lead_by_form", condition=~models.Q(form="")),
    models.Index(fields=["agency", "lead_type", "-id"], name="lead_by_type", condition=~models.Q(lead_type="")),
    models.Index(fields=["agency", "-id"], name="lead_that_is_test", condition=models.Q(is_test=True)),
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
    models.Index(fields=["agency", "phone_e164"], name="lead_by_phone", condition=~models.Q(phone_e164="")),
    models.Index(
        fields=["agency", "company_key", "name_key"],
        name="lead_by_company_and_name",
        condition=~models.Q(company_key="") & ~models.Q(name_key=""),
    ),
    models.Index(fields=["merged_into"], name="lead_by_root", condition=models.Q(merged_into__isnull=False)),
]
