"""Serve `/api/v1/deliveries`."""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.enums import AGENCY_EVENTS
from accounts.web.rest.fields import StrictCharField, StrictChoiceField, StrictSerializer, UTCDateTimeField, id_field
from accounts.web.rest.filters import StrictChoiceFilter, StrictFilterSet, TextFilter, TimeFilter
from accounts.web.rest.views import AgencyViewSet
from notifications.channels import search
from notifications.channels.replay import resend_delivery
from notifications.models import Attempt, Delivery, DeliveryStatus


class DeliverySerializer(StrictSerializer):
    id = id_field()
    event = StrictCharField(source="event_id", read_only=True, allow_null=False)
    channel = StrictCharField(source="channel_id", read_only=True)
    recipient = StrictCharField(read_only=True)
    status = StrictChoiceField(DeliveryStatus, read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    next_attempt_at = UTCDateTimeField(read_only=True, allow_null=True)


class AttemptSerializer(StrictSerializer):
    at = UTCDateTimeField(read_only=True)
    duration_ms = serializers.IntegerField(read_only=True)
    status_code = serializers.IntegerField(read_only=True, allow_null=True)
    error = StrictCharField(read_only=True)
    response_excerpt = StrictCharField(read_only=True)


class DeliveryWithLogSerializer(DeliverySerializer):
    reason = StrictCharField(read_only=True, help_text="What it waits for, or why it failed or was cancelled.")
    sent_with = StrictCharField(
        source="carrier_id",
        read_only=True,
        help_text="The delivery in whose message it went along, and which has the log.",
    )
    attempt_log = AttemptSerializer(many=True, read_only=True)


class DeliveryFilters(StrictFilterSet):
    status = StrictChoiceFilter(DeliveryStatus.values)
    channel = TextFilter("channel_id")
    event = TextFilter("event_id")
    event_type = StrictChoiceFilter(AGENCY_EVENTS, "event__event_type")
    subject = TextFilter(method="filter_subject", label="The id of the account, lead, campaign, … that it is about.")
    recipient = TextFilter(
        method="filter_recipient", label="The e-mail address that it went to, through a channel or directly."
    )
    created_after = TimeFilter(method="filter_created_after")
    created_before = TimeFilter(method="filter_created_before")

    def filter_subject(self, deliveries: QuerySet[Delivery], name: str, value: str) -> QuerySet[Delivery]:
        return deliveries.filter(search.about_subject(value))

    def filter_recipient(self, deliveries: QuerySet[Delivery], name: str, value: str) -> QuerySet[Delivery]:
        return deliveries.filter(search.sent_to(value))

    def filter_created_after(self, deliveries: QuerySet[Delivery], name: str, value: datetime) -> QuerySet[Delivery]:
        return deliveries.filter(search.created_since(value))

    def filter_created_before(self, deliveries: QuerySet[Delivery], name: str, value: datetime) -> QuerySet[Delivery]:
        return deliveries.filter(search.created_before(value))


@extend_schema(tags=["deliveries"])
class DeliveryViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """Read deliveries: events on their way to a channel or an address."""

    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilters

    def get_queryset(self) -> QuerySet[Delivery]:
        deliveries = Delivery.objects.seen_by(self.agency)
        if self.action == "list":
            return deliveries
        return deliveries.prefetch_related(Prefetch("attempt_log", Attempt.objects.order_by("id")))

    def get_serializer_class(self) -> Any:
        return DeliverySerializer if self.action == "list" else DeliveryWithLogSerializer

    @extend_schema(request=None, responses={202: DeliveryWithLogSerializer})
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, **_: Any) -> Response:
        """Send the delivery again, under the same `webhook-id`."""
        self.refuse_body()
        delivery = self.get_object()
        resend_delivery(delivery)
        return self.answer_with(delivery, status=202)
