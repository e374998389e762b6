"""Show channels, their secrets and the alerts of staff in the back office."""

from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.core.email_addresses import display_email
from accounts.core.markup import NOTHING, ago, link, table
from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex, acting_user
from accounts.web.backoffice.cross_links import list_links
from accounts.web.backoffice.filters import ByAgency
from leads.conditions.target_lists import sentence_for
from leads.enums import LeadStatus
from leads.pipeline.languages import language_name
from notifications.admin.deliveries import LATEST, delivery_badge
from notifications.admin.filters import ByChannel
from notifications.channels import service as channels
from notifications.channels.fields import has_field
from notifications.labels import DAMAGED, channel_label, title_of
from notifications.models import Channel, ChannelSecret, ChannelStatus, StaffAlerts


@admin.register(Channel)
class ChannelAdmin(BackOfficeAdmin):
    menu_position = 10
    audited = True
    list_display = ("label", "agency", "kind", "state", "failing", "made")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("label", "kind", "target", "state", "disabled_reason", "failing")}),
        ("Events", {"fields": ("types", "places", "statuses", "languages", "leads", "test_events", "rate_per_second")}),
        (
            "Delivery",
            {
                "fields": (
                    "mode",
                    "digest_at",
                    "quiet_hours",
                    "working_days",
                    "timezone",
                    "conflation_seconds",
                    "urgent",
                )
            },
        ),
        ("Identifiers", {"fields": ("id", "agency", "made", "secret_list")}),
        ("Recent deliveries", {"fields": ("latest_deliveries", "elsewhere")}),
    )
    search_help_text = "part of its name or e-mail address, or of the agency's name, or an id."
    text_search = ("name", "email")
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    actions = ("enable", "disable", "send_test")
    buttons = ("send_test", "enable", "disable")
    confirm: ClassVar[dict[str, str]] = {
        "disable": "It receives nothing until it is enabled again. Deliveries that are due are kept."
    }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out fields that a channel of this kind does not have."""
        found = super().get_fieldsets(request, obj)
        if obj is None:
            return found
        rows = [(title, [name for name in options["fields"] if _has(obj, name)]) for title, options in found]
        return [(title, {"fields": names}) for title, names in rows if names]

    def is_button_applicable(self, button: str, obj: Channel) -> bool:
        enabled = obj.status == ChannelStatus.ENABLED
        return {"enable": obj.status == ChannelStatus.DISABLED, "disable": enabled, "send_test": enabled}[button]

    @admin.action(description="Enable", permissions=["operate"])
    def enable(self, request: HttpRequest, chosen: "QuerySet[Channel]") -> None:
        self.apply_to_each(request, chosen, partial(channels.enable_channel, by=acting_user(request)), "Enabled")

    @admin.action(description="Disable", permissions=["operate"])
    def disable(self, request: HttpRequest, chosen: "QuerySet[Channel]") -> None:
        disable = partial(channels.disable_channel, reason="Disabled by Leadline's staff.", by=acting_user(request))
        self.apply_to_each(request, chosen, disable, "Disabled")

    @admin.action(description="Send a test", permissions=["operate"])
    def send_test(self, request: HttpRequest, chosen: "QuerySet[Channel]") -> None:
        self.apply_to_each(request, chosen, partial(channels.send_test_event, by=acting_user(request)), "Test sent")

    @admin.display(description="channel")
    def label(self, channel: Channel) -> str:
        return str(channel)

    @admin.display(description="delivered to")
    def target(self, channel: Channel) -> str:
        """Show a whole e-mail address, but only the host of a URL, whose path may be a secret."""
        if channel.email:
            return display_email(channel.email)
        if channel.damaged:
            return DAMAGED.badge()
        parts = urlsplit(channel.url or "")
        return f"{parts.scheme}://{parts.hostname}/…" if parts.hostname else NOTHING

    @admin.display(description="status")
    def state(self, channel: Channel) -> str:
        return channel_label(channel).badge()

    @admin.display(description="failing")
    def failing(self, channel: Channel) -> str:
        if not channel.consecutive_failures:
            return NOTHING
        return format_html("{} in a row, since {}", channel.consecutive_failures, ago(channel.failing_since))

    @admin.display(description="events")
    def types(self, channel: Channel) -> str:
        return ", ".join(map(title_of, channel.event_types)) or "Everything"

    @admin.display(description="locations")
    def places(self, channel: Channel) -> str:
        return ", ".join(channel.locations) or "All"

    @admin.display(description="lead statuses")
    def statuses(self, channel: Channel) -> str:
        return ", ".join(LeadStatus(name).label for name in channel.lead_statuses) or "All"

    @admin.display(description="languages of lead forms")
    def languages(self, channel: Channel) -> str:
        return ", ".join(map(language_name, channel.creation_locales)) or "All"

    @admin.display(description="conditions about leads")
    def leads(self, channel: Channel) -> str:
        return sentence_for(channel.agency, channel.conditions)

    @admin.display(description="always send immediately")
    def urgent(self, channel: Channel) -> str:
        return ", ".join(map(title_of, channel.urgent_event_types)) or NOTHING

    @admin.display(description="created")
    def made(self, channel: Channel) -> str:
        return ago(channel.created_at)

    @admin.display(description="secrets")
    def secret_list(self, channel: Channel) -> str:
        rows = channel.secrets.defer("secret").order_by("-created_at", "-pk")
        return table(
            ("Created", "Expires"),
            ((ago(row.created_at), ago(row.expires_at) if row.expires_at else "stays valid") for row in rows),
            empty="No secrets.",
        )

    @admin.display(description="latest deliveries")
    def latest_deliveries(self, channel: Channel) -> str:
        rows = channel.deliveries.select_related("event").order_by("-pk")[:LATEST]
        return table(
            ("Delivery", "Event", "Status", "Attempts", "Created"),
            (
                (link(row), title_of(row.event.event_type), delivery_badge(row), row.attempts, ago(row.created_at))
                for row in rows
            ),
            empty="No deliveries yet. Send a test.",
        )

    @admin.display(description="more")
    def elsewhere(self, channel: Channel) -> str:
        return list_links(channel)


def _has(channel: Channel, name: str) -> bool:
    return has_field(channel.kind, "urgent_event_types" if name == "urgent" else name)


@admin.register(StaffAlerts)
class StaffAlertsAdmin(HiddenFromIndex, BackOfficeAdmin):
    """Show which alerts each person enabled, without Slack URLs. People change their own on `my_alerts`."""

    list_display = ("user", "by_email", "by_slack", "has_own_slack")
    list_select_related = ("user",)
    fieldsets = ((None, {"fields": ("user", "by_email", "by_slack", "has_own_slack")}),)
    search_help_text = "part of a user name or e-mail address."
    text_search = ("user__username", "user__email")


@admin.register(ChannelSecret)
class ChannelSecretAdmin(HiddenFromIndex, BackOfficeAdmin):
    """Show that a secret exists and since when, never the secret."""

    list_display = ("channel", "made", "ends")
    list_filter = (ByChannel,)
    list_select_related = ("channel",)
    fieldsets = ((None, {"fields": ("channel", "made", "ends")}),)
    search_help_text = "an id."

    @admin.display(description="made")
    def made(self, secret: ChannelSecret) -> str:
        return ago(secret.created_at)

    @admin.display(description="ends")
    def ends(self, secret: ChannelSecret) -> str:
        return ago(secret.expires_at) if secret.expires_at else "stays valid"
