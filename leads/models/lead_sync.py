"""What Lead Sync keeps beside the leads: a source's LinkedIn side, its subscriptions, forms, and work that waits."""

from django.conf import settings
from django.db import models

from accounts.core.jobs import DueRow
from accounts.models import Account, Agency, Source


class LeadSync(DueRow):
    """The LinkedIn side of a `linkedin` source: who connected it, what is wrong with it, when it is checked next."""

    due_at_once = models.Q(attempts=0, error="", checked_at=None)  # later checks are a day apart

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="lead_sync")
    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="lead_syncs")
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField(null=True)
    problems = models.JSONField(default=list, help_text="What is wrong, in a marketer's words, each with a code.")
    checked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="lead_sync_due", condition=models.Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"Lead Sync of {self.source_id}"


class Subscription(models.Model):
    """One owner's leads of one kind that LinkedIn is to tell us about. `external_id` is empty until it does."""

    sync = models.ForeignKey(LeadSync, models.CASCADE, related_name="subscriptions")
    owner = models.CharField(max_length=200)
    lead_type = models.CharField(max_length=32)
    form = models.CharField(max_length=200, blank=True)
    entity = models.CharField(max_length=200, blank=True)
    external_id = models.CharField(max_length=64, blank=True)
    wanted = models.BooleanField(default=True, help_text="Otherwise it is taken away at LinkedIn, then here.")
    error = models.CharField(max_length=300, blank=True)
    seen_at = models.DateTimeField(null=True, help_text="When LinkedIn last listed it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sync", "owner", "lead_type", "form", "entity"], name="subscription_once_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.lead_type} leads of {self.owner}"


class LeadForm(models.Model):
    """One version of a form, as LinkedIn showed it: a version never changes."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    form_id = models.CharField(max_length=64)
    version = models.CharField(max_length=16)
    name = models.CharField(max_length=300, blank=True)
    content = models.JSONField()
    fetched_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agency", "form_id", "version"], name="lead_form_once_per_version")
        ]

    def __str__(self) -> str:
        return self.name or f"form {self.form_id}"


class OwnerAccess(models.Model):
    """When access to one owner's leads was last proved, and up to when they were pulled while it was."""

    sync = models.ForeignKey(LeadSync, models.CASCADE, related_name="accesses")
    owner = models.CharField(max_length=200)
    lead_type = models.CharField(max_length=32)
    proved_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True, help_text="When a role was first found missing that it takes.")
    pulled_until = models.DateTimeField(null=True, help_text="The next pull begins here; none: as far back as it can.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sync", "owner", "lead_type"], name="owner_access_once_per_source")
        ]

    def __str__(self) -> str:
        return f"access to the {self.lead_type} leads of {self.owner}"


class RefusedForm(DueRow):
    """A form that LinkedIn does not show to the person who connected a source. It is asked for again, ever more rarely;
    the row is deleted when the form was read and the answers that wait for it have their labels."""

    sync = models.ForeignKey(LeadSync, models.CASCADE, related_name="refused_forms")
    form_id = models.CharField(max_length=64)
    reason = models.CharField(max_length=16, help_text="What was wrong the last time: a word of LinkedIn's client.")
    refused_at = models.DateTimeField(help_text="When LinkedIn first did not show it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sync", "form_id"], name="refused_form_once_per_source")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="refused_form_due", condition=models.Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"form {self.form_id}"


class UnlabelledAnswers(models.Model):
    """A lead's answers that came without their form: they have the ids of their questions and nothing more."""

    reference = models.OneToOneField("leads.LeadReference", models.CASCADE, primary_key=True, related_name="unlabelled")
    form = models.ForeignKey(RefusedForm, models.CASCADE, related_name="waiting")
    version = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"unlabelled answers of {self.reference_id}"


class LeadFetch(DueRow):
    """The answers of one lead that are still at LinkedIn, and the `lead_created` that waits for them."""

    reference = models.OneToOneField("leads.LeadReference", models.CASCADE, primary_key=True, related_name="fetch")
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    announce_by = models.DateTimeField(null=True, help_text="When agencies are told without it; none: they were told.")
    was_hidden = models.BooleanField(default=False, db_default=False, help_text="LinkedIn did not show it for a while.")
    receipt_id = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="lead_fetch_due", condition=models.Q(next_attempt_at__isnull=False)
            ),
            models.Index(
                fields=["announce_by"], name="lead_fetch_unannounced", condition=models.Q(announce_by__isnull=False)
            ),
            models.Index(fields=["source", "next_attempt_at"], name="lead_fetch_by_source"),
        ]

    def __str__(self) -> str:
        return f"answers of {self.reference_id}"


class Pull(DueRow):
    """A walk through what LinkedIn keeps of one owner's leads; `position` says from where a killed one goes on."""

    due_at_once = models.Q(error="")  # a page that was made smaller keeps its attempts

    sync = models.ForeignKey(LeadSync, models.CASCADE, related_name="pulls")
    owner = models.CharField(max_length=200)
    lead_type = models.CharField(max_length=32)
    since = models.DateTimeField()
    until = models.DateTimeField()
    position = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    found = models.PositiveIntegerField(default=0, help_text="Leads that were not here yet.")
    page_size = models.PositiveSmallIntegerField(null=True, help_text="Smaller while a lead is looked for that fails.")
    skipped = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Leads that LinkedIn did not show, or nobody can read."
    )
    reason = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="The error in a word of LinkedIn's client."
    )
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], name="pull_due", condition=models.Q(next_attempt_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.lead_type} leads of {self.owner} since {self.since:%Y-%m-%d}"
