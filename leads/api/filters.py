"""Define the query parameters that filter leads."""

from typing import Any

from django.core.validators import RegexValidator
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.core.enums import AccountStatus, ProviderSlug
from accounts.models import Member
from accounts.web.rest.filters import (
    ConditionFilter,
    NumberFilter,
    SearchFilter,
    StrictChoiceFilter,
    StrictFilterSet,
    TextFilter,
    TimeFilter,
)
from leads.enums import LOCALE, LeadStatus
from leads.models import Assignment, Lead, LeadQuerySet, LeadReference, WaitingLead
from leads.models.lead_indexes import AWAITS_REPLY
from leads.pipeline.search import leads_matching
from leads.pipeline.tags import has_tag

#: So many leads are looked up by their ids.
FEW = 500


class LanguageFilter(TextFilter):
    """Accept a language with or without a country."""

    schema = {"type": "string", "pattern": f"^{LOCALE.pattern}$"}

    def __init__(self, **options: Any) -> None:
        matches = RegexValidator(rf"\A{LOCALE.pattern}\Z", "Give a language and a country such as en_US.")
        super().__init__(validators=[matches], **options)


class LeadFilters(StrictFilterSet):
    status = StrictChoiceFilter(LeadStatus)
    campaign = TextFilter("campaign_id")
    account = TextFilter("account_id")
    account_active = ConditionFilter(
        Q(account__status=AccountStatus.ACTIVE), label="Whether the lead's account is active."
    )
    source = TextFilter("source_id")
    lead_type = TextFilter()
    form = TextFilter()
    creation_locale = LanguageFilter(label="The language of the form that the lead was left in, such as `en_US`.")
    is_test = ConditionFilter(Q(is_test=True))
    tag = TextFilter(method="filter_tag", label="A tag, exactly.")
    external_id = TextFilter(method="filter_external_id", label="A provider's id of the lead.")
    assigned_to = TextFilter(
        method="filter_assigned_to", label="A member's id, `none` for leads that nobody has, or `me`."
    )
    pool = TextFilter(method="filter_pool", label="A pool's id: leads that it dealt or holds.")
    priority = TextFilter()
    grade = TextFilter(label="A grade such as `A1`.")
    score_min = NumberFilter("score", lookup_expr="gte", label="At least this score.")
    waiting = ConditionFilter(AWAITS_REPLY, label="Whether the lead wrote and no person answered since.")
    clock = StrictChoiceFilter(
        ("open", "due_soon", "overdue"), method="filter_clock", label="Whether somebody has to answer, and how soon."
    )
    received_after = TimeFilter("received_at", lookup_expr="gt")
    received_before = TimeFilter("received_at", lookup_expr="lt")
    updated_after = TimeFilter("updated_at", lookup_expr="gt")
    q = SearchFilter(
        method="filter_q",
        label="Part of a name, an e-mail address, a company, a title, a URL or an id; a provider's id, whole.",
    )

    def filter_q(self, leads: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        return leads.filter(leads_matching(self.request.auth.agency_id, value))

    def filter_clock(self, leads: LeadQuerySet, name: str, value: str) -> LeadQuerySet:
        return leads.with_clock(value)

    def filter_tag(self, leads: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        return leads.filter(has_tag(value))

    def filter_external_id(self, leads: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        references = LeadReference.objects.filter(
            agency=self.request.auth.agency_id, provider__in=list(ProviderSlug), external_id=value
        )
        return leads.filter(pk__in=references.values("lead_id"))

    def filter_assigned_to(self, leads: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        if value == "none":
            return leads.filter(assigned_to__isnull=True)
        if value == "me":  # a key is nobody's: it has no leads
            return leads.none()
        member = Member.objects.filter(agency=self.request.auth.agency_id, pk=value).first()
        return leads.filter(assigned_to=member.user_id) if member else leads.none()

    def filter_pool(self, leads: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        """Return what a pool dealt or holds: by these leads if they are few, else from the newest lead on."""
        dealt = Assignment.objects.current().filter(pool=value)
        held = WaitingLead.objects.filter(pool=value)
        few = {pk for rows in (dealt, held) for pk in rows.values_list("lead", flat=True)[: FEW + 1]}
        if len(few) <= FEW:
            return leads.filter(pk__in=few)
        of_lead = {"lead": OuterRef("pk")}
        return leads.filter(Exists(dealt.filter(**of_lead)) | Exists(held.filter(**of_lead)))
