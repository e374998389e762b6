"""Serve `/api/v1/imports`: leads from CSV files."""

from io import BytesIO
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.text import MAX_NAME_LENGTH
from accounts.web.rest.fields import StrictCharField, StrictChoiceField, StrictSerializer, UTCDateTimeField, id_field
from accounts.web.rest.filters import StrictFilterSet
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.views import BY_AGE, AgencyViewSet
from leads.enums import ImportState, RowOutcome, RowReason
from leads.imports import service
from leads.imports.columns import FIELDS
from leads.models import ImportRow, LeadImport


class RowCountsSerializer(StrictSerializer):
    new = serializers.IntegerField(read_only=True, help_text="Leads that are not here yet.")
    updated = serializers.IntegerField(read_only=True, help_text="Leads that get what they lacked.")
    duplicate = serializers.IntegerField(read_only=True, help_text="Rows that add nothing.")
    refused = serializers.IntegerField(read_only=True, help_text="Rows that cannot be imported.")


class UndoneSerializer(StrictSerializer):
    removed = serializers.IntegerField(read_only=True, help_text="Leads.")
    restored = serializers.IntegerField(read_only=True, help_text="Leads whose fields were emptied again.")
    kept = serializers.IntegerField(read_only=True, help_text="Leads that somebody worked on since.")


class ImportSerializer(StrictSerializer):
    id = id_field()
    name = StrictCharField(max_length=MAX_NAME_LENGTH, required=True, help_text="Of the file.")
    csv = StrictCharField(
        write_only=True, required=True, trim_whitespace=False, help_text="The text of a CSV file, one lead a row."
    )
    mapping = serializers.ListField(
        child=serializers.ChoiceField(["", *FIELDS]),
        required=False,
        help_text='A field for each column, `""` for what is not imported. Absent: as the headings say, or as a file'
        " with the same headings was mapped before. One of `linkedin_url`, `email` and `phone` must be among them.",
    )
    headings = serializers.ListField(child=serializers.CharField(), read_only=True)
    has_heading = serializers.BooleanField(read_only=True, help_text="Whether the first row names the columns.")
    encoding = StrictCharField(read_only=True)
    delimiter = StrictCharField(read_only=True)
    state = StrictChoiceField(ImportState, read_only=True)
    total = serializers.IntegerField(read_only=True, help_text="Rows of the file.")
    done = serializers.IntegerField(
        read_only=True, help_text="Rows that the check, the import or the undo is done with."
    )
    counts = serializers.SerializerMethodField(help_text="Of a `ready` import: what it would do.")
    undone = serializers.SerializerMethodField(help_text="Null unless the import was undone.")
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)

    @extend_schema_field(RowCountsSerializer)
    def get_counts(self, found: LeadImport) -> dict[str, int]:
        return {outcome.value: found.counts.get(outcome, 0) for outcome in RowOutcome}

    @extend_schema_field(UndoneSerializer(allow_null=True))
    def get_undone(self, found: LeadImport) -> dict[str, int] | None:
        return found.undone or None


class ChangedImportSerializer(ImportSerializer):
    name = StrictCharField(read_only=True)
    csv = None  # type: ignore[assignment]  # a file is never replaced


class RefusedImportRowSerializer(StrictSerializer):
    row = serializers.IntegerField(source="number", read_only=True, help_text="In the file, counted from 1.")
    reason = StrictChoiceField(RowReason, read_only=True)
    cells = serializers.ListField(child=serializers.CharField(allow_blank=True), read_only=True)


@extend_schema(tags=["leads"])
class ImportViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Files of leads. A file is checked first and changes nothing until it is run.

    Its leads start no response clock, and no event reports them.
    """

    serializer_class = ImportSerializer

    def get_queryset(self) -> QuerySet[LeadImport]:
        return self.agency.imports.select_related("agency")

    def get_serializer_class(self) -> Any:
        return ChangedImportSerializer if self.action == "partial_update" else super().get_serializer_class()

    @extend_schema(responses={201: ImportSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Upload a file. A worker checks its rows; then it is `ready`, with counts of what it would do."""
        values = self.validated_data()
        file = BytesIO(values["csv"].encode())
        found = service.create_import(
            self.agency, name=values["name"], file=file, mapping=values.get("mapping"), by=self.key
        )
        return self.answer_with(found, status=201)

    @extend_schema(request=ChangedImportSerializer, responses=ImportSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change what the columns are. The rows are checked again."""
        found = self.get_object()
        values = self.validated_data(instance=found, partial=True)
        if "mapping" in values:
            service.set_mapping(found, values["mapping"])
        return self.answer_with(found)

    def perform_destroy(self, found: LeadImport) -> None:
        service.delete_import(found, by=self.key)

    @extend_schema(request=None, responses={202: ImportSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, **_: Any) -> Response:
        """Import the rows of a `ready` file."""
        self.refuse_body()
        return self.answer_with(service.start_import(self.get_object(), by=self.key), status=202)

    @extend_schema(request=None, responses={202: ImportSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, **_: Any) -> Response:
        """Take an import back: leads that nobody worked on since go, and fields that the file filled are emptied."""
        self.refuse_body()
        return self.answer_with(service.undo_import(self.get_object(), by=self.key), status=202)

    @extend_schema(responses=RefusedImportRowSerializer(many=True))
    @action(
        detail=True,
        serializer_class=RefusedImportRowSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
    )
    def refused(self, request: Request, **_: Any) -> Response:
        """List the rows that cannot be imported, the last first, each with the reason."""
        rows: QuerySet[ImportRow] = self.get_object().rows.filter(outcome=RowOutcome.REFUSED)
        return self.list_of(rows)
