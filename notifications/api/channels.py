"""Serve `/api/v1/channels`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.views import EventSerializer
from accounts.core.enums import Scope
from accounts.web.rest.fields import StrictChoiceField, StrictSerializer, UTCDateTimeField
from accounts.web.rest.filters import StrictChoiceFilter, StrictFilterSet
from accounts.web.rest.views import AgencyViewSet, validated
from notifications.channels.api_fields import (
    CHANGES,
    SHAPES,
    ChannelChangesSerializer,
    ChannelSerializer,
    WebhookChannelWithSecretSerializer,
)
from notifications.channels.replay import replay_deliveries
from notifications.channels.service import (
    create_channel,
    delete_channel,
    enable_channel,
    rotate_secret,
    send_test_event,
    update_channel,
)
from notifications.models import Channel, ChannelKind, ChannelStatus, DeliveryStatus

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


class ChannelFilters(StrictFilterSet):
    kind = StrictChoiceFilter(ChannelKind.values)
    status = StrictChoiceFilter(ChannelStatus.values)


@extend_schema(tags=["channels"])
@extend_schema_view(
    list=extend_schema(description="All channels.", responses=CHANNEL),
    retrieve=extend_schema(description="One channel.", responses=CHANNEL),
    destroy=extend_schema(description="Delete a channel with its deliveries."),
)
class ChannelViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Manage channels: where the agency gets notifications. Changing a channel takes the scope `admin`."""

    serializer_class = ChannelSerializer
    filterset_class = ChannelFilters
    write_scope = Scope.ADMIN

    def get_queryset(self) -> QuerySet[Channel]:
        return self.agency.channels.select_related("agency")

    @extend_schema(request=CHANNEL, responses={201: CHANNEL_WITH_SECRET})
    def create(self, request: Request, **_: Any) -> Response:
        """Create a channel. Only this response shows a webhook's `secret`.

        An e-mail channel stays `unverified` until its owner confirms.
        """
        kind = dict(request.data).get("kind")
        if not isinstance(kind, str) or kind not in SHAPES:
            raise ValidationError({"kind": f"Choose one of {', '.join(SHAPES)}."})
        values = self._read(SHAPES[kind])
        channel, secret = create_channel(self.agency, by=self.key, **values)
        return self.answer_with(channel, status=201, **({"secret": secret} if secret else {}))

    @extend_schema(request=ChannelChangesSerializer, responses=CHANNEL)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a channel. Its `kind` is fixed. A new e-mail address has to be confirmed."""
        channel = self.get_object()
        changes = self._read(CHANGES[channel.kind], partial=True)
        return self.answer_with(update_channel(channel, by=self.key, **changes))

    def perform_destroy(self, channel: Channel) -> None:
        delete_channel(channel, by=self.key)

    @extend_schema(request=None, responses={202: EventSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **_: Any) -> Response:
        """Send a `test` event to this channel only. The response is the event."""
        self.refuse_body()
        event = send_test_event(self.get_object(), by=self.key)
        return Response(EventSerializer(event).data, status=202)

    @extend_schema(request=None, responses=WebhookChannelWithSecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **_: Any) -> Response:
        """Give a webhook channel a new secret. During the overlap both sign. The response shows the new one."""
        self.refuse_body()
        channel = self.get_object()
        secret = rotate_secret(channel, by=self.key)
        return self.answer_with(channel, secret=secret)

    @extend_schema(request=None, responses={202: CHANNEL})
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, **_: Any) -> Response:
        """Enable a disabled channel."""
        self.refuse_body()
        channel = self.get_object()
        enable_channel(channel, by=self.key)
        return self.answer_with(channel, status=202)

    @extend_schema(
        request=ReplaySerializer,
        responses={202: inline_serializer("Replayed", {"replayed": serializers.IntegerField()})},
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **_: Any) -> Response:
        """Send deliveries of a period again, under the same `webhook-id`. The response says how many."""
        channel = self.get_object()
        count = replay_deliveries(channel, **self._read(ReplaySerializer))
        return Response({"replayed": count}, status=202)

    def _read(self, shape: type[StrictSerializer], *, partial: bool = False) -> dict[str, Any]:
        return validated(shape(data=self.request.data, partial=partial, context=self.get_serializer_context()))
