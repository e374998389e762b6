"""Serve `/api/v1/receipts` and `/api/v1/rejected-requests`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Length
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.enums import ProviderSlug
from accounts.core.keyset import MAX_NUMBER
from accounts.core.text import storable_json
from accounts.web.rest.fields import StrictCharField, StrictChoiceField, StrictSerializer, UTCDateTimeField, id_field
from accounts.web.rest.filters import StrictChoiceFilter, StrictFilterSet, TextFilter
from accounts.web.rest.pagination import KeysetPagination
from accounts.web.rest.problems import Conflict
from accounts.web.rest.views import AgencyViewSet
from webhooks.models import RECEIPT_PREFIX, Receipt, ReceiptStatus, RejectedRequest
from webhooks.processing.processor import reprocess_receipt
from webhooks.providers.base import UnreadablePayload, read_object

MAX_PAGE_BYTES = 4 * 1024 * 1024  # of bodies in one page
_RECEIPT_ID = re.compile(rf"{RECEIPT_PREFIX}([1-9][0-9]{{0,18}})", re.ASCII)


def payload_of(body: bytes) -> dict[str, Any] | None:
    """Return the body as JSON, with U+FFFD for what no text may hold. None if the body was erased."""
    try:
        payload: dict[str, Any] = storable_json(read_object(body))
    except UnreadablePayload:
        return None
    return payload


class ReceiptSerializer(StrictSerializer):
    id = id_field(source="public_id")
    provider = StrictChoiceField(ProviderSlug, read_only=True)
    source = StrictCharField(source="source_id", read_only=True)  # type: ignore[assignment]
    event_type = StrictCharField(read_only=True)
    status = StrictChoiceField(ReceiptStatus, read_only=True)
    received_at = UTCDateTimeField(read_only=True)
    processed_at = UTCDateTimeField(read_only=True, allow_null=True)
    error = StrictCharField(read_only=True)
    payload = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(allow_null=True, help_text="The body; null once it is erased."))
    def get_payload(self, receipt: Receipt) -> dict[str, Any] | None:
        return payload_of(bytes(receipt.body))


class ReceiptFilters(StrictFilterSet):
    status = StrictChoiceFilter(ReceiptStatus.values)
    provider = StrictChoiceFilter(ProviderSlug)
    source = TextFilter("source_id")
    event_type = TextFilter()


class ReceiptPagination(KeysetPagination):
    """End a page early when its bodies add up to MAX_PAGE_BYTES. Read only the bodies that are shown."""

    def trim(self, rows: Sequence[Receipt]) -> Sequence[Receipt]:
        total = 0
        for place, receipt in enumerate(rows):
            total += receipt.size  # type: ignore[attr-defined]
            if place and total > MAX_PAGE_BYTES:
                rows = rows[:place]
                break
        bodies = dict(Receipt.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "body"))
        for receipt in rows:
            receipt.body = bodies.get(receipt.pk, b"")
        return rows


@extend_schema(tags=["receipts"])
class ReceiptViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """Read verified requests of providers. A page ends early when its bodies add up to 4 MiB."""

    serializer_class = ReceiptSerializer
    orderings: Mapping[str, str] = {"received_at": "pk"}  # the sequence is the order of arrival
    filterset_class = ReceiptFilters
    pagination_class = ReceiptPagination

    def get_queryset(self) -> QuerySet[Receipt]:
        receipts = self.agency.receipts.all()
        return receipts.defer("body").annotate(size=Length("body")) if self.action == "list" else receipts

    def get_by_id(self, public_id: str) -> Receipt | None:
        match = _RECEIPT_ID.fullmatch(public_id)
        sequence = int(match[1]) if match else 0
        return self.get_queryset().filter(pk=sequence).first() if 0 < sequence <= MAX_NUMBER else None

    @extend_schema(parameters=[OpenApiParameter("id", str, OpenApiParameter.PATH)])
    def retrieve(self, request: Request, **_: Any) -> Response:
        """Return one receipt."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        request=None,
        responses={202: ReceiptSerializer},
        parameters=[OpenApiParameter("id", str, OpenApiParameter.PATH)],
    )
    @action(detail=True, methods=["post"])
    def reprocess(self, request: Request, **_: Any) -> Response:
        """Process the receipt once more, for example after its request was registered."""
        self.refuse_body()
        receipt = self.get_object()
        if not receipt.body:
            raise Conflict("The body of this receipt was erased.")
        reprocess_receipt(receipt)
        return self.answer_with(receipt, status=202)


class RejectedRequestSerializer(StrictSerializer):
    source = StrictCharField(source="source_id", read_only=True)  # type: ignore[assignment]
    reason = StrictCharField(read_only=True, allow_null=False)
    diagnosis = StrictCharField(read_only=True)
    count = serializers.IntegerField(read_only=True)
    first_seen = UTCDateTimeField(read_only=True)
    last_seen = UTCDateTimeField(read_only=True)


class RejectedRequestFilters(StrictFilterSet):
    source = TextFilter("source_id")
    reason = TextFilter()


@extend_schema(tags=["rejected-requests"])
class RejectedRequestViewSet(ListModelMixin, AgencyViewSet):
    """List requests that failed verification, one row for a source and reason."""

    serializer_class = RejectedRequestSerializer
    orderings: Mapping[str, str] = {"first_seen": "pk", "last_seen": "last_seen"}
    filterset_class = RejectedRequestFilters

    def get_queryset(self) -> QuerySet[RejectedRequest]:
        return RejectedRequest.objects.filter(source__agency=self.agency)
