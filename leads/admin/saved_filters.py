"""Show the lists of leads that members saved in the back office."""

from django.contrib import admin

from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from leads.models import SavedFilter


@admin.register(SavedFilter)
class SavedFilterAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("name", "member", "query")
    list_select_related = ("member__user",)
    fieldsets = ((None, {"fields": ("name", "member", "query", "created_at")}),)
    search_help_text = "an id."
