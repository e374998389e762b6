"""Show outreach campaigns and their senders."""

from typing import ClassVar

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.campaigns.commands import try_again
from accounts.campaigns.senders import map_sender
from accounts.campaigns.service import UNPROTECTED, update_campaign
from accounts.core.enums import CampaignStatus, PausedBy
from accounts.core.markup import NOTHING, ago, badge, link, table
from accounts.labels import CAMPAIGN_COMMANDS, CAMPAIGN_STATUSES
from accounts.models import Account, Campaign, CampaignCall, CampaignCommand, Sender
from accounts.models.command import CommandStatus
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.cross_links import list_links
from accounts.web.backoffice.filters import ByAgency, ByParent
from accounts.web.backoffice.forms import ServiceForm

MAX_ROWS = 20


class CampaignForm(ServiceForm):
    class Meta:
        model = Campaign
        fields = ("status", "pause_reason", "account")

    def apply(self) -> Campaign:
        return update_campaign(self.instance, changed_by=PausedBy.USER, **self.changes)


class ByProtection(SimpleListFilter):
    """A filter for campaigns without an account, which nobody pauses in an outage, and for failed commands."""

    title, parameter_name = "protection", "protected"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("no", "Without an account"), ("failed", "Failed at the provider")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Campaign]") -> "QuerySet[Campaign]":
        if self.value() == "no":
            return queryset.filter(UNPROTECTED)
        return queryset.filter(command__status=CommandStatus.FAILED) if self.value() == "failed" else queryset


@admin.register(Campaign)
class CampaignAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 10
    list_display = ("label", "agency", "provider", "state", "paused", "account_link", "at_provider", "made")
    list_filter = (ByProtection, ByAgency)
    list_select_related = ("agency", "account", "command")
    raw_id_fields = ("account",)
    form = CampaignForm
    editable = ("status", "pause_reason", "account")
    fieldsets = (
        (None, {"fields": ("label", "status", "pause_reason", "paused", "account")}),
        ("At the provider", {"fields": ("at_provider", "command_error", "call_table")}),
        (
            "Identifiers",
            {"fields": ("id", "agency", "provider", "external_id", "sender_id", "source", "made", "elsewhere")},
        ),
    )
    actions = ("try_again",)
    buttons = ("try_again",)
    search_help_text = "part of a name, or an id."

    def is_button_applicable(self, button: str, obj: Campaign) -> bool:
        return hasattr(obj, "command") and obj.command.status == CommandStatus.FAILED

    @admin.action(description="Try again at the provider", permissions=["operate"])
    def try_again(self, request: HttpRequest, campaigns: "QuerySet[Campaign]") -> None:
        self.apply_to_each(request, campaigns, try_again, "Asked the provider again")

    @admin.display(description="at the provider")
    def at_provider(self, campaign: Campaign) -> str:
        if not hasattr(campaign, "command"):
            return NOTHING
        return CAMPAIGN_COMMANDS[CommandStatus(campaign.command.status)].badge(str(campaign.command))

    @admin.display(description="error")
    def command_error(self, campaign: Campaign) -> str:
        return (campaign.command.error if hasattr(campaign, "command") else "") or NOTHING

    @admin.display(description="attempts")
    def call_table(self, campaign: Campaign) -> str:
        return table(
            ("When", "Action", "Error", "Confirmed"),
            (
                (ago(call.at), call.get_action_display(), call.error or NOTHING, ago(call.echoed_at))
                for call in campaign.calls.order_by("-pk")[:MAX_ROWS]
            ),
            empty="No attempts yet. Pausing at the provider takes an API key on its source.",
        )

    @admin.display(description="campaign")
    def label(self, campaign: Campaign) -> str:
        return str(campaign)

    @admin.display(description="status")
    def state(self, campaign: Campaign) -> str:
        return CAMPAIGN_STATUSES[CampaignStatus(campaign.status)].badge()

    @admin.display(description="paused by")
    def paused(self, campaign: Campaign) -> str:
        return "Leadline" if campaign.paused_by == PausedBy.SYSTEM else campaign.paused_by or NOTHING

    @admin.display(description="account")
    def account_link(self, campaign: Campaign) -> str:
        return link(campaign.account)

    @admin.display(description="created")
    def made(self, campaign: Campaign) -> str:
        return ago(campaign.created_at)

    @admin.display(description="more")
    def elsewhere(self, campaign: Campaign) -> str:
        return list_links(campaign)


class SenderForm(ServiceForm):
    class Meta:
        model = Sender
        fields = ("account",)

    def apply(self) -> Sender:
        return map_sender(self.instance, self.cleaned_data["account"])


class ByMapping(SimpleListFilter):
    title, parameter_name = "account", "mapped"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("no", "Not mapped")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Sender]") -> "QuerySet[Sender]":
        return queryset.filter(account__isnull=True) if self.value() == "no" else queryset


@admin.register(Sender)
class SenderAdmin(BackOfficeAdmin):
    """The senders of SendPilot and the account that each belongs to. Their campaigns pause when that account is
    down."""

    menu_group = "Campaigns and leads"
    menu_position = 30
    list_display = ("external_id", "agency", "provider", "account_link", "made")
    list_filter = (ByMapping, ByAgency)
    list_select_related = ("agency", "account")
    raw_id_fields = ("account",)
    form = SenderForm
    editable = ("account",)
    fieldsets = ((None, {"fields": ("external_id", "account", "agency", "provider", "made")}),)
    search_help_text = "part of the provider's id, or of the account's name or e-mail address."
    text_search = ("external_id",)
    search_through: ClassVar[dict[str, type[Model]]] = {"account": Account}
    empty_list = "Nobody yet: senders appear with SendPilot's first reports about their campaigns."

    @admin.display(description="account")
    def account_link(self, sender: Sender) -> str:
        return link(sender.account) if sender.account else badge("Not mapped", "warn")

    @admin.display(description="created")
    def made(self, sender: Sender) -> str:
        return ago(sender.created_at)


class ByCampaign(ByParent):
    title, parameter_name, model = "campaign", "campaign", Campaign

    def label_fields(self) -> tuple[str, ...]:
        return ("name", "external_id")


@admin.register(CampaignCommand)
class CampaignCommandAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("campaign", "action", "status", "attempts", "error", "placed")
    list_filter = (ByCampaign,)
    list_select_related = ("campaign",)
    fieldsets = ((None, {"fields": ("campaign", "action", "status", "attempts", "error", "placed")}),)
    search_help_text = "part of the campaign's name, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"campaign": Campaign}

    @admin.display(description="requested")
    def placed(self, command: CampaignCommand) -> str:
        return ago(command.issued_at)


@admin.register(CampaignCall)
class CampaignCallAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "campaign_link", "action", "error", "echoed")
    list_filter = (ByCampaign,)
    list_select_related = ("campaign",)
    fieldsets = ((None, {"fields": ("when", "campaign", "action", "error", "echoed")}),)
    search_help_text = "part of the campaign's name, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"campaign": Campaign}

    @admin.display(description="when")
    def when(self, call: CampaignCall) -> str:
        return ago(call.at)

    @admin.display(description="campaign")
    def campaign_link(self, call: CampaignCall) -> str:
        return link(call.campaign)

    @admin.display(description="confirmed")
    def echoed(self, call: CampaignCall) -> str:
        return ago(call.echoed_at)
