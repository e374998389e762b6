"""Serve `/api/v1/scoring-rules`, and the score of a lead."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.rest.fields import (
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
    UTCDateTimeField,
)
from leads.api.rules import RuleSerializer, RuleViewSet
from leads.api.score_learning import AcceptSerializer, ScoreLearningSerializer
from leads.enums import ScoreGroup
from leads.models import ScoreLearning
from leads.scoring.kind import KIND
from leads.scoring.learning.service import accept_suggestions, call_off, newest_learning, request_learning


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

    @extend_schema(responses=ScoreLearningSerializer)
    @action(detail=False)
    def learning(self, request: Request, **_: Any) -> Response:
        """Say what was learned last about scoring rules."""
        return Response(ScoreLearningSerializer(self._newest_learning()).data)

    @extend_schema(request=None, responses={202: ScoreLearningSerializer})
    @learning.mapping.post
    def learn(self, request: Request, **_: Any) -> Response:
        """Learn anew how many points each rule is worth. `learning` says how far that is, and the result."""
        self.refuse_body()
        learning = request_learning(self.agency, by=self.key)
        return Response(ScoreLearningSerializer(learning).data, status=202)

    @extend_schema(request=AcceptSerializer, responses={202: ScoreLearningSerializer})
    @action(detail=False, methods=["post"], url_path="learning/accept", serializer_class=AcceptSerializer)
    def accept(self, request: Request, **_: Any) -> Response:
        """Take the suggested points over, as one new version of the rules: now or later."""
        learning = accept_suggestions(self._newest_learning(), by=self.key, **self.validated_data())
        return Response(ScoreLearningSerializer(learning).data, status=202)

    @extend_schema(request=None, responses={202: ScoreLearningSerializer})
    @action(detail=False, methods=["post"], url_path="learning/call-off")
    def call_off(self, request: Request, **_: Any) -> Response:
        """Call off suggested points that are scheduled."""
        self.refuse_body()
        learning = call_off(self._newest_learning(), by=self.key)
        return Response(ScoreLearningSerializer(learning).data, status=202)

    def _newest_learning(self) -> ScoreLearning:
        learning = newest_learning(self.agency)
        if learning is None:
            raise NotFound
        return learning


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
