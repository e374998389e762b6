"""Show and change leads in the back office, through the services, so that changes notify as webhooks do."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.core.markup import (
    NOTHING,
    ago,
    badge,
    link,
    pretty_json,
)
from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin, acting_user
from accounts.web.backoffice.cross_links import list_links
from accounts.web.backoffice.filters import ByAccount, ByAgency
from accounts.web.backoffice.forms import ServiceForm
from accounts.web.backoffice.timeline import timeline_context
from accounts.web.recent_sign_in import require_recent_sign_in
from leads.admin.filters import (
    ByClock,
    ByFormLanguage,
    ByGrade,
    ByLeadAge,
    ByLeadCampaign,
    ByLeadStatus,
    ByOwner,
    ByPriority,
    ByWaiting,
)
from leads.admin.lead_tables import LeadTablesMixin
from leads.analytics.export import TooManyDownloads, download_leads
from leads.assignments import NO_ACTIVE_MEMBER, possible_assignees
from leads.enums import ChangedBy, LeadStatus
from leads.labels import due_label, status_badge
from leads.models import Lead
from leads.pipeline.changes import set_status, update_lead
from leads.pipeline.languages import language_name
from leads.pipeline.merge import root_id
from leads.pipeline.search import leads_matching
from leads.privacy.erasure import erase_lead


class LeadForm(ServiceForm):
    taken = "Another lead of this agency has this LinkedIn URL."
    note = forms.CharField(
        max_length=500, required=False, help_text="Kept in the lead's history when the status changes."
    )

    class Meta:
        model = Lead
        fields = (
            "status",
            "note",
            "name",
            "first_name",
            "last_name",
            "email",
            "phone",
            "title",
            "company",
            "linkedin_url",
            "location",
            "campaign",
            "account",
            "priority",
            "assigned_to",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assignee = self.fields.get("assigned_to")
        if isinstance(assignee, forms.ModelChoiceField):
            members = possible_assignees(self.instance.agency).values("user")
            assignee.queryset = User.objects.filter(Q(pk__in=members) | Q(pk=self.instance.assigned_to_id))
            assignee.error_messages["invalid_choice"] = NO_ACTIVE_MEMBER

    def apply(self) -> Lead:
        lead = Lead.objects.get(pk=self.instance.pk)
        changes = self.changes
        status = changes.pop("status", None)
        if changes:
            lead = update_lead(lead, by=self.by, **changes)
        if status:
            note = self.cleaned_data["note"]
            lead = set_status(lead, status=LeadStatus(status), changed_by=ChangedBy.USER, note=note, by=self.by)
        return lead


@admin.register(Lead)
class LeadAdmin(LeadTablesMixin, BackOfficeAdmin):
    menu_position = 20
    list_display = (
        "label",
        "agency",
        "company",
        "current_status",
        "since",
        "campaign_link",
        "owned_by",
        "scored",
        "due",
        "received",
    )
    list_filter = (
        *(ByAgency, ByLeadStatus, ByLeadCampaign, ByOwner, ByGrade, ByPriority, ByLeadAge, ByWaiting, ByClock),
        *(ByFormLanguage, ByAccount),
    )
    list_select_related = ("agency", "campaign", "assigned_to")
    pipeline = ByLeadStatus
    change_form_template = "admin/timeline.html"
    raw_id_fields = ("campaign", "account")
    form = LeadForm
    editable = LeadForm.Meta.fields
    fieldsets = (
        (None, {"fields": ("status", "note", "since")}),
        (
            "Person",
            {
                "fields": (
                    "name",
                    ("first_name", "last_name"),
                    ("email", "phone"),
                    ("title", "company"),
                    ("company_size", "industry"),
                    "linkedin_url",
                    "location",
                    ("country", "state", "postal_code"),
                )
            },
        ),
        ("Identifiers", {"fields": ("id", "agency", "campaign", "account", "assigned_to", "priority", "labels")}),
        (
            "Campaign memberships and response clocks",
            {"fields": ("references_table", "clocks_table", "related_pages")},
        ),
        (
            "Lead form",
            {
                "fields": (
                    "lead_type",
                    "form",
                    "language",
                    "owner",
                    "associated_entity",
                    "answers_json",
                    "consents_json",
                    "is_test",
                ),
                "classes": ("collapse",),
            },
        ),
        ("Dates", {"fields": ("received", "first_response_at", "created_at", "updated_at"), "classes": ("collapse",)}),
    )
    actions = ("erase",)
    buttons = ("erase",)
    confirm: ClassVar[dict[str, str]] = {
        "erase": "The person is erased permanently: the lead, its history, and every copy in receipts, events and "
        "deliveries. Channels that received the lead are asked to erase it too. It cannot be undone."
    }
    search_help_text = "part of a name, e-mail, company, title, URL or id; within an agency also a provider's id."

    @admin.action(description="Erase permanently", permissions=["operate"])
    def erase(self, request: HttpRequest, leads: "QuerySet[Lead]") -> HttpResponse:
        chosen = list(leads.select_related("agency")[:100])
        for lead in chosen:
            self.log_deletions(request, [lead])
            receipt = erase_lead(lead)
        where = ", ".join(f"{count} {place}" for place, count in receipt.items() if count) if len(chosen) == 1 else ""
        self.message_result(request, len(chosen), f"Erased ({where})" if where else "Erased")
        return HttpResponseRedirect(reverse("admin:leads_lead_changelist"))

    def get_urls(self) -> list[URLPattern]:
        return [path("export/", self.admin_site.admin_view(self.export), name="leads_lead_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Download the agency's leads that match the list's filters, from all pages of the list."""
        agency = Agency.objects.filter(pk=request.GET.get("agency", "")).first()
        if request.method != "POST" or agency is None:
            raise Http404
        if not self.has_operate_permission(request):
            raise PermissionDenied
        require_recent_sign_in(request)
        try:
            listed = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            raise Http404 from None
        try:
            return download_leads(agency, listed, by=acting_user(request))
        except TooManyDownloads as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:leads_lead_changelist", query=request.GET))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        can = request.GET.get("agency") and self.has_operate_permission(request)
        url = reverse("admin:leads_lead_export", query=request.GET) if can else ""
        return super().changelist_view(request, {**(extra_context or {}), "export_url": url})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        lead = self.get_object(request, unquote(object_id))
        lines = timeline_context(lead, request.GET.get("before", "")) if lead else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **lines})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the lead of this id, also if the id is that of a merged record."""
        found = super().get_object(request, object_id, from_field)
        is_merged = found is None and "\x00" not in object_id and (root_pk := root_id(object_id)) != object_id
        return super().get_object(request, root_pk, from_field) if is_merged else found

    def counts_stages(self, request: HttpRequest) -> bool:
        """Count within one agency, or over all: there only what no search narrows down, which no index counts."""
        return bool(request.GET.get("agency")) or not request.GET.get("q")

    def search_condition(self, word: str, agency_id: str) -> Q:
        """Within an agency, also search by what only its providers know, and by merged records."""
        return leads_matching(agency_id, word) if agency_id else super().search_condition(root_id(word), agency_id)

    @admin.display(description="lead")
    def label(self, lead: Lead) -> str:
        return format_html("{} {}", lead, badge("test", "quiet")) if lead.is_test else str(lead)

    @admin.display(description="status")
    def current_status(self, lead: Lead) -> str:  # `state` is a field of the address
        return status_badge(lead.status)

    @admin.display(description="status since")
    def since(self, lead: Lead) -> str:
        return ago(lead.status_since)

    @admin.display(description="campaign")
    def campaign_link(self, lead: Lead) -> str:
        return link(lead.campaign)

    @admin.display(description="assigned to")
    def owned_by(self, lead: Lead) -> str:
        return (lead.assigned_to.get_full_name() or str(lead.assigned_to)) if lead.assigned_to else NOTHING

    @admin.display(description="score")
    def scored(self, lead: Lead) -> str:
        return NOTHING if lead.score is None else f"{lead.score} {lead.grade}".strip()

    @admin.display(description="answer")
    def due(self, lead: Lead) -> str:
        if lead.response_warn_at is None or lead.response_due_at is None:
            return NOTHING
        return due_label(lead.response_warn_at, lead.response_due_at, timezone.now()).badge()

    @admin.display(description="received")
    def received(self, lead: Lead) -> str:
        return ago(lead.received_at)

    @admin.display(description="tags")
    def labels(self, lead: Lead) -> str:
        return ", ".join(map(str, lead.tags)) or NOTHING

    @admin.display(description="language of the form")
    def language(self, lead: Lead) -> str:
        return language_name(lead.creation_locale) or NOTHING

    @admin.display(description="answers")
    def answers_json(self, lead: Lead) -> str:
        return pretty_json(lead.answers)

    @admin.display(description="consents")
    def consents_json(self, lead: Lead) -> str:
        return pretty_json(lead.consents)

    @admin.display(description="more")
    def related_pages(self, lead: Lead) -> str:
        return list_links(lead)
