"""Back office: what reports count, each row reached by its address alone."""

from django.contrib import admin

from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from leads.models import FigureSettings, LeadFact, LeadStep


@admin.register(LeadFact)
class LeadFactAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("lead", "agency", "received_on", "status", "response_seconds", "converted_on", "lost_on")
    list_select_related = ("lead", "agency")
    fieldsets = (
        (None, {"fields": ("lead", "agency", "status", "furthest_status", "is_test")}),
        ("Received", {"fields": ("received_at", "received_on", "received_hour", "received_weekday")}),
        ("From", {"fields": ("source", "lead_type", "form", "campaign", "account")}),
        ("Who", {"fields": ("assigned_to", "seniority", "size_band", "industry", "state")}),
        ("Answer", {"fields": ("asked_at", "response_seconds", "response_working_seconds")}),
        ("Attempt", {"fields": ("attempt_seconds", "attempt_working_seconds")}),
        ("Steps", {"fields": ("invited_at", "accepted_at", "replied_at", "replied_on")}),
        ("Outcome", {"fields": ("converted_at", "converted_on", "lost_at", "lost_on", "loss_cause")}),
    )


@admin.register(LeadStep)
class LeadStepAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("lead", "agency", "status", "reached_at")
    list_select_related = ("lead", "agency")
    fieldsets = ((None, {"fields": ("lead", "agency", "status", "reached_at", "reached_on")}),)


@admin.register(FigureSettings)
class FigureSettingsAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("agency", "conversions")
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("agency", "conversions")}),)
