"""Show deliveries and their attempts in the back office."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from accounts.core.markup import NOTHING, ago, link, table
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency
from notifications.admin.filters import ByAge, ByChannel, ByDelivery, ByDeliveryStatus, ByEvent, ByEventType
from notifications.channels import replay, search
from notifications.labels import HELD, delivery_label
from notifications.models import Attempt, Delivery, DeliveryStatus

LATEST = 20


@admin.register(Delivery)
class DeliveryAdmin(BackOfficeAdmin):
    list_display = ("event_type", "made", "state", "goes_to", "agency", "attempts", "error")
    list_filter = (ByDeliveryStatus, ByAge, ByEventType, ByAgency, ByChannel, ByEvent)
    list_select_related = ("agency", "event", "channel")
    fieldsets = (
        (None, {"fields": ("label", "state", "waits", "attempts", "next_try", "error", "delivered", "made")}),
        ("What goes where", {"fields": ("event", "goes_to", "sent_with", "agency")}),
        ("Every try", {"fields": ("attempt_table",)}),
    )
    search_help_text = (
        "A whole e-mail address, or a whole id: of a delivery, of its event (which is also the webhook-id), "
        "or of the account, lead, campaign, … it is about."
    )
    actions = ("send_again",)
    buttons = ("send_again",)

    def search_condition(self, word: str, agency_id: str) -> Q:
        return search.matching_word(word)

    def is_button_applicable(self, button: str, obj: Delivery) -> bool:
        return obj.status != DeliveryStatus.PENDING

    @admin.action(description="Send again", permissions=["operate"])
    def send_again(self, request: HttpRequest, deliveries: "QuerySet[Delivery]") -> None:
        self.apply_to_each(request, deliveries, replay.resend_delivery, "Sent again")

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
        return delivery_badge(delivery)

    @admin.display(description="in one message with")
    def sent_with(self, delivery: Delivery) -> str:
        rows = [delivery.carrier] if delivery.carrier else delivery.carried.order_by("pk")[:LATEST]
        return format_html_join(", ", "{}", ((link(row),) for row in rows)) or NOTHING

    @admin.display(description="waits because")
    def waits(self, delivery: Delivery) -> str:
        return delivery.get_hold_display() if delivery.status == DeliveryStatus.PENDING and delivery.hold else NOTHING

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
    exact_search = ("pk", "delivery", "delivery__event")
    search_help_text = "A whole id of a delivery or of its event."

    @admin.display(description="when")
    def when(self, attempt: Attempt) -> str:
        return ago(attempt.at)

    @admin.display(description="delivery")
    def delivery_link(self, attempt: Attempt) -> str:
        return link(attempt.delivery)

    @admin.display(description="took")
    def took(self, attempt: Attempt) -> str:
        return f"{attempt.duration_ms} ms"


def delivery_badge(delivery: Delivery) -> str:
    label = delivery_label(delivery)
    return label.badge(f"held: {delivery.get_hold_display()}" if label is HELD else "")
