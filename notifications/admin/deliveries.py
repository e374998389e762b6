"""Show deliveries and their attempts in the back office."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from accounts.core.markup import NOTHING, ago, link, table
from accounts.core.search import is_long_enough
from accounts.models import Account, Event
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency
from accounts.web.backoffice.search import found_keys
from leads.models import Lead
from notifications.admin.filters import ByAge, ByChannel, ByDelivery, ByDeliveryStatus, ByEvent, ByEventType
from notifications.channels import replay, search
from notifications.labels import delivery_label, title_of
from notifications.models import Attempt, Delivery, DeliveryStatus

LATEST = 20


@admin.register(Delivery)
class DeliveryAdmin(BackOfficeAdmin):
    menu_position = 20
    list_display = ("event_type", "made", "state", "goes_to", "agency", "attempts", "error")
    list_filter = (ByDeliveryStatus, ByAge, ByEventType, ByAgency, ByChannel, ByEvent)
    list_select_related = ("agency", "event", "channel")
    fieldsets = (
        (None, {"fields": ("label", "state", "waits", "attempts", "next_try", "error", "delivered", "made")}),
        ("Event", {"fields": ("event", "goes_to", "sent_with", "agency")}),
        ("Attempts", {"fields": ("attempt_table",)}),
    )
    search_help_text = (
        "part of the name or e-mail address of the lead or account it is about, a whole e-mail address it went to, "
        "or a whole id: of the delivery, of its event (the webhook-id), or of its subject."
    )
    actions = ("send_again",)
    buttons = ("send_again",)

    def search_condition(self, word: str, agency_id: str) -> Q:
        condition = search.matching_word(word)
        subjects = [*found_keys(Account, word), *found_keys(Lead, word)] if is_long_enough(word) else []
        return (
            condition | Q(event__in=Event.objects.filter(subject__in=subjects).values("pk")) if subjects else condition
        )

    def is_button_applicable(self, button: str, obj: Delivery) -> bool:
        return obj.status != DeliveryStatus.PENDING

    @admin.action(description="Resend", permissions=["operate"])
    def send_again(self, request: HttpRequest, deliveries: "QuerySet[Delivery]") -> None:
        self.apply_to_each(request, deliveries, replay.resend_delivery, "Resent")

    @admin.display(description="delivery")
    def label(self, delivery: Delivery) -> str:
        return delivery.pk

    @admin.display(description="event")
    def event_type(self, delivery: Delivery) -> str:
        return title_of(delivery.event.event_type)

    @admin.display(description="delivered to")
    def goes_to(self, delivery: Delivery) -> str:
        return link(delivery.channel) if delivery.channel_id else delivery.recipient

    @admin.display(description="status")
    def state(self, delivery: Delivery) -> str:
        return delivery_badge(delivery)

    @admin.display(description="in one message with")
    def sent_with(self, delivery: Delivery) -> str:
        rows = [delivery.carrier] if delivery.carrier else delivery.carried.order_by("pk")[:LATEST]
        return format_html_join(", ", "{}", ((link(row),) for row in rows)) or NOTHING

    @admin.display(description="held because")
    def waits(self, delivery: Delivery) -> str:
        return delivery.get_hold_display() if delivery.status == DeliveryStatus.PENDING and delivery.hold else NOTHING

    @admin.display(description="next attempt")
    def next_try(self, delivery: Delivery) -> str:
        return ago(delivery.next_attempt_at) if delivery.status == DeliveryStatus.PENDING else NOTHING

    @admin.display(description="delivered")
    def delivered(self, delivery: Delivery) -> str:
        return ago(delivery.delivered_at)

    @admin.display(description="created")
    def made(self, delivery: Delivery) -> str:
        return ago(delivery.created_at)

    @admin.display(description="attempts")
    def attempt_table(self, delivery: Delivery) -> str:
        rows = delivery.attempt_log.order_by("-pk")[: LATEST * 2]
        return table(
            ("When", "HTTP status", "Duration", "Error", "Response body"),
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
            empty="No attempts yet.",
        )


@admin.register(Attempt)
class AttemptAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "delivery_link", "status_code", "took", "error")
    list_filter = (ByDelivery,)
    list_select_related = ("delivery",)
    fieldsets = ((None, {"fields": ("delivery", "when", "status_code", "took", "error", "response_excerpt")}),)
    exact_search = ("pk", "delivery", "delivery__event")
    search_help_text = "a whole id of a delivery or of its event."

    @admin.display(description="when")
    def when(self, attempt: Attempt) -> str:
        return ago(attempt.at)

    @admin.display(description="delivery")
    def delivery_link(self, attempt: Attempt) -> str:
        return link(attempt.delivery)

    @admin.display(description="duration")
    def took(self, attempt: Attempt) -> str:
        return f"{attempt.duration_ms} ms"


def delivery_badge(delivery: Delivery) -> str:
    label = delivery_label(delivery)
    return label.badge()
