"""Define the list filters of channels, deliveries and attempts."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.labels import Label
from accounts.models import Event
from accounts.web.backoffice.filters import ByParent, ByStatus
from notifications.channels import search
from notifications.labels import DELIVERY_LABELS, title_of
from notifications.models import Channel, Delivery, DeliveryStatus


class ByChannel(ByParent):
    title, parameter_name, model = "channel", "channel", Channel

    def label_fields(self) -> tuple[str, ...]:
        return ("name", "email", "kind")


class ByEvent(ByParent):
    title, parameter_name, model = "event", "event", Event

    def label_fields(self) -> tuple[str, ...]:
        return ("event_type",)


class ByDelivery(ByParent):
    title, parameter_name, model = "delivery", "delivery", Delivery


class ByDeliveryStatus(ByStatus):
    """Filter by status. Offer statuses that most deliveries have only within an agency, whose index serves them."""

    labels: ClassVar[dict[DeliveryStatus, Label]] = {
        status: DELIVERY_LABELS[status] for status in (DeliveryStatus.FAILED, DeliveryStatus.PENDING)
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        more = [DeliveryStatus.CANCELLED, DeliveryStatus.DELIVERED] if request.GET.get("agency") else []
        return [
            *super().lookups(request, model_admin),
            *((status.value, DELIVERY_LABELS[status].text) for status in more),
        ]


class ByEventType(SimpleListFilter):
    """Filter by event type, within an agency, whose index serves the filter."""

    title, parameter_name = "event type", "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name.value, title_of(name)) for name in EventType] if request.GET.get("agency") else []

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        agency, chosen = request.GET.get("agency"), self.value()
        return queryset.filter(event__event_type=chosen, event__agency=agency) if chosen and agency else queryset


class ByAge(SimpleListFilter):
    """Filter by age, or (in the URL) by a time before which the delivery was created."""

    title, parameter_name = "created", "made"
    ages = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("hour", "In the last hour"), ("day", "In the last day"), ("week", "In the last 7 days")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        age = self.ages.get(self.value() or "")
        return queryset.filter(search.created_since(timezone.now() - age)) if age else queryset
