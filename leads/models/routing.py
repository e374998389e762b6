"""Define pools, whose members take turns, the ledger of assignments, and leads that wait for an owner."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Agency, Calendar, Member
from leads.enums import AssignmentReason, PoolKind
from leads.models.lead import Lead
from leads.models.origin import origin_field

MILLIONTHS = "In millionths of a lead."


class RoutingSettings(models.Model):
    """How an agency's leads are routed besides its rules. Without a row the defaults apply."""

    agency = models.OneToOneField(Agency, models.CASCADE, primary_key=True, related_name="routing_settings")
    same_company = models.BooleanField(
        default=True, help_text="A lead goes to who has a lead of the same company or business domain."
    )
    company_days = models.PositiveSmallIntegerField(default=90, help_text="How old that other lead may be, in days.")

    def __str__(self) -> str:
        return f"routing of {self.agency}"


class Pool(models.Model):
    """Members who take turns at an agency's leads."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "pool"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="pools")
    name = models.CharField(max_length=120)
    kind = models.CharField(
        max_length=16, choices=[(kind.value, kind.value) for kind in PoolKind], default=PoolKind.ROUND_ROBIN
    )
    is_catch_all = models.BooleanField(default=False, help_text="Deals the leads that no rule leads anywhere.")
    respects_hours = models.BooleanField(default=False, help_text="Deals only to members in their working hours.")
    hold = models.BooleanField(default=False, help_text="A lead that nobody can take waits, and is dealt later.")
    calendar = models.ForeignKey(
        Calendar, models.SET_NULL, null=True, blank=True, related_name="pools",
        help_text="Working hours of members who have none of their own; else the agency's.",
    )  # fmt: skip
    overflow_pool = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    overflow_minutes = models.PositiveIntegerField(
        default=0, help_text="How long a lead that nobody can take waits before the overflow pool deals it."
    )
    streak_key = models.CharField(max_length=40, blank=True, editable=False, help_text="The member of the last turns.")
    streak_length = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agency", "name"], name="pool_name_once_per_agency"),
            models.UniqueConstraint(
                fields=["agency"], name="pool_one_catch_all", condition=models.Q(is_catch_all=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PoolMember(models.Model):
    """A member in a pool, and how fairly the pool has dealt to them."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(Pool, models.CASCADE, related_name="members")
    member = models.ForeignKey(Member, models.CASCADE, related_name="pool_places")
    weight = models.PositiveSmallIntegerField(default=1)
    daily_cap = models.PositiveIntegerField(null=True, blank=True, help_text="Leads of this pool a day.")
    open_cap = models.PositiveIntegerField(null=True, blank=True, help_text="Open leads, of all pools.")
    paused_until = models.DateTimeField(null=True, blank=True)
    behind = models.BigIntegerField(
        default=0, editable=False, help_text=f"What they expected minus what they received, and credits. {MILLIONTHS}"
    )
    credited = models.BigIntegerField(default=0, editable=False, help_text=f"The sum of their credits. {MILLIONTHS}")
    received = models.PositiveIntegerField(default=0, editable=False, help_text="Leads dealt by this pool.")
    last_at = models.DateTimeField(null=True, editable=False, help_text="When they got their last lead here.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "member"], name="pool_member_once")]

    def __str__(self) -> str:
        return f"{self.member} in {self.pool}"


class Credit(models.Model):
    """A change of a member's turns that a person made, or that came with their leaving. Rows are only appended."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(Pool, models.CASCADE, related_name="credits")
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    amount = models.BigIntegerField(help_text=f"Positive: more leads. {MILLIONTHS}")
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["pool", "-id"], name="credit_newest")]

    def __str__(self) -> str:
        return f"{self.amount / 1e6:+.1f}: {self.reason}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def current(self) -> "AssignmentQuerySet":
        """Return the assignments to whom the leads have now.

        A merge leaves the row of the other record open, for the undo, though its owner has the lead no longer.
        """
        has_it = Q(user=F("lead__assigned_to")) | Q(user__isnull=True, lead__assigned_to__isnull=True)
        return self.filter(has_it, ended_at__isnull=True)


class Assignment(models.Model):
    """Who had a lead, from when until when, and why. A row without a member says that nobody has it."""

    id = models.BigAutoField(primary_key=True)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="assignments")
    origin = origin_field()
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="assignments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", help_text="The member's user."
    )
    pool = models.ForeignKey(Pool, models.SET_NULL, null=True, related_name="assignments")
    first_pool = models.CharField(max_length=40, blank=True, help_text="Id of the pool that was to deal it.")
    rule = models.CharField(max_length=40, blank=True, help_text="Id of the routing rule.")
    rule_name = models.CharField(max_length=120, blank=True, help_text="What the rule was called then.")
    version = models.PositiveIntegerField(null=True, help_text="Version of the routing rules.")
    reason = models.CharField(max_length=16, choices=[(reason.value, reason.value) for reason in AssignmentReason])
    passed_over = models.JSONField(default=list, help_text="The pool's other members, each with the reason.")
    shares = models.JSONField(default=dict, editable=False, help_text="What the turn added to each `behind`.")
    is_returned = models.BooleanField(default=False, help_text="Given back so soon that the turn was given back too.")
    target_minutes = models.PositiveIntegerField(null=True, help_text="The time to answer that the rule sets.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", help_text="The person who assigned it."
    )
    at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["lead", "-id"], name="assignment_newest"),
            models.Index(
                fields=["pool", "at"],
                name="assignment_by_turn",
                include=["member"],
                condition=models.Q(pool__isnull=False, is_returned=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member or 'nobody'} ({self.reason})"


class WaitingLead(DueRow):
    """A lead that waits for an owner: in a pool that holds it, or unrouted. The row goes once somebody has the lead."""

    due_at_once = None

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="waiting")
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="waiting_leads")
    pool = models.ForeignKey(Pool, models.CASCADE, null=True, related_name="waiting", help_text="None: unrouted.")
    rule = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=16, blank=True, help_text="Why the pool deals it.")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="waiting_lead_due", condition=models.Q(next_attempt_at__isnull=False)
            ),
            models.Index(fields=["agency", "pool", "since"], name="waiting_lead_by_pool"),
        ]

    def __str__(self) -> str:
        return f"{self.lead_id} waits for {self.pool or 'an owner'}"
