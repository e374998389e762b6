"""Define the list filters of leads in the back office."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Agency, Campaign, Member
from accounts.web.backoffice.filters import MAX_LISTED, ByAge, ByParent, ByStatus, WithinAgency
from leads.labels import STATUSES
from leads.models import Lead
from leads.models.lead_indexes import AWAITS_REPLY
from leads.pipeline.changes import HIGH_PRIORITY
from leads.pipeline.languages import language_name, languages_of


class ByLeadStatus(ByStatus):
    """Filter by status, within one agency or over all."""

    labels = STATUSES
    index_begins_with_agency = True


class ByFormLanguage(WithinAgency):
    """Filter by the language of the lead form."""

    title, parameter_name = "language of the form", "creation_locale"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        agency = Agency.objects.filter(pk=agency_id).first()
        return [(locale, language_name(locale)) for locale in languages_of(agency)] if agency else []

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(creation_locale=self.value()) if self.value() else queryset


class ByLeadCampaign(WithinAgency):
    """Filter by campaign: one of the agency's newest, or the one that a link names."""

    title, parameter_name = "campaign", "campaign"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        campaigns = Campaign.objects.filter(agency=agency_id)
        shown = list(campaigns.order_by("-pk")[:MAX_LISTED])
        chosen = self.value()
        if chosen and chosen not in {campaign.pk for campaign in shown}:
            shown += campaigns.filter(pk=chosen)
        return sorted(((campaign.pk, str(campaign)) for campaign in shown), key=lambda option: option[1].casefold())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(campaign=self.value()) if self.value() else queryset


class ByOwner(WithinAgency):
    """Filter by the member who owns the lead."""

    title, parameter_name = "assigned to", "owner"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        members = Member.objects.filter(agency=agency_id).select_related("user").order_by("user__username")[:MAX_LISTED]
        people = [(str(member.user_id), member.user.get_full_name() or str(member.user)) for member in members]
        return [("none", "Nobody"), *people]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value() or ""
        if chosen == "none":
            return queryset.filter(assigned_to__isnull=True)
        return queryset.filter(assigned_to=int(chosen)) if chosen.isascii() and chosen.isdigit() else queryset


class ByPriority(WithinAgency):
    title, parameter_name = "priority", "priority"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        return [(HIGH_PRIORITY, "High"), ("medium", "Medium"), ("low", "Low"), ("none", "None")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value()
        return queryset.filter(priority="" if chosen == "none" else chosen) if chosen else queryset


class ByGrade(WithinAgency):
    """Filter by grade: fit from A to C, engagement from 1 to 3."""

    title, parameter_name = "grade", "grade"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        grades = [f"{fit}{engagement}" for fit in "ABC" for engagement in "123"]
        return [*((grade, grade) for grade in grades), ("none", "None")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value()
        return queryset.filter(grade="" if chosen == "none" else chosen) if chosen else queryset


class ByLeadAge(WithinAgency, ByAge):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return ByAge.lookups(self, request, model_admin) if request.GET.get("agency") else []


class ByWaiting(WithinAgency):
    """Filter for leads that await the agency's reply."""

    title, parameter_name = "waiting", "waiting"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        return [("yes", "Awaiting reply")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(AWAITS_REPLY) if self.value() else queryset


class ByClock(WithinAgency):
    """Filter for leads that somebody has to answer."""

    title, parameter_name = "answer", "clock"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        return [("open", "To be answered"), ("due_soon", "Due soon"), ("overdue", "Overdue")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        state = self.value() or ""
        chosen = state in {"open", "due_soon", "overdue"}
        return queryset.filter(pk__in=Lead.objects.with_clock(state)) if chosen else queryset


class ByLead(ByParent):
    title, parameter_name, model = "lead", "lead", Lead

    def label_fields(self) -> tuple[str, ...]:
        return ("name", "first_name", "last_name", "linkedin_url")
