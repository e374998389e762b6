"""Show the rules of agencies, their versions and previews, and the scores of leads."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency
from leads.conditions.target_lists import sentence_for
from leads.models import (
    Lead,
    LeadScore,
    RulePreview,
    RuleSet,
    RuleSetVersion,
    ScoreLearning,
    ScoringRule,
    ScoringRun,
    ScoringSettings,
)


class BySetsAgency(ByAgency):
    field = "rule_set__agency"


@admin.register(ScoringRule)
class ScoringRuleAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 60
    menu_title = "Scoring rules"
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of the agency's name."
    list_display = ("name", "agency", "position", "active", "group", "points", "disabled_reason")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "agency", "position", "active", "sentence", "group", "points", "cap")}),
        ("Conditions", {"fields": ("conditions",), "classes": ("collapse",)}),
        ("Version", {"fields": ("version", "disabled_reason", "created_at", "updated_at")}),
    )
    empty_list = "No agency has scoring rules yet. The first lead of an agency makes its starting set."

    @admin.display(description="matches")
    def sentence(self, rule: ScoringRule) -> str:
        return sentence_for(rule.agency, rule.conditions)


@admin.register(RuleSet)
class RuleSetAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("kind", "agency", "version")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("kind", "agency", "version")}),)


@admin.register(RuleSetVersion)
class RuleSetVersionAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("rule_set", "number", "change", "changed_by", "created_at")
    list_filter = (BySetsAgency,)
    list_select_related = ("rule_set",)
    fieldsets = ((None, {"fields": ("rule_set", "number", "change", "changed_by", "created_at", "rules")}),)


@admin.register(RulePreview)
class RulePreviewAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("kind", "agency", "days", "done", "total", "attempts", "error")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("kind", "agency", "days", "done", "total", "created_at", "result")}),
        ("Attempts", {"fields": ("attempts", "next_attempt_at", "error")}),
    )


@admin.register(LeadScore)
class LeadScoreAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("lead", "agency", "grade", "total", "fit", "engagement", "scored_at")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "lead")
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    search_help_text = "part of the lead's name, e-mail address or company."
    fieldsets = (
        (None, {"fields": ("lead", "agency", "grade", "total", "fit", "engagement", "is_high")}),
        ("How it came about", {"fields": ("contributions", "rules_version", "scored_at")}),
    )


@admin.register(ScoreLearning)
class ScoreLearningAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("agency", "state", "created_at", "done", "total", "accepted_by", "accepted_at", "error")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("agency", "state", "created_at", "rules_version", "result")}),
        ("Taken over", {"fields": ("chosen", "accepted_by", "accepted_at", "accepted_version")}),
        ("Attempts", {"fields": ("done", "total", "attempts", "next_attempt_at", "error")}),
    )


@admin.register(ScoringRun)
class ScoringRunAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("agency", "of_all_leads", "after", "attempts", "next_attempt_at", "error")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("agency", "of_all_leads", "after", "attempts", "next_attempt_at", "error")}),)


@admin.register(ScoringSettings)
class ScoringSettingsAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("agency", "threshold", "half_life_days")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("agency", "threshold", "half_life_days")}),)
