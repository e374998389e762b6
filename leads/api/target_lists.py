"""Serve `/api/v1/target-lists`: the companies that an agency wants as customers."""

from io import BytesIO
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.text import MAX_NAME_LENGTH
from accounts.web.rest.fields import StrictCharField, StrictSerializer, UTCDateTimeField, id_field
from accounts.web.rest.views import AgencyViewSet
from leads.models import TargetList
from leads.target_lists import service


class RefusedRowSerializer(StrictSerializer):
    row = serializers.IntegerField(read_only=True, help_text="Counted from 1.")
    value = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True, help_text="`free_mail`, `no_domain`, `no_name` or `too_long`.")


class TargetListSerializer(StrictSerializer):
    id = id_field()
    name = StrictCharField(max_length=MAX_NAME_LENGTH, required=True)
    csv = StrictCharField(
        write_only=True,
        required=True,
        trim_whitespace=False,
        help_text="The text of a CSV file with a column of company names, of domains, or both. It replaces what there"
        " is.",
    )
    companies = serializers.IntegerField(read_only=True, help_text="Entries that are names.")
    domains = serializers.IntegerField(read_only=True, help_text="Entries that are domains.")
    duplicates = serializers.IntegerField(read_only=True, help_text="Values that the file had before.")
    refused_count = serializers.IntegerField(read_only=True, help_text="Rows that could not be read.")
    refused = RefusedRowSerializer(many=True, read_only=True, help_text="The first 100 of them.")
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)


@extend_schema(tags=["rules"])
class TargetListViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Lists of companies, by name or domain. Conditions ask about them with `on_list`."""

    serializer_class = TargetListSerializer

    def get_queryset(self) -> QuerySet[TargetList]:
        return self.agency.target_lists.all()

    @extend_schema(request=TargetListSerializer, responses={201: TargetListSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a list of the companies in a CSV file."""
        values = self.validated_data()
        made = service.create_list(self.agency, by=self.key, name=values["name"], file=BytesIO(values["csv"].encode()))
        return self.answer_with(made, status=201)

    @extend_schema(request=TargetListSerializer, responses=TargetListSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Rename a list, or replace what is on it."""
        target_list = self.get_object()
        changes = self.validated_data(instance=target_list, partial=True)
        file = BytesIO(changes["csv"].encode()) if "csv" in changes else None
        return self.answer_with(service.update_list(target_list, by=self.key, name=changes.get("name"), file=file))

    def perform_destroy(self, target_list: TargetList) -> None:
        service.delete_list(target_list, by=self.key)
