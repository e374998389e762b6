"""Serve `/api/v1/routing-rules`."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.web.rest.fields import AgencyRelatedField, StrictBooleanField, StrictIntegerField, StrictSerializer
from leads.api.rules import RuleSerializer, RuleViewSet
from leads.routing import rules


class EffectSerializer(StrictSerializer):
    """Where a rule leads: to one of `member`, `pool` and `keep` (nobody, on purpose)."""

    member = AgencyRelatedField("members", noun="member")
    pool = AgencyRelatedField("pools", noun="pool")
    keep = StrictBooleanField(source="keeps", required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=rules.MAX_TAG_LENGTH), required=False)
    target_minutes = StrictIntegerField(min_value=1, max_value=rules.MAX_TARGET, required=False, allow_null=True)
    channels = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, help_text="Channels that hear of it too."
    )


class RoutingRuleSerializer(RuleSerializer):
    effect = EffectSerializer(required=True, source="*")

    def to_internal_value(self, data: Any) -> Any:
        """Return the fields of the rule's row. An effect is given whole, so that one that leads elsewhere has no rest
        of the one before."""
        values = super().to_internal_value(data)
        if isinstance(data, dict) and "effect" in data:
            given = {name: values.pop(name, None) for name in ("member", "pool", "keeps")}
            values["member_id"] = given["member"].pk if given["member"] else None
            values["pool_id"] = given["pool"].pk if given["pool"] else None
            values["keeps"] = bool(given["keeps"])
            for name, empty in (("tags", []), ("target_minutes", None), ("channels", [])):
                values.setdefault(name, empty)
        return values

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not self.partial and "keeps" not in values:
            raise ValidationError({"effect": "Say where the rule leads."})
        return values


@extend_schema(tags=["rules"])
@extend_schema_view(
    create=extend_schema(request=RoutingRuleSerializer, responses={201: RoutingRuleSerializer}),
    partial_update=extend_schema(request=RoutingRuleSerializer, responses=RoutingRuleSerializer),
    preview=extend_schema(summary="Preview routing rules"),
    versions=extend_schema(summary="List versions of routing rules"),
    rollback=extend_schema(summary="Roll routing rules back"),
)
class RoutingRuleViewSet(RuleViewSet):
    """Who gets a lead. The first rule by position whose conditions match decides."""

    kind_name = rules.KIND.name
    serializer_class = RoutingRuleSerializer
