"""Show the working hours of agencies."""

from django.contrib import admin

from accounts.models import Calendar, CalendarException
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency


@admin.register(Calendar)
class CalendarAdmin(BackOfficeAdmin):
    list_display = ("name", "agency", "timezone", "always_open", "is_default", "version")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    text_search = ("name",)
    fieldsets = (
        (
            None,
            {"fields": ("name", "agency", "timezone", "week", "always_open", "is_default", "version", "updated_at")},
        ),
    )
    empty_list = "No agency has entered working hours yet."


@admin.register(CalendarException)
class CalendarExceptionAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("calendar", "name", "first", "last", "working", "blocks")
    list_select_related = ("calendar",)
    fieldsets = ((None, {"fields": ("calendar", "name", "first", "last", "working", "blocks")}),)
