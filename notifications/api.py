"""`/api/v1/channels`, `/api/v1/deliveries` and `/api/v1/event-types`."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.views import EventSerializer
from accounts.core.enums import AGENCY_EVENTS, EventType, Scope
from accounts.models import Agency
from accounts.web.rest.fields import StrictChoiceField, StrictSerializer, Text, UTCDateTimeField, identity
from accounts.web.rest.filters import By, ByTime, Exactly, Filter, OneOf
from accounts.web.rest.pagination import Cursor, bad_cursor, decode, page, read_limit
from accounts.web.rest.views import AgencyView, Listed, Shown
from notifications.channels import search
from notifications.channels.api_fields import (
    CHANGES,
    SHAPES,
    BaseChannelSerializer,
    ChannelChangesSerializer,
    ChannelSerializer,
    WebhookChannelWithSecretSerializer,
)
from notifications.channels.replay import replay, resend
from notifications.channels.service import (
    create_channel,
    delete_channel,
    enable,
    rotate_secret,
    send_test,
    update_channel,
)
from notifications.content.catalogue import CATALOGUE
from notifications.models import Attempt, Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus

CHANNEL = PolymorphicProxySerializer(component_name="Channel", serializers={**SHAPES}, resource_type_field_name="kind")
CHANNEL_WITH_SECRET = PolymorphicProxySerializer(
    component_name="ChannelWithSecret",
    serializers={**SHAPES, ChannelKind.WEBHOOK.value: WebhookChannelWithSecretSerializer},
    resource_type_field_name="kind",
)


class ReplaySerializer(StrictSerializer):
    since = UTCDateTimeField()
    until = UTCDateTimeField(required=False, allow_null=True)
    status = StrictChoiceField(DeliveryStatus, required=False, allow_null=True)


@extend_schema(tags=["channels"])
class ChannelView(Listed, Shown, AgencyView):
    """Where the agency listens. Changing a channel takes the scope `admin`."""

    model = Channel
    serializer_class = ChannelSerializer
    write_scope = Scope.ADMIN
    filters: Mapping[str, Filter] = {
        "kind": OneOf("kind", ChannelKind.values),
        "status": OneOf("status", ChannelStatus.values),
    }

    def rows(self, agency: Agency) -> QuerySet[Channel]:
        return agency.channels.all()

    @extend_schema(responses=CHANNEL)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All channels."""
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=CHANNEL)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One channel."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=CHANNEL, responses={201: CHANNEL_WITH_SECRET})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a channel. The answer is the only one that shows a webhook's `secret`; an e-mail channel stays
        `unverified` until its owner confirms."""
        kind = dict(request.data).get("kind")
        if not isinstance(kind, str) or kind not in SHAPES:
            raise ValidationError({"kind": f"Choose one of {', '.join(SHAPES)}."})
        values = self._read(SHAPES[kind])
        channel, secret = create_channel(self.agency, **values)
        return self.show(channel, status=201, **({"secret": secret} if secret else {}))

    @extend_schema(request=ChannelChangesSerializer, responses=CHANNEL)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a channel; its `kind` is fixed. Another e-mail address has to be confirmed anew."""
        channel = self.get_object()
        changes = self._read(CHANGES[channel.kind], partial=True)
        return self.show(update_channel(channel, **changes))

    def destroy(self, request: Request, **_: Any) -> Response:
        """Take a channel away, with its deliveries."""
        delete_channel(self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses={202: EventSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **_: Any) -> Response:
        """Send a `test` event to this channel only. The answer is the event."""
        self.no_body()
        event = send_test(self.get_object())
        return Response(EventSerializer(event).data, status=202)

    @extend_schema(request=None, responses=WebhookChannelWithSecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **_: Any) -> Response:
        """Give a webhook channel a new secret; while the rotation overlaps both sign. The answer shows the new one."""
        self.no_body()
        channel = self.get_object()
        secret = rotate_secret(channel)
        return self.show(channel, secret=secret)

    @extend_schema(request=None, responses={202: CHANNEL})
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, **_: Any) -> Response:
        """Switch a disabled channel on again."""
        self.no_body()
        channel = self.get_object()
        enable(channel)
        return self.show(channel, status=202)

    @extend_schema(
        request=ReplaySerializer,
        responses={202: inline_serializer("Replayed", {"replayed": serializers.IntegerField()})},
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **_: Any) -> Response:
        """Send deliveries of a stretch of time again, under the same `webhook-id`; says how many."""
        channel = self.get_object()
        body = ReplaySerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        count = replay(channel, **body.validated_data)
        return Response({"replayed": count}, status=202)

    def _read(self, shape: type[BaseChannelSerializer], *, partial: bool = False) -> dict[str, Any]:
        body = shape(data=self.request.data, partial=partial, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class DeliverySerializer(StrictSerializer):
    id = identity()
    event = Text(source="event_id", read_only=True, allow_null=False)
    channel = Text(source="channel_id", read_only=True)
    recipient = Text(read_only=True)
    status = StrictChoiceField(DeliveryStatus, read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    next_attempt_at = UTCDateTimeField(read_only=True, allow_null=True)


class AttemptSerializer(StrictSerializer):
    at = UTCDateTimeField(read_only=True)
    duration_ms = serializers.IntegerField(read_only=True)
    status_code = serializers.IntegerField(read_only=True, allow_null=True)
    error = Text(read_only=True)
    response_excerpt = Text(read_only=True)


class DeliveryWithLogSerializer(DeliverySerializer):
    reason = Text(read_only=True, help_text="What it waits for, or why it failed or was cancelled.")
    sent_with = Text(
        source="carrier_id",
        read_only=True,
        help_text="The delivery in whose message it went along, and which has the log.",
    )
    attempt_log = AttemptSerializer(many=True, read_only=True)


@extend_schema(tags=["deliveries"])
class DeliveryView(Listed, Shown, AgencyView):
    """Events on their way to a channel or an address."""

    model = Delivery
    serializer_class = DeliverySerializer
    filters: Mapping[str, Filter] = {
        "status": OneOf("status", DeliveryStatus.values),
        "channel": Exactly("channel_id"),
        "event": Exactly("event_id"),
        "event_type": OneOf("event__event_type", AGENCY_EVENTS),
        "subject": By(search.about, "The id of the account, lead, campaign, … that it is about."),
        "recipient": By(search.to_address, "The e-mail address that it went to, through a channel or directly."),
        "created_after": ByTime(search.since),
        "created_before": ByTime(search.until),
    }

    def rows(self, agency: Agency) -> QuerySet[Delivery]:
        deliveries = Delivery.objects.seen_by(agency)
        if self.action == "list":
            return deliveries
        return deliveries.prefetch_related(Prefetch("attempt_log", Attempt.objects.order_by("id")))

    def get_serializer_class(self) -> Any:
        return DeliverySerializer if self.action == "list" else DeliveryWithLogSerializer

    @extend_schema(request=None, responses={202: DeliveryWithLogSerializer})
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, **_: Any) -> Response:
        """Send it again, under the same `webhook-id`."""
        self.no_body()
        delivery = self.get_object()
        resend(delivery)
        return self.show(delivery, status=202)


class EventTypeSerializer(StrictSerializer):
    name = StrictChoiceField(AGENCY_EVENTS, read_only=True)
    description = serializers.CharField(read_only=True)
    schema = serializers.DictField(read_only=True, help_text="JSON schema of the body.")
    example = serializers.DictField(read_only=True)


@extend_schema(tags=["event-types"])
class EventTypeView(Listed, AgencyView):
    """The catalogue of events."""

    model = Channel
    serializer_class = EventTypeSerializer
    orderings: Mapping[str, str] = {"name": "name"}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every event type, in the order of the documentation or by name."""
        ordering = request.query_params.get("ordering", "")
        if ordering not in ("", "name", "-name"):
            raise ValidationError({"ordering": "Choose name or -name."})
        kinds = [CATALOGUE[EventType(name)] for name in AGENCY_EVENTS]
        if ordering:
            kinds.sort(key=lambda kind: kind.name, reverse=ordering.startswith("-"))
        limit, start = read_limit(request), self._start(request, ordering, len(kinds))
        shown = self.get_serializer(kinds[start : start + limit], many=True).data
        following = _at(ordering, start + limit) if start + limit < len(kinds) else None
        previous = _at(ordering, max(0, start - limit)) if start else None
        return Response(page(request, shown, following, previous))

    def _start(self, request: Request, ordering: str, count: int) -> int:
        text = request.query_params.get("cursor")
        if text is None:
            return 0
        try:
            cursor = Cursor(*decode(text))
        except (TypeError, ValueError):
            raise bad_cursor() from None
        if cursor != _at(ordering, cursor.key) or type(cursor.key) is not int or not 0 <= cursor.key < count:
            raise bad_cursor()
        return cursor.key


def _at(ordering: str, place: int) -> Cursor:
    return Cursor(ordering, False, False, None, place)
