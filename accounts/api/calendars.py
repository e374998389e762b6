"""Serve `/api/v1/calendars`: working hours."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Calendar
from accounts.tenancy.calendars import service
from accounts.tenancy.calendars.parsing import DAYS, MAX_BLOCKS, MAX_NAME_LENGTH
from accounts.tenancy.calendars.public_holidays import MAX_YEAR, MIN_YEAR, propose_holidays
from accounts.tenancy.languages import language_in
from accounts.web.rest.fields import StrictBooleanField, StrictCharField, StrictSerializer, id_field
from accounts.web.rest.views import AgencyViewSet, validated


def blocks_field(**options: Any) -> serializers.ListField:
    """Return the field of a day's blocks: `[["09:00", "12:00"]]`."""
    block = serializers.ListField(child=StrictCharField(max_length=5), min_length=2, max_length=2)
    return serializers.ListField(child=block, max_length=MAX_BLOCKS, **options)


class WeekSerializer(StrictSerializer):
    """The blocks of local time of each day. A block whose end is not after its start ends on the next day."""

    def get_fields(self) -> dict[str, Any]:
        return {day: blocks_field(required=False) for day in DAYS}


class ExceptionSerializer(StrictSerializer):
    """Days that lose the working time in `blocks`, or all of it; with `working` they gain it."""

    name = StrictCharField(max_length=MAX_NAME_LENGTH, required=False)
    working = serializers.BooleanField(required=False, default=False)
    blocks = blocks_field(required=False)

    def get_fields(self) -> dict[str, Any]:
        days = {
            "from": serializers.DateField(source="first"),
            "to": serializers.DateField(source="last", required=False),
        }
        return {**days, **super().get_fields()}


class CalendarSerializer(StrictSerializer):
    id = id_field()
    name = StrictCharField(max_length=MAX_NAME_LENGTH, required=True)
    timezone = StrictCharField(max_length=64, required=False, help_text="The agency's if absent.")
    week = WeekSerializer(required=False)
    always_open = StrictBooleanField(required=False)
    exceptions = ExceptionSerializer(many=True, required=False)
    is_default = StrictBooleanField(required=False)
    version = serializers.IntegerField(read_only=True)


class OpenDaySerializer(StrictSerializer):
    date = serializers.DateField(read_only=True)
    open = serializers.ListField(child=serializers.ListField(child=serializers.CharField()), read_only=True)


class PreviewSerializer(StrictSerializer):
    days = OpenDaySerializer(many=True, read_only=True)


class HolidayQuery(StrictSerializer):
    country = StrictCharField(max_length=2, required=True, help_text="ISO 3166, such as DE or US.")
    state = StrictCharField(max_length=10, required=False, help_text="Such as BE for Berlin, or CA for California.")
    year = serializers.IntegerField(min_value=MIN_YEAR, max_value=MAX_YEAR, required=True)


class HolidaysSerializer(StrictSerializer):
    exceptions = ExceptionSerializer(many=True, read_only=True)


@extend_schema(tags=["calendars"])
class CalendarViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Working hours, in local time, with dated exceptions."""

    serializer_class = CalendarSerializer

    def get_queryset(self) -> QuerySet[Calendar]:
        return self.agency.calendars.prefetch_related("exceptions")

    @extend_schema(request=CalendarSerializer, responses={201: CalendarSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a calendar. The first one becomes the default."""
        return self.answer_with(service.create_calendar(self.agency, by=self.key, **self.validated_data()), status=201)

    @extend_schema(request=CalendarSerializer, responses=CalendarSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a calendar. `week` and `exceptions` replace what there is; new hours make a new version."""
        calendar = self.get_object()
        changes = self.validated_data(instance=calendar, partial=True)
        return self.answer_with(service.update_calendar(calendar, by=self.key, **changes))

    def perform_destroy(self, calendar: Calendar) -> None:
        service.delete_calendar(calendar, by=self.key)

    @extend_schema(parameters=[HolidayQuery], responses=HolidaysSerializer, filters=False)
    @action(detail=False, methods=["get"], parameters=("country", "state", "year"))
    def holidays(self, request: Request) -> Response:
        """Propose the public holidays of a country and a state, as exceptions that a calendar may take."""
        asked = validated(HolidayQuery(data=request.query_params))
        proposed = propose_holidays(**asked, language=language_in(self.agency.locale))
        return Response(HolidaysSerializer({"exceptions": proposed}).data)

    @extend_schema(responses=PreviewSerializer, filters=False)
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, **_: Any) -> Response:
        """Show the opening hours of the next 14 days, in the calendar's time zone."""
        days = service.preview(self.get_object(), timezone.now())
        return Response(PreviewSerializer({"days": days}).data)
