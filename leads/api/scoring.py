"""Serve `/api/v1/scoring-rules`, and the score of a lead."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from accounts.web.rest.fields import (
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
    UTCDateTimeField,
)
from leads.api.rules import RuleSerializer, RuleViewSet
from leads.enums import ScoreGroup
from leads.scoring.kind import KIND


class ScoringRuleSerializer(RuleSerializer):
    group = StrictChoiceField(ScoreGroup, help_text="Who the lead is (`fit`), or what the lead did (`engagement`).")
    points = StrictIntegerField(min_value=-100, max_value=100)
    cap = StrictIntegerField(
        min_value=1,
        max_value=100,
        required=False,
        allow_null=True,
        help_text="The most that all rules of the group give together; the lowest one counts.",
    )


@extend_schema(tags=["rules"])
class ScoringRuleViewSet(RuleViewSet):
    """The rules that give leads points."""

    kind_name = KIND.name
    serializer_class = ScoringRuleSerializer


class ContributionSerializer(StrictSerializer):
    rule = StrictCharField(read_only=True, help_text="The rule's id; null for a limit.")
    group = StrictChoiceField(ScoreGroup, read_only=True)
    points = serializers.IntegerField(read_only=True)
    why = serializers.CharField(read_only=True)
    at = serializers.CharField(read_only=True, help_text="When the lead did it, in ISO 8601.")


class LeadScoreSerializer(StrictSerializer):
    """A lead's score, which is the sum of the contributions' points."""

    fit = serializers.IntegerField(read_only=True)
    engagement = serializers.IntegerField(read_only=True)
    total = serializers.IntegerField(read_only=True)
    grade = serializers.CharField(read_only=True)
    scored_at = UTCDateTimeField(read_only=True)
    contributions = ContributionSerializer(many=True, read_only=True)
