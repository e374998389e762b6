"""Serve `/api/v1/target-rules`: in how much working time leads are to be answered."""

from drf_spectacular.utils import extend_schema, extend_schema_view

from accounts.web.rest.fields import AgencyRelatedField, StrictIntegerField
from leads.api.rules import RuleSerializer, RuleViewSet
from leads.sla.target_kind import KIND, MAX_MINUTES


class TargetRuleSerializer(RuleSerializer):
    minutes = StrictIntegerField(min_value=1, max_value=MAX_MINUTES, help_text="Of working time.")
    warn_minutes = StrictIntegerField(
        min_value=1, max_value=MAX_MINUTES, required=False, allow_null=True, help_text="After two thirds if null."
    )
    escalate_to = AgencyRelatedField("members", noun="member", help_text="Who hears of what is overdue.")


@extend_schema_view(
    preview=extend_schema(summary="Preview target rules"),
    versions=extend_schema(summary="List versions of target rules"),
    rollback=extend_schema(summary="Roll target rules back"),
)
@extend_schema(tags=["rules"])
class TargetRuleViewSet(RuleViewSet):
    """The rules that give leads a response target. The first one that matches counts."""

    kind_name = KIND.name
    serializer_class = TargetRuleSerializer
