"""`/api/v1/sources`. What a request was for (`…/requests`) is the business of `webhooks`."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import AgencyView, Listed, Shown, refusals_of
from accounts.api.fields import Flag, Moment, Reference, StrictSerializer, Text, Word, identity, network
from accounts.api.filters import Filter, OneOf, YesNo
from accounts.models import Agency, Source
from accounts.sources import SourceError, create_source, delete_source, rotate_secret, update_source
from accounts.vocabulary import ProviderSlug, Scope

SECRET_LENGTH = 256


class CredentialsSerializer(StrictSerializer):
    api_key = Text(max_length=500)
    api_secret = Text(max_length=500)
    domain_host_name = Text(max_length=500)
    client_id = Text(max_length=500)


class HealthSerializer(StrictSerializer):
    status = serializers.ChoiceField(
        choices=["disabled", "waiting", "healthy", "attention"],
        read_only=True,
        help_text="`waiting`: nothing has come yet; `attention`: gaps, or fields that Leadline does not know.",
    )
    gaps = serializers.IntegerField(read_only=True, help_text="Status changes that never reached us.")
    unknown_fields = serializers.DictField(
        source="drift", child=serializers.IntegerField(), read_only=True, help_text="Path → how often seen."
    )
    validated_at = Moment(read_only=True, allow_null=True, help_text="LinkedIn's last challenge that was answered.")


class SourceSerializer(StrictSerializer):
    id = identity()
    provider = Word(ProviderSlug)
    name = Text(max_length=200)
    webhook_url = serializers.CharField(read_only=True)
    enabled = Flag(required=False)
    health = serializers.SerializerMethodField()
    last_receipt_at = Moment(read_only=True, allow_null=True)
    location_id = Reference("sub_accounts", noun="location", by="location_id", source="sub_account")
    allowed_networks = serializers.ListField(
        child=Text(max_length=50, required=True, validators=[network]), max_length=100, required=False
    )
    secret = serializers.CharField(
        write_only=True, required=False, allow_null=True, max_length=SECRET_LENGTH, trim_whitespace=False
    )
    credentials = CredentialsSerializer(write_only=True, required=False)

    @extend_schema_field(HealthSerializer)
    def get_health(self, source: Source) -> dict[str, Any]:
        if not source.enabled:
            status = "disabled"
        elif source.last_receipt_at is None:
            status = "waiting"
        else:
            status = "attention" if source.gaps or source.drift else "healthy"
        return HealthSerializer(
            {"status": status, "gaps": source.gaps, "drift": source.drift, "validated_at": source.validated_at}
        ).data


class ChangedSourceSerializer(SourceSerializer):
    provider = Word(ProviderSlug, read_only=True)


class SourceWithSecretSerializer(SourceSerializer):
    """As in the answers that make or rotate the secret."""

    secret = serializers.CharField(read_only=True, allow_null=True)


class RotationSerializer(StrictSerializer):
    secret = serializers.CharField(
        required=False, max_length=SECRET_LENGTH, trim_whitespace=False, help_text="Generated if absent."
    )


@extend_schema(tags=["sources"])
class SourceView(Listed, Shown, AgencyView):
    """Where a provider delivers. Changing a source takes the scope `admin`."""

    model = Source
    serializer_class = SourceSerializer
    write_scope = Scope.ADMIN
    filters: Mapping[str, Filter] = {
        "provider": OneOf("provider", ProviderSlug),
        "enabled": YesNo(Q(enabled=True)),
    }

    def rows(self, agency: Agency) -> QuerySet[Source]:
        return agency.sources.filter(removed_at=None).select_related("sub_account")

    def get_serializer_class(self) -> Any:
        return ChangedSourceSerializer if self.action == "partial_update" else super().get_serializer_class()

    @extend_schema(request=SourceSerializer, responses={201: SourceWithSecretSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a source. The answer is the only one that shows its secret."""
        values = self.read_body()
        place = values.pop("sub_account", None)
        with refusals_of(SourceError):
            source, secret = create_source(agency=self.agency, location_id=place.location_id if place else "", **values)
        return self.show(source, status=201, secret=secret)

    @extend_schema(request=ChangedSourceSerializer, responses=SourceSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a source. A new `secret` starts an overlap with the old one; null takes it away, where that is
        allowed."""
        source = self.get_object()
        with refusals_of(SourceError):
            return self.show(update_source(source, **self.read_body(instance=source, partial=True)))

    def destroy(self, request: Request, **_: Any) -> Response:
        """Take a source away: its URL answers 404 from now on. What came by it stays."""
        delete_source(self.get_object())
        return Response(status=204)

    @extend_schema(request=RotationSerializer, responses=SourceWithSecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **_: Any) -> Response:
        """Give the source a new secret. The old one stays valid for the overlap; a `linkedconnector` source gets a new
        URL."""
        source = self.get_object()
        body = RotationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals_of(SourceError):
            secret = rotate_secret(source, body.validated_data.get("secret"))
        return self.show(source, secret=secret)
