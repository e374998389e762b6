"""Define imports of leads: a file's rows, what became of each, and the columns that people chose before."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Agency
from leads.enums import ImportState, RowOutcome
from leads.models.lead import Lead


class LeadImport(DueRow):
    """Store one file of leads, how it was read, and how far its rows are. Its rows are deleted some time after."""

    due_at_once: ClassVar[Q | None] = None

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "imp"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="imports")
    name = models.CharField(max_length=120, help_text="Of the file.")
    state = models.CharField(max_length=16, choices=[(one, one.value) for one in ImportState])
    by_user_id = models.BigIntegerField(null=True, editable=False, help_text="The user who started it, if one did.")
    encoding = models.CharField(max_length=16)
    delimiter = models.CharField(max_length=1)
    has_heading = models.BooleanField(default=True, help_text="The first row names the columns.")
    headings = models.JSONField(default=list)
    mapping = models.JSONField(default=list, help_text="A field of leads for each column; empty: not imported.")
    total = models.PositiveIntegerField(default=0, help_text="Rows of the file.")
    position = models.PositiveIntegerField(default=0, help_text="The row up to which this state's work is done.")
    done = models.PositiveIntegerField(default=0, help_text="Rows that this state's work is done for.")
    counts = models.JSONField(default=dict, help_text="Rows by outcome: expected, and once it ran, real.")
    undone = models.JSONField(default=dict, help_text="Leads that an undo removed, restored and kept.")
    rows_deleted = models.BooleanField(default=False, help_text="Its rows are gone: it cannot be undone any more.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="lead_import_newest"),
            models.Index(
                fields=["next_attempt_at"], name="lead_import_due", condition=models.Q(next_attempt_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ImportRow(models.Model):
    """Store one row of a file, and what became of it. The cells of a row that was imported are deleted.

    The keys say whom the row is about: an erased lead's rows are found by them, and earlier rows of the same person.
    """

    id = models.BigAutoField(primary_key=True)
    lead_import = models.ForeignKey(LeadImport, models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField(help_text="In the file, counted from 1.")
    cells = models.JSONField(default=list)
    outcome = models.CharField(max_length=12, blank=True, choices=[(one, one.value) for one in RowOutcome])
    reason = models.CharField(max_length=24, blank=True, help_text="Why the row was refused, or is a duplicate.")
    profile_key = models.CharField(max_length=500, blank=True)
    email_key = models.CharField(max_length=254, blank=True)
    phone_key = models.CharField(max_length=20, blank=True)
    lead = models.ForeignKey(Lead, models.CASCADE, null=True, related_name="import_rows")
    written = models.JSONField(default=dict, help_text="Field → the value that the row gave the lead.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lead_import", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["lead_import", "outcome", "number"], name="import_row_by_outcome"),
            models.Index(fields=["lead_import", "profile_key"], name="import_row_by_profile"),
            models.Index(fields=["lead_import", "email_key"], name="import_row_by_email"),
            models.Index(fields=["lead_import", "phone_key"], name="import_row_by_phone"),
        ]

    def __str__(self) -> str:
        return f"row {self.number}"


class ImportMapping(models.Model):
    """Remember which fields the columns of a heading stand for."""

    id = models.BigAutoField(primary_key=True)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64, help_text="Of the headings, folded.")
    mapping = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "digest"], name="import_mapping_once_per_heading")]

    def __str__(self) -> str:
        return self.digest[:8]
