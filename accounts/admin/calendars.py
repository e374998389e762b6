"""Show the working hours of agencies."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.models import Agency, Calendar, CalendarException
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency


@admin.register(Calendar)
class CalendarAdmin(BackOfficeAdmin):
    menu_group = "Agencies"
    menu_position = 55
    menu_title = "Working hours"
    text_search = ("name",)
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of its name, or of the agency's name."
    list_display = ("name", "agency", "timezone", "always_open", "is_default", "version")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
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
