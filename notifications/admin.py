"""The back office's pages for what goes out: channels, deliveries, attempts."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.admin.base import BackOfficeAdmin, HiddenFromIndex
from accounts.admin.filters import ByAgency, ByParent, ByStatus
from accounts.display import NOTHING, Tone, ago, badge, link, list_link, table
from accounts.models import Event
from notifications import channels
from notifications.channels import ChannelError
from notifications.models import Attempt, Channel, ChannelSecret, ChannelStatus, Delivery, DeliveryStatus

CHANNEL_TONES: dict[str, Tone] = {
    ChannelStatus.ENABLED: "good",
    ChannelStatus.DISABLED: "bad",
    ChannelStatus.UNVERIFIED: "warn",
}
DELIVERY_TONES: dict[str, Tone] = {
    DeliveryStatus.PENDING: "busy",
    DeliveryStatus.DELIVERED: "good",
    DeliveryStatus.FAILED: "bad",
    DeliveryStatus.CANCELLED: "quiet",
}
LATEST = 20


class ByChannel(ByParent):
    title, parameter_name, model = "channel", "channel", Channel

    def shown(self) -> tuple[str, ...]:
        return ("name", "email", "kind")


class ByEvent(ByParent):
    title, parameter_name, model = "event", "event", Event

    def shown(self) -> tuple[str, ...]:
        return ("event_type",)


class ByDelivery(ByParent):
    title, parameter_name, model = "delivery", "delivery", Delivery


class ByDeliveryStatus(ByStatus):
    options = [(DeliveryStatus.FAILED.value, "failed"), (DeliveryStatus.PENDING.value, "on its way")]


@admin.register(Channel)
class ChannelAdmin(BackOfficeAdmin):
    list_display = ("label", "agency", "kind", "state", "failing", "made")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("label", "kind", "target", "state", "disabled_reason", "failing")}),
        ("What it gets", {"fields": ("types", "places", "mode", "quiet_hours", "timezone", "rate_per_second")}),
        ("Where it belongs", {"fields": ("id", "agency", "made", "secret_list")}),
        ("What it got", {"fields": ("latest_deliveries", "elsewhere")}),
    )
    search_help_text = "A whole id."
    actions = ("enable", "disable", "send_test")
    buttons = ("send_test", "enable", "disable")
    confirm: ClassVar[dict[str, str]] = {"disable": "It gets nothing until it is enabled again; what is due is kept."}

    def fits(self, button: str, obj: Channel) -> bool:
        enabled = obj.status == ChannelStatus.ENABLED
        return {"enable": obj.status == ChannelStatus.DISABLED, "disable": enabled, "send_test": enabled}[button]

    @admin.action(description="Enable", permissions=["operate"])
    def enable(self, request: HttpRequest, chosen: "QuerySet[Channel]") -> None:
        self._do(request, chosen, channels.enable, "Enabled")

    @admin.action(description="Disable", permissions=["operate"])
    def disable(self, request: HttpRequest, chosen: "QuerySet[Channel]") -> None:
        self._do(
            request, chosen, lambda channel: channels.disable(channel, "Disabled by Leadline's staff."), "Disabled"
        )

    @admin.action(description="Send a test", permissions=["operate"])
    def send_test(self, request: HttpRequest, chosen: "QuerySet[Channel]") -> None:
        self._do(request, chosen, channels.send_test, "Test sent")

    def _do(self, request: HttpRequest, chosen: "QuerySet[Channel]", service: Any, what: str) -> None:
        done, refused = 0, []
        for channel in chosen:
            try:
                service(channel)
            except ChannelError as error:
                refused.append(f"{channel}: {error}")
                continue
            self.log_change(request, channel, f"{what}.")
            done += 1
        self.tell(request, done, what, refused)

    @admin.display(description="channel")
    def label(self, channel: Channel) -> str:
        return str(channel)

    @admin.display(description="goes to")
    def target(self, channel: Channel) -> str:
        """An address whole; of a URL only the host: its path may be a secret."""
        if channel.email:
            return channel.email
        try:
            parts = urlsplit(channel.url or "")
        except InvalidToken:
            return badge("none of today's encryption keys opens it", "bad")
        return f"{parts.scheme}://{parts.hostname}/…" if parts.hostname else NOTHING

    @admin.display(description="status")
    def state(self, channel: Channel) -> str:
        return badge(ChannelStatus(channel.status).label, CHANNEL_TONES[channel.status])

    @admin.display(description="failing")
    def failing(self, channel: Channel) -> str:
        if not channel.consecutive_failures:
            return NOTHING
        return format_html("{} in a row, since {}", channel.consecutive_failures, ago(channel.failing_since))

    @admin.display(description="event types")
    def types(self, channel: Channel) -> str:
        return ", ".join(channel.event_types) or "all"

    @admin.display(description="locations")
    def places(self, channel: Channel) -> str:
        return ", ".join(channel.locations) or "all"

    @admin.display(description="since")
    def made(self, channel: Channel) -> str:
        return ago(channel.created_at)

    @admin.display(description="secrets")
    def secret_list(self, channel: Channel) -> str:
        rows = channel.secrets.defer("secret").order_by("-created_at", "-pk")
        return table(
            ("Made", "Ends"),
            ((ago(row.created_at), ago(row.expires_at) if row.expires_at else "stays valid") for row in rows),
            empty="It has none.",
        )

    @admin.display(description="latest deliveries")
    def latest_deliveries(self, channel: Channel) -> str:
        rows = channel.deliveries.select_related("event").order_by("-pk")[:LATEST]
        return table(
            ("Delivery", "Event", "Status", "Tries", "Made"),
            (
                (link(row), row.event.event_type, _delivery_badge(row), row.attempts, ago(row.created_at))
                for row in rows
            ),
            empty="Nothing yet: send a test.",
        )

    @admin.display(description="more")
    def elsewhere(self, channel: Channel) -> str:
        return format_html("{}", list_link("notifications_delivery", "All deliveries", channel=channel.pk))


@admin.register(ChannelSecret)
class ChannelSecretAdmin(HiddenFromIndex, BackOfficeAdmin):
    """That there is a secret, and since when; never which."""

    list_display = ("channel", "made", "ends")
    list_filter = (ByChannel,)
    list_select_related = ("channel",)
    fieldsets = ((None, {"fields": ("channel", "made", "ends")}),)
    search_help_text = "A whole number."

    @admin.display(description="made")
    def made(self, secret: ChannelSecret) -> str:
        return ago(secret.created_at)

    @admin.display(description="ends")
    def ends(self, secret: ChannelSecret) -> str:
        return ago(secret.expires_at) if secret.expires_at else "stays valid"


@admin.register(Delivery)
class DeliveryAdmin(BackOfficeAdmin):
    list_display = ("event_type", "agency", "goes_to", "state", "attempts", "error", "made")
    list_filter = (ByDeliveryStatus, ByAgency, ByChannel, ByEvent)
    list_select_related = ("agency", "event", "channel")
    fieldsets = (
        (None, {"fields": ("label", "state", "attempts", "next_try", "error", "delivered", "made")}),
        ("What goes where", {"fields": ("event", "goes_to", "agency")}),
        ("Every try", {"fields": ("attempt_table",)}),
    )
    exact_search = ("pk", "event")
    search_help_text = "A whole id of a delivery or of its event (which is also the webhook-id)."
    actions = ("send_again",)
    buttons = ("send_again",)

    def fits(self, button: str, obj: Delivery) -> bool:
        return obj.status != DeliveryStatus.PENDING

    @admin.action(description="Send again", permissions=["operate"])
    def send_again(self, request: HttpRequest, deliveries: "QuerySet[Delivery]") -> None:
        done, refused = 0, []
        for delivery in deliveries:
            try:
                channels.resend(delivery)
            except ChannelError as error:
                refused.append(f"{delivery}: {error}")
                continue
            self.log_change(request, delivery, "Sent again.")
            done += 1
        self.tell(request, done, "On its way again", refused)

    @admin.display(description="delivery")
    def label(self, delivery: Delivery) -> str:
        return delivery.pk

    @admin.display(description="event")
    def event_type(self, delivery: Delivery) -> str:
        return delivery.event.event_type

    @admin.display(description="goes to")
    def goes_to(self, delivery: Delivery) -> str:
        return link(delivery.channel) if delivery.channel_id else delivery.recipient

    @admin.display(description="status")
    def state(self, delivery: Delivery) -> str:
        return _delivery_badge(delivery)

    @admin.display(description="next try")
    def next_try(self, delivery: Delivery) -> str:
        return ago(delivery.next_attempt_at) if delivery.status == DeliveryStatus.PENDING else NOTHING

    @admin.display(description="delivered")
    def delivered(self, delivery: Delivery) -> str:
        return ago(delivery.delivered_at)

    @admin.display(description="made")
    def made(self, delivery: Delivery) -> str:
        return ago(delivery.created_at)

    @admin.display(description="tries")
    def attempt_table(self, delivery: Delivery) -> str:
        rows = delivery.attempt_log.order_by("-pk")[: LATEST * 2]
        return table(
            ("When", "Answer", "Took", "Error", "What the receiver said"),
            (
                (
                    ago(row.at),
                    row.status_code or NOTHING,
                    f"{row.duration_ms} ms",
                    row.error or NOTHING,
                    format_html('<span class="excerpt">{}</span>', row.response_excerpt)
                    if row.response_excerpt
                    else NOTHING,
                )
                for row in rows
            ),
            empty="Not tried yet.",
        )


@admin.register(Attempt)
class AttemptAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "delivery_link", "status_code", "took", "error")
    list_filter = (ByDelivery,)
    list_select_related = ("delivery",)
    fieldsets = ((None, {"fields": ("delivery", "when", "status_code", "took", "error", "response_excerpt")}),)
    search_help_text = "A whole number."

    @admin.display(description="when")
    def when(self, attempt: Attempt) -> str:
        return ago(attempt.at)

    @admin.display(description="delivery")
    def delivery_link(self, attempt: Attempt) -> str:
        return link(attempt.delivery)

    @admin.display(description="took")
    def took(self, attempt: Attempt) -> str:
        return f"{attempt.duration_ms} ms"


def _delivery_badge(delivery: Delivery) -> str:
    if delivery.status == DeliveryStatus.PENDING and delivery.attempts:
        return badge("will be tried again", "warn")
    return badge(DeliveryStatus(delivery.status).label, DELIVERY_TONES[delivery.status])
