"""Define what the API's resources of rules have in common: their order, a preview, versions, and the way back."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.rest.fields import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.views import BY_AGE, AgencyViewSet
from leads.conditions.target_lists import sentence_for
from leads.models.rules import Rule, RuleSetVersion
from leads.rules import service
from leads.rules.kinds import RuleKind, rule_kind
from leads.rules.preview import DAYS, preview


class RuleSerializer(StrictSerializer):
    """What rules of every kind have. Subclasses add the fields of their kind."""

    id = id_field()
    name = StrictCharField(max_length=service.MAX_NAME_LENGTH, required=True)
    position = StrictIntegerField(min_value=1, required=False, help_text="Counted from 1; the last if absent.")
    active = StrictBooleanField(required=False)
    conditions = serializers.JSONField(required=False, help_text="A tree of conditions; {} matches every lead.")
    sentence = serializers.SerializerMethodField(help_text="The conditions in words.")
    disabled_reason = StrictCharField(read_only=True, help_text="Why Leadline switched the rule off.")
    version = serializers.IntegerField(read_only=True, help_text="The version of the set that changed it last.")

    def get_sentence(self, rule: Rule) -> str:
        return sentence_for(self.agency, rule.conditions)


class RuleSetVersionSerializer(StrictSerializer):
    id = id_field()
    version = serializers.IntegerField(source="number", read_only=True)
    change = StrictCharField(read_only=True)
    changed_by = StrictCharField(read_only=True, help_text="Null: Leadline itself.")
    created_at = UTCDateTimeField(read_only=True)
    rules = serializers.JSONField(read_only=True)


class RollbackSerializer(StrictSerializer):
    version = StrictIntegerField(min_value=1, required=True)


class PreviewedRuleSerializer(StrictSerializer):
    name = serializers.CharField(read_only=True)
    matched = serializers.IntegerField(read_only=True)
    undecided = serializers.IntegerField(read_only=True)


class UndecidedSerializer(StrictSerializer):
    field = serializers.CharField(read_only=True)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    leads = serializers.IntegerField(read_only=True)


class RulePreviewSerializer(StrictSerializer):
    days = serializers.IntegerField(read_only=True)
    leads = serializers.IntegerField(read_only=True)
    is_limited = serializers.BooleanField(read_only=True, help_text="There were more leads than a preview looks at.")
    rules = PreviewedRuleSerializer(many=True, read_only=True)
    undecided = UndecidedSerializer(many=True, read_only=True)
    outcome = serializers.JSONField(read_only=True)


class PreviewRequestSerializer(StrictSerializer):
    days = serializers.ChoiceField(choices=DAYS, required=False, default=DAYS[0])
    rules = serializers.ListField(
        child=serializers.JSONField(), required=False, max_length=service.MAX_RULES, help_text="Absent: those saved."
    )


class RuleViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """The rules of one kind. Subclasses name the kind, and a serializer with its fields."""

    kind_name: ClassVar[str]
    orderings: Mapping[str, str] = {"position": "position", "created_at": "pk"}
    default_ordering = "position"

    @property
    def kind(self) -> RuleKind:
        return rule_kind(self.kind_name)

    def get_queryset(self) -> QuerySet[Any]:
        if self.action == "versions":
            return RuleSetVersion.objects.filter(rule_set__agency=self.agency, rule_set__kind=self.kind_name)
        return self.kind.model._default_manager.filter(agency=self.agency)

    def create(self, request: Request, **_: Any) -> Response:
        """Make a rule, at the end or at a position."""
        rule = service.create_rule(self.kind, self.agency, by=self.key, **self.validated_data())
        return self.answer_with(rule, status=201)

    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a rule, or move it to another position."""
        rule = self.get_object()
        changes = self.validated_data(instance=rule, partial=True)
        return self.answer_with(service.change_rule(self.kind, rule, by=self.key, **changes))

    def perform_destroy(self, rule: Rule) -> None:
        service.delete_rule(self.kind, rule, by=self.key)

    @extend_schema(request=PreviewRequestSerializer, responses=RulePreviewSerializer)
    @action(detail=False, methods=["post"], serializer_class=PreviewRequestSerializer)
    def preview(self, request: Request, **_: Any) -> Response:
        """Say what rules, saved or not, would have done to the leads of the last 30 or 90 days."""
        asked = self.validated_data()
        rules = service.rules_of(self.kind, self.agency)
        if "rules" in asked:
            rules = service.draft_rules(self.kind, self.agency, [self._draft(one) for one in asked["rules"]])
        result = preview(self.kind, self.agency, rules, days=asked["days"], now=timezone.now())
        return Response(RulePreviewSerializer(result).data)

    @extend_schema(responses=RuleSetVersionSerializer(many=True), filters=False)
    @action(
        detail=False,
        serializer_class=RuleSetVersionSerializer,
        parameters=PAGING_PARAMETERS,
        orderings=BY_AGE,
        default_ordering="",
    )
    def versions(self, request: Request, **_: Any) -> Response:
        """List the versions of the rules, newest first: who changed what, and all rules after it."""
        return self.list_of(self.get_queryset())

    @extend_schema(request=RollbackSerializer, responses=RuleSetVersionSerializer)
    @action(detail=False, methods=["post"], serializer_class=RollbackSerializer)
    def rollback(self, request: Request, **_: Any) -> Response:
        """Make the rules what they were in a version, as a new version."""
        number = self.validated_data()["version"]
        rule_set = service.roll_back(self.kind, self.agency, number, by=self.key)
        newest = RuleSetVersion.objects.get(rule_set=rule_set, number=rule_set.version)
        return Response(RuleSetVersionSerializer(newest).data)

    def _draft(self, values: Any) -> dict[str, Any]:
        """Return one unsaved rule of a preview. Raises ValidationError."""
        if not isinstance(values, dict):
            raise ValidationError({"rules": "Each rule is an object."})
        serializer_class: Any = type(self).serializer_class
        serializer = serializer_class(data={"name": "Draft", **values}, context=self.get_serializer_context())
        if not serializer.is_valid():
            raise ValidationError({"rules": serializer.errors})
        return dict(serializer.validated_data)
