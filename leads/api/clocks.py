"""Serve `/api/v1/leads/{id}/clocks` and `/answered`: how long a lead waits, and that it was answered elsewhere."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.rest.fields import StrictBooleanField, StrictCharField, StrictChoiceField, StrictSerializer
from accounts.web.rest.fields import UTCDateTimeField as Time
from accounts.web.rest.filters import StrictFilterSet
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.views import BY_AGE, AgencyViewSet, validated
from leads.api.serializers import LeadSerializer
from leads.enums import ClockKind, StopReason
from leads.models import ResponseClock
from leads.sla.figures import Figures, figures_of
from leads.sla.responses import MAX_HOW_LENGTH, answer_elsewhere


class PartsSerializer(StrictSerializer):
    """Seconds: at the provider, in Leadline, outside of working hours, and with a person."""

    provider = serializers.FloatField(read_only=True)
    hub = serializers.FloatField(read_only=True)
    waiting = serializers.FloatField(read_only=True)
    person = serializers.FloatField(read_only=True)


class ClockSerializer(StrictSerializer):
    """The figures of an open clock are those of now; a stopped clock's never change."""

    kind = StrictChoiceField(ClockKind, read_only=True)
    started_at = Time(read_only=True)
    due_at = Time(read_only=True)
    stopped_at = Time(read_only=True, allow_null=True)
    stop_reason = StrictChoiceField(StopReason, read_only=True, allow_null=True)
    breached = StrictBooleanField(read_only=True)
    elapsed_seconds = serializers.FloatField(read_only=True)
    working_seconds = serializers.FloatField(read_only=True)
    parts = PartsSerializer(read_only=True)

    def to_representation(self, instance: ResponseClock) -> dict[str, Any]:
        now = timezone.now()
        figures: Figures = figures_of(instance, now)
        instance.elapsed_seconds, instance.working_seconds = round(figures.elapsed, 3), round(figures.working, 3)
        instance.breached = instance.breached or (instance.is_open and now >= instance.due_at)
        instance.parts = {part.value: round(seconds, 3) for part, seconds in figures.parts.items()}  # type: ignore[attr-defined]
        return super().to_representation(instance)


class AnsweredSerializer(StrictSerializer):
    at = Time(required=False, help_text="When; now if absent.")
    how = StrictCharField(max_length=MAX_HOW_LENGTH, help_text="Where or by what, for the history.")


class ClockActions(AgencyViewSet):
    """What `leads/{id}` has of clocks."""

    @extend_schema(responses=ClockSerializer(many=True))
    @action(
        detail=True,
        serializer_class=ClockSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
    )
    def clocks(self, request: Request, **_: Any) -> Response:
        """List how long the lead waited for each answer, the open clocks too."""
        clocks: QuerySet[ResponseClock] = self.get_object().clocks.select_related("calendar")
        return self.list_of(clocks.prefetch_related("segments", "calendar__exceptions"))

    @extend_schema(request=AnsweredSerializer, responses={202: LeadSerializer})
    @action(detail=True, methods=["post"])
    def answered(self, request: Request, **_: Any) -> Response:
        """Say that a person answered the lead outside of what Leadline sees. Its clocks stop."""
        lead = self.get_object()
        values = validated(AnsweredSerializer(data=request.data, context=self.get_serializer_context()))
        at, how = values.get("at"), values.get("how") or ""
        return self.answer_with(answer_elsewhere(lead, at=at, how=how, by=self.key), status=202)
