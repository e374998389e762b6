"""Serve `/api/v1/sources`. The webhooks app serves `…/requests`."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.subscriptions import SubscriptionSerializer
from accounts.core.enums import IssueKind, ProviderSlug, Scope
from accounts.models import Source
from accounts.sources.issues import open_issues, with_open_issues
from accounts.sources.service import create_source, delete_source, rotate_secret, update_source
from accounts.web.rest.auth import may_see_secrets
from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
    validate_network,
)
from accounts.web.rest.filters import ConditionFilter, StrictChoiceFilter, StrictFilterSet
from accounts.web.rest.views import AgencyViewSet, validated

SECRET_LENGTH = 256
MAX_SUBSCRIPTIONS = 200


class CredentialsSerializer(StrictSerializer):
    api_key = StrictCharField(max_length=500)
    api_secret = StrictCharField(max_length=500)
    domain_host_name = StrictCharField(max_length=500)
    client_id = StrictCharField(max_length=500)


@extend_schema_serializer(component_name="Trouble")
class IssueSerializer(StrictSerializer):
    kind = serializers.CharField(read_only=True, help_text=f"One of {', '.join(IssueKind)}.")
    since = UTCDateTimeField(source="opened_at", read_only=True)
    detail = serializers.CharField(read_only=True)


class HealthSerializer(StrictSerializer):
    status = serializers.ChoiceField(
        choices=["disabled", "waiting", "healthy", "attention"],
        read_only=True,
        help_text="`waiting`: nothing has come yet; `attention`: open issues, gaps, or unknown fields.",
    )
    troubles = IssueSerializer(many=True, read_only=True)
    gaps = serializers.IntegerField(read_only=True, help_text="Status changes that never reached us.")
    unknown_fields = serializers.DictField(
        source="drift", child=serializers.IntegerField(), read_only=True, help_text="Path → how often seen."
    )
    validated_at = UTCDateTimeField(
        read_only=True, allow_null=True, help_text="LinkedIn's last challenge that was answered."
    )


class SourceSerializer(StrictSerializer):
    id = id_field()
    provider = StrictChoiceField(ProviderSlug)
    name = StrictCharField(max_length=200)
    webhook_url = serializers.SerializerMethodField(
        help_text="LinkedConnector signs nothing, so that its URL is a secret: masked below the scope `admin`."
    )
    enabled = StrictBooleanField(required=False)
    health = serializers.SerializerMethodField()
    last_receipt_at = UTCDateTimeField(read_only=True, allow_null=True)
    location_id = AgencyRelatedField("sub_accounts", noun="location", by="location_id", source="sub_account")
    allowed_networks = serializers.ListField(
        child=StrictCharField(max_length=50, required=True, validators=[validate_network]),
        max_length=100,
        required=False,
    )
    secret = serializers.CharField(
        write_only=True, required=False, allow_null=True, max_length=SECRET_LENGTH, trim_whitespace=False
    )
    credentials = CredentialsSerializer(write_only=True, required=False)
    subscriptions = SubscriptionSerializer(
        many=True,
        required=False,
        source="wanted_subscriptions",
        help_text="LinkedIn only: whose leads it is to tell us about.",
    )

    def validate_subscriptions(self, rows: list[Any]) -> list[Any]:
        if len(rows) > MAX_SUBSCRIPTIONS:
            raise serializers.ValidationError(f"At most {MAX_SUBSCRIPTIONS} of them.")
        return rows

    def get_webhook_url(self, source: Source) -> str:
        is_visible = may_see_secrets(self.context.get("request"))
        return source.webhook_url if is_visible else source.masked_webhook_url

    @extend_schema_field(HealthSerializer)
    def get_health(self, source: Source) -> dict[str, Any]:
        issues = open_issues(source)
        if not source.enabled:
            status = "disabled"
        elif source.last_receipt_at is None and not issues:
            status = "waiting"
        else:
            status = "attention" if issues or source.gaps or source.drift else "healthy"
        health = {"status": status, "troubles": issues, "gaps": source.gaps, "drift": source.drift}
        return HealthSerializer({**health, "validated_at": source.validated_at}).data


class ChangedSourceSerializer(SourceSerializer):
    provider = StrictChoiceField(ProviderSlug, read_only=True)


class SourceWithSecretSerializer(SourceSerializer):
    """A source in the responses that make or rotate its secret."""

    secret = serializers.CharField(read_only=True, allow_null=True)


class RotationSerializer(StrictSerializer):
    secret = serializers.CharField(
        required=False, max_length=SECRET_LENGTH, trim_whitespace=False, help_text="Generated if absent."
    )


class SourceFilters(StrictFilterSet):
    provider = StrictChoiceFilter(ProviderSlug)
    enabled = ConditionFilter(Q(enabled=True))


DELETION = "Take a source away: its URL answers 404 from now on. What came by it stays."


@extend_schema(tags=["sources"])
@extend_schema_view(destroy=extend_schema(description=DELETION))
class SourceViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Where a provider delivers. Changing a source takes the scope `admin`."""

    serializer_class = SourceSerializer
    filterset_class = SourceFilters
    write_scope = Scope.ADMIN

    def get_queryset(self) -> QuerySet[Source]:
        return with_open_issues(self.agency.sources.filter(removed_at=None).select_related("sub_account"))

    def get_serializer_class(self) -> Any:
        return ChangedSourceSerializer if self.action == "partial_update" else super().get_serializer_class()

    def also(self, provider: str, values: dict[str, Any]) -> Callable[[Source], object]:
        """Return what to do with a subclass's own fields once the source exists. The subclass removes them from
        `values`."""
        return lambda source: None

    @extend_schema(request=SourceSerializer, responses={201: SourceWithSecretSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a source. The response is the only one that shows its secret."""
        values = self.validated_data()
        place = values.pop("sub_account", None)
        also = self.also(values["provider"], values)
        source, secret = create_source(
            agency=self.agency, location_id=place.location_id if place else "", by=self.key, **values
        )
        also(source)
        return self.answer_with(source, status=201, secret=secret)

    @extend_schema(request=ChangedSourceSerializer, responses=SourceSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a source. A new `secret` starts an overlap with the old one. null deletes the secret where none is
        required."""
        source = self.get_object()
        values = self.validated_data(instance=source, partial=True)
        also = self.also(source.provider, values)
        source = update_source(source, by=self.key, **values)
        also(source)
        return self.answer_with(source)

    def perform_destroy(self, source: Source) -> None:
        delete_source(source, by=self.key)

    @extend_schema(request=RotationSerializer, responses=SourceWithSecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **_: Any) -> Response:
        """Give the source a new secret. The old one stays valid for the overlap. A `linkedconnector` source gets a new
        URL."""
        source = self.get_object()
        secret = rotate_secret(source, validated(RotationSerializer(data=request.data)).get("secret"), by=self.key)
        return self.answer_with(source, secret=secret)
