"""Serve `/api/v1/pools`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictFloatField,
    StrictIntegerField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.views import AgencyViewSet
from leads.enums import PoolKind
from leads.models import Pool, PoolMember
from leads.routing import pools
from leads.routing.turns import LEAD


class Leads(serializers.FloatField):
    """A number of leads, kept in millionths."""

    def to_representation(self, value: Any) -> Any:
        return round(value / LEAD, 6)


class PoolMemberSerializer(StrictSerializer):
    member = AgencyRelatedField("members", noun="member")
    weight = StrictIntegerField(min_value=1, max_value=pools.MAX_WEIGHT, required=False)
    daily_cap = StrictIntegerField(min_value=0, max_value=pools.MAX_CAP, required=False, allow_null=True)
    open_cap = StrictIntegerField(min_value=0, max_value=pools.MAX_CAP, required=False, allow_null=True)
    paused_until = UTCDateTimeField(required=False, allow_null=True)
    behind = Leads(read_only=True, help_text="Leads that they expected and did not receive yet, with credits.")
    received = serializers.IntegerField(read_only=True)
    expected = serializers.SerializerMethodField(help_text="By their weight, while they could take leads.")

    def get_expected(self, place: PoolMember) -> float:
        return round((place.behind - place.credited) / LEAD + place.received, 6)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("member") is None:
            raise serializers.ValidationError({"member": "Name a member."})
        return values


class PoolSerializer(StrictSerializer):
    id = id_field()
    name = StrictCharField(max_length=pools.MAX_NAME_LENGTH, required=True)
    kind = StrictChoiceField(PoolKind, required=False)
    is_catch_all = StrictBooleanField(required=False, help_text="Deals the leads that no rule leads anywhere.")
    respects_hours = StrictBooleanField(required=False, help_text="Deals only to members in their working hours.")
    hold = StrictBooleanField(required=False, help_text="A lead that nobody can take waits, and is dealt later.")
    calendar = AgencyRelatedField("calendars", noun="calendar")
    overflow_pool = AgencyRelatedField("pools", noun="pool")
    overflow_minutes = StrictIntegerField(
        min_value=0, max_value=pools.MAX_MINUTES, required=False, help_text="After so long the overflow pool deals it."
    )
    members = PoolMemberSerializer(many=True, required=False)


class CreditSerializer(StrictSerializer):
    member = AgencyRelatedField("members", noun="member")
    leads = StrictFloatField(required=True, help_text="Positive: more turns; negative: fewer.")
    reason = StrictCharField(max_length=200, required=True)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("member") is None:
            raise serializers.ValidationError({"member": "Name a member of the pool."})
        return values


@extend_schema(tags=["pools"])
class PoolViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Members who take turns at leads."""

    serializer_class = PoolSerializer

    def get_queryset(self) -> QuerySet[Pool]:
        return self.agency.pools.prefetch_related("members")

    @extend_schema(request=PoolSerializer, responses={201: PoolSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a pool with its members."""
        return self.answer_with(pools.create_pool(self.agency, by=self.key, **self.validated_data()), status=201)

    @extend_schema(request=PoolSerializer, responses=PoolSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a pool. `members` replaces its members; who stays keeps their turns."""
        pool = self.get_object()
        changes = self.validated_data(instance=pool, partial=True)
        return self.answer_with(pools.update_pool(pool, by=self.key, **changes))

    def perform_destroy(self, pool: Pool) -> None:
        pools.delete_pool(pool, by=self.key)

    @extend_schema(request=CreditSerializer, responses={202: PoolSerializer})
    @action(detail=True, methods=["post"], serializer_class=CreditSerializer)
    def credit(self, request: Request, **_: Any) -> Response:
        """Give a member more turns, or fewer, with a reason that the ledger keeps."""
        pool = self.get_object()
        pools.give_credit(pool, by=self.key, **self.validated_data())
        shown = PoolSerializer(self.get_queryset().get(pk=pool.pk), context=self.get_serializer_context())
        return Response(shown.data, status=202)
