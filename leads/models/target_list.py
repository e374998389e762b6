"""Define target lists: the companies that an agency wants as customers."""

from functools import partial

from django.db import models

from accounts.core.ids import new_id
from accounts.models import Agency


class TargetList(models.Model):
    """Store a list of companies, and what became of the file that it was last read from."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "list"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="target_lists")
    name = models.CharField(max_length=120)
    companies = models.PositiveIntegerField(default=0, help_text="Entries that are names.")
    domains = models.PositiveIntegerField(default=0, help_text="Entries that are domains.")
    duplicates = models.PositiveIntegerField(default=0, help_text="Values of the file that it had before.")
    refused_count = models.PositiveIntegerField(default=0, help_text="Rows of the file that could not be read.")
    refused = models.JSONField(default=list, help_text="The first of them: `{row, value, reason}`.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "name"], name="target_list_name_once_per_agency")]

    def __str__(self) -> str:
        return self.name


class TargetListEntry(models.Model):
    """Store a company of a list by what leads are compared with: a domain, or the name as it is compared.

    Only a domain has a dot.
    """

    id = models.BigAutoField(primary_key=True)
    target_list = models.ForeignKey(TargetList, models.CASCADE, related_name="entries")
    key = models.CharField(max_length=300)
    text = models.CharField(max_length=300, help_text="As the file has it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "target_list"], name="target_list_entry_once")]

    def __str__(self) -> str:
        return self.text
