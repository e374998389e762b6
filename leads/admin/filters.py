"""Define the list filters of leads in the back office."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Agency
from accounts.web.backoffice.filters import ByParent, ByStatus
from leads.enums import LeadStatus
from leads.models import Lead
from leads.pipeline.languages import language_name, languages_of


class ByLeadStatus(ByStatus):
    """Filter by status within one agency. Only the agency's index serves common and rare statuses alike."""

    options = [(status.value, status.label) for status in LeadStatus]
    within_agency = True


class ByFormLanguage(SimpleListFilter):
    """Filter by the language of the lead form. The filter is offered with an agency, whose index serves it."""

    title, parameter_name = "language of the form", "creation_locale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        agency = Agency.objects.filter(pk=request.GET.get("agency", "")).first()
        return [(locale, language_name(locale)) for locale in languages_of(agency)] if agency else []

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(creation_locale=self.value()) if self.value() else queryset


class ByLead(ByParent):
    title, parameter_name, model = "lead", "lead", Lead

    def label_fields(self) -> tuple[str, ...]:
        return ("name", "first_name", "last_name", "linkedin_url")
