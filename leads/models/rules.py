"""Define what the rules of every kind have in common, and the versions of each set of rules."""

from functools import partial
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext, gettext_noop

from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Agency
from leads.enums import RuleAction

CHANGES = {
    RuleAction.CREATED: gettext_noop("Created “%(subject)s”"),
    RuleAction.CHANGED: gettext_noop("Changed “%(subject)s”"),
    RuleAction.MOVED: gettext_noop("Moved “%(subject)s”"),
    RuleAction.DELETED: gettext_noop("Deleted “%(subject)s”"),
    RuleAction.DISABLED: gettext_noop("Switched “%(subject)s” off"),
    RuleAction.ROLLED_BACK: gettext_noop("Went back to version %(subject)s"),
    RuleAction.LEARNED: gettext_noop("Took over the suggested points of: %(subject)s"),
}


class RuleSet(models.Model):
    """Store the current version of an agency's rules of one kind. Whoever changes one of these rules locks this row."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="rule_sets")
    kind = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "kind"], name="rule_set_once_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} rules, version {self.version}"


class RuleSetVersion(models.Model):
    """Store all rules of a set as one change left them. Rows are only appended."""

    id = models.BigAutoField(primary_key=True)
    rule_set = models.ForeignKey(RuleSet, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rules = models.JSONField(help_text="The rules by position, each with its id and its fields.")
    action = models.CharField(max_length=16, choices=[(action, action.value) for action in RuleAction])
    subject = models.CharField(
        max_length=120, help_text="The name of the rule; the number of the version that came back."
    )
    changed_by = models.CharField(max_length=200, blank=True, help_text="Empty: Leadline itself.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule_set", "number"], name="rule_set_version_once")]

    def __str__(self) -> str:
        return f"version {self.number}"

    @property
    def change(self) -> str:
        """Return what was changed, in the language of the reader."""
        return gettext(CHANGES[RuleAction(self.action)]) % {"subject": self.subject}


class Rule(models.Model):
    """An abstract model of a rule: conditions about a lead. Each kind adds what follows from them in `CONTENT`.

    `conditions` is a tree that `leads.conditions` compiles; an empty one matches every lead.
    """

    #: The fields that a kind adds, as the database names them (`pool_id`). They are part of every version.
    CONTENT: ClassVar[tuple[str, ...]] = ()

    id: Any = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "rule"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="%(class)ss")
    name = models.CharField(max_length=120)
    position = models.PositiveIntegerField(help_text="Counted from 1.")
    active = models.BooleanField(default=True)
    conditions = models.JSONField(default=dict, blank=True)
    disabled_reason = models.CharField(
        max_length=500, blank=True, help_text="Why Leadline switched the rule off. Empty: it did not."
    )
    version = models.PositiveIntegerField(help_text="The version of the set that changed the rule last.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class RulePreview(DueRow):
    """Store a preview that somebody asked for: what rules, saved or not, would have done. It is kept for a day."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "preview"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)
    days = models.PositiveIntegerField()
    drafts = models.JSONField(null=True, help_text="Unsaved rules. None: those that are saved.")
    done = models.PositiveIntegerField(default=0, help_text="Leads looked at so far.")
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True, help_text="None: it is not finished.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="rule_preview_due", condition=models.Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"preview of {self.kind} rules over {self.days} days"
