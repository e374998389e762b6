"""Show the sequences of agencies, who is enrolled, and the e-mails that they send."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.core.markup import ago, link
from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency, ByParent
from leads.admin.filters import ByLead
from leads.models import EmailSender, Enrolment, Lead, OptOut, OutboundEmail, Sequence, SequenceVersion, StepRun


class BySequence(ByParent):
    """A filter for what belongs to one sequence."""

    title, parameter_name, model = "sequence", "sequence", Sequence


class ByEnrolment(ByParent):
    """A filter for the steps of one enrolment."""

    title, parameter_name, model = "enrolment", "enrolment", Enrolment


@admin.register(Sequence)
class SequenceAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 67
    menu_title = "Sequences"
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of the agency's name."
    list_display = ("name", "agency", "active_since", "version", "disabled_reason")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "agency", "active_since", "version", "disabled_reason")}),
        ("Times", {"fields": ("created_at", "updated_at")}),
    )
    empty_list = "No agency has made a sequence yet."


@admin.register(SequenceVersion)
class SequenceVersionAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("sequence", "number", "changed_by", "created_at")
    list_filter = (BySequence,)
    list_select_related = ("sequence",)
    fieldsets = ((None, {"fields": ("sequence", "number", "changed_by", "created_at", "trigger", "steps")}),)


@admin.register(Enrolment)
class EnrolmentAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 68
    menu_title = "Enrolments"
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    search_help_text = "part of the lead's name or e-mail address, or an id."
    list_display = ("lead_name", "agency", "sequence", "state", "reason", "next_step", "due", "error")
    list_filter = (ByAgency, ByLead, BySequence)
    list_select_related = ("lead", "agency", "sequence")
    fieldsets = (
        (None, {"fields": ("lead_link", "agency", "sequence", "version", "trigger", "user", "state", "reason")}),
        ("Steps", {"fields": ("last_step", "next_step", "due_at", "paused_until", "created_at", "ended_at")}),
        ("Attempts", {"fields": ("attempts", "next_attempt_at", "error")}),
    )
    empty_list = "No lead has been enrolled yet."

    @admin.display(description="lead")
    def lead_name(self, enrolment: Enrolment) -> str:
        return str(enrolment.lead)

    @admin.display(description="lead")
    def lead_link(self, enrolment: Enrolment) -> str:
        return link(enrolment.lead)

    @admin.display(description="due")
    def due(self, enrolment: Enrolment) -> str:
        return ago(enrolment.due_at)


@admin.register(StepRun)
class StepRunAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("enrolment", "step", "kind", "state", "created_at", "confirmed_at", "reason")
    list_filter = (ByEnrolment,)
    list_select_related = ("enrolment",)
    fieldsets = (
        (None, {"fields": ("enrolment", "step", "kind", "state", "reason", "email", "task")}),
        ("Times", {"fields": ("created_at", "confirmed_at")}),
    )


@admin.register(OutboundEmail)
class OutboundEmailAdmin(BackOfficeAdmin):
    """Without the text of a request to confirm an address: its link is the owner's alone."""

    menu_group = "Campaigns and leads"
    menu_position = 69
    menu_title = "E-mails to leads"
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    search_help_text = "part of the lead's name or e-mail address, or an id."
    list_display = ("recipient", "agency", "kind", "state", "hold", "sent_at", "attempts", "error")
    list_filter = (ByAgency, ByLead)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("recipient", "agency", "lead", "kind", "subject", "state", "hold")}),
        ("Attempts", {"fields": ("created_at", "sent_at", "attempts", "next_attempt_at", "error")}),
    )
    empty_list = "No e-mail to a lead was made yet."


@admin.register(EmailSender)
class EmailSenderAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("address", "agency", "verified_at", "host", "error")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("agency", "name", "address", "verified_at")}),
        ("Mail server", {"fields": ("host", "port", "security", "username", "error")}),
    )


@admin.register(OptOut)
class OptOutAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("digest", "agency", "how", "at")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("agency", "digest", "how", "at")}),)
