"""Serve `/api/v1/event-types`."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request

from accounts.core.enums import AGENCY_EVENTS, EventType
from accounts.core.keyset import Position
from accounts.web.rest.fields import StrictChoiceField, StrictSerializer
from accounts.web.rest.pagination import Cursor, KeysetPagination, invalid_cursor, read_limit
from accounts.web.rest.views import AgencyViewSet
from notifications.content.catalogue import CATALOGUE


class EventTypeSerializer(StrictSerializer):
    name = StrictChoiceField(AGENCY_EVENTS, read_only=True)
    description = serializers.CharField(read_only=True)
    schema = serializers.DictField(read_only=True, help_text="JSON schema of the body.")
    example = serializers.DictField(read_only=True)


class CataloguePagination(KeysetPagination):
    """Paginate a list that is in the code. A cursor holds the index of a page's first entry."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.ordering = request.query_params.get("ordering", "")
        if self.ordering not in ("", "name", "-name"):
            raise ValidationError({"ordering": "Choose name or -name."})
        kinds = list(queryset)
        if self.ordering:
            kinds.sort(key=lambda kind: kind.name, reverse=self.ordering.startswith("-"))
        limit, start = read_limit(request), self._read_start(len(kinds))
        self.next = self._at(start + limit) if start + limit < len(kinds) else None
        self.previous = self._at(max(0, start - limit)) if start else None
        return kinds[start : start + limit]

    def _read_start(self, count: int) -> int:
        text = self.request.query_params.get("cursor")
        if text is None:
            return 0
        try:
            cursor = Cursor.decode(text)
        except ValueError:
            raise invalid_cursor() from None
        place = cursor.position.key
        if type(place) is not int or not 0 <= place < count or cursor != self._at(place):
            raise invalid_cursor()
        return place

    def _at(self, place: int) -> Cursor:
        return Cursor(self.ordering, Position(place))


@extend_schema(tags=["event-types"])
@extend_schema_view(list=extend_schema(description="Every event type, in the order of the documentation or by name."))
class EventTypeViewSet(ListModelMixin, AgencyViewSet):
    """List the catalogue of event types."""

    serializer_class = EventTypeSerializer
    pagination_class = CataloguePagination
    filter_backends = []
    orderings: Mapping[str, str] = {"name": "name"}

    def get_queryset(self) -> Any:
        return [CATALOGUE[EventType(name)] for name in AGENCY_EVENTS]
