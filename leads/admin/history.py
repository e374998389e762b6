"""Show a lead's references, changes, merges and tombstones in the back office."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.core.markup import NOTHING, ago, badge, link, receipt_link
from accounts.labels import FIRST_SEEN
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency
from leads.admin.filters import ByLead
from leads.labels import status_badge
from leads.models import Lead, LeadChange, LeadMerge, LeadReference, OwnValues, Tombstone


@admin.register(LeadReference)
class LeadReferenceAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("external_id", "provider", "lead_link", "campaign_link", "state", "since")
    list_filter = (ByLead,)
    list_select_related = ("lead", "campaign", "agency", "source")
    fieldsets = (
        (None, {"fields": ("external_id", "provider", "lead", "agency", "source", "campaign", "state", "since")}),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}

    @admin.display(description="lead")
    def lead_link(self, reference: LeadReference) -> str:
        return link(reference.lead)

    @admin.display(description="campaign")
    def campaign_link(self, reference: LeadReference) -> str:
        return link(reference.campaign)

    @admin.display(description="provider status")
    def state(self, reference: LeadReference) -> str:
        return status_badge(reference.status)

    @admin.display(description="since")
    def since(self, reference: LeadReference) -> str:
        return ago(reference.status_since)


@admin.register(LeadChange)
class LeadChangeAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "lead_link", "before", "after", "changed_by", "effect", "note")
    list_filter = (ByLead,)
    list_select_related = ("lead",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "lead",
                    "before",
                    "after",
                    "when",
                    "changed_by",
                    "stated",
                    "effect",
                    "note",
                    "text",
                    "receipt",
                )
            },
        ),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}

    @admin.display(description="when")
    def when(self, change: LeadChange) -> str:
        return ago(change.occurred_at)

    @admin.display(description="lead")
    def lead_link(self, change: LeadChange) -> str:
        return link(change.lead)

    @admin.display(description="from")
    def before(self, change: LeadChange) -> str:
        return status_badge(change.previous_status) if change.previous_status else FIRST_SEEN.badge()

    @admin.display(description="to")
    def after(self, change: LeadChange) -> str:
        return status_badge(change.new_status)

    @admin.display(description="applied")
    def effect(self, change: LeadChange) -> str:
        return badge("Yes", "good") if change.applied else badge("No change", "quiet")

    @admin.display(description="receipt")
    def receipt(self, change: LeadChange) -> str:
        return receipt_link(change.receipt_id)


class ByRoot(ByLead):
    parameter_name, field = "into", "record__merged_into"


@admin.register(LeadMerge)
class LeadMergeAdmin(HiddenFromIndex, BackOfficeAdmin):
    """Show which record was merged into a lead, and which fields the merge changed."""

    list_display = ("label", "into", "when")
    list_filter = (ByRoot,)
    list_select_related = ("record__merged_into",)
    fieldsets = ((None, {"fields": ("label", "into", "when", "changed")}),)
    search_help_text = "a whole id of a lead that was merged."

    @admin.display(description="merged lead")
    def label(self, merge: LeadMerge) -> str:
        return merge.record_id

    @admin.display(description="into")
    def into(self, merge: LeadMerge) -> str:
        return link(merge.record.merged_into)

    @admin.display(description="when")
    def when(self, merge: LeadMerge) -> str:
        return ago(merge.merged_at)

    @admin.display(description="fields that it changed")
    def changed(self, merge: LeadMerge) -> str:
        return ", ".join(sorted(merge.replaced)) or NOTHING


@admin.register(OwnValues)
class OwnValuesAdmin(HiddenFromIndex, BackOfficeAdmin):
    """Show which leads keep their own values apart from those of records that were merged into them."""

    list_display = ("name", "agency_of")
    list_select_related = ("lead__agency",)
    fieldsets = ((None, {"fields": ("label", "agency_of", "written")}),)
    search_help_text = "a whole id of a lead."

    @admin.display(description="lead")
    def name(self, stored: OwnValues) -> str:
        return str(stored.lead)

    @admin.display(description="lead")
    def label(self, stored: OwnValues) -> str:
        return link(stored.lead)

    @admin.display(description="agency")
    def agency_of(self, stored: OwnValues) -> str:
        return link(stored.lead.agency)

    @admin.display(description="written since the merge")
    def written(self, stored: OwnValues) -> str:
        return ", ".join(sorted(stored.later)) or NOTHING


@admin.register(Tombstone)
class TombstoneAdmin(HiddenFromIndex, BackOfficeAdmin):
    """Show that a lead was erased. The row does not say which lead."""

    list_display = ("provider", "agency", "when")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("provider", "agency", "when")}),)
    search_help_text = "an id."

    @admin.display(description="erased")
    def when(self, tombstone: Tombstone) -> str:
        return ago(tombstone.erased_at)
