"""Outreach campaigns."""

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html

from accounts.admin.base import BackOfficeAdmin
from accounts.admin.filters import ByAgency
from accounts.admin.forms import ServiceForm
from accounts.campaigns import update_campaign
from accounts.display import NOTHING, Tone, ago, badge, link, list_link
from accounts.models import Campaign
from accounts.vocabulary import CampaignStatus, PausedBy, ProviderSlug

TONES: dict[str, Tone] = {
    CampaignStatus.ACTIVE: "good",
    CampaignStatus.PAUSED: "warn",
    CampaignStatus.FINISHED: "quiet",
}


class CampaignForm(ServiceForm):
    class Meta:
        model = Campaign
        fields = ("status", "pause_reason", "account")

    def apply(self) -> Campaign:
        return update_campaign(self.instance, changed_by=PausedBy.USER, **self.changes)


@admin.register(Campaign)
class CampaignAdmin(BackOfficeAdmin):
    list_display = ("label", "agency", "provider", "state", "paused", "account_link", "made")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "account")
    raw_id_fields = ("account",)
    form = CampaignForm
    editable = ("status", "pause_reason", "account")
    fieldsets = (
        (None, {"fields": ("label", "status", "pause_reason", "paused", "account")}),
        ("Where it belongs", {"fields": ("id", "agency", "provider", "external_id", "made", "elsewhere")}),
    )
    search_help_text = "A whole id; with an agency chosen also the provider's id of the campaign."

    def find(self, word: str, agency_id: str) -> Q:
        found = super().find(word, agency_id)
        if agency_id:
            found |= Q(agency_id=agency_id, provider__in=list(ProviderSlug), external_id=word)
        return found

    @admin.display(description="campaign")
    def label(self, campaign: Campaign) -> str:
        return str(campaign)

    @admin.display(description="status")
    def state(self, campaign: Campaign) -> str:
        return badge(campaign.status, TONES.get(campaign.status, "quiet"))

    @admin.display(description="paused by")
    def paused(self, campaign: Campaign) -> str:
        return "Leadline" if campaign.paused_by == PausedBy.SYSTEM else campaign.paused_by or NOTHING

    @admin.display(description="account")
    def account_link(self, campaign: Campaign) -> str:
        return link(campaign.account)

    @admin.display(description="first seen")
    def made(self, campaign: Campaign) -> str:
        return ago(campaign.created_at)

    @admin.display(description="more")
    def elsewhere(self, campaign: Campaign) -> str:
        return format_html("{}", list_link("accounts_event", "Events", subject=campaign.pk))
