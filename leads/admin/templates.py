"""Show the templates of agencies."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.filters import ByAgency
from leads.models import MessageTemplate


@admin.register(MessageTemplate)
class MessageTemplateAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 66
    menu_title = "Templates"
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of the agency's name."
    list_display = ("name", "agency", "channel", "subject", "updated_at")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "agency", "channel", "subject", "text")}),
        ("Times", {"fields": ("created_at", "updated_at")}),
    )
    empty_list = "No agency has written a template yet."
