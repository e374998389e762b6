"""Serve `/api/v1/sequences` and `/api/v1/enrolments`, and enrol leads."""

from typing import Any

from django.db.models import F, Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.web.rest.filters import StrictChoiceFilter, StrictFilterSet, TextFilter
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.views import BY_AGE, AgencyViewSet, validated
from leads.api.sequence_serializers import (
    EnrolmentSerializer,
    EnrolSerializer,
    MoveSerializer,
    MovesSerializer,
    PauseSerializer,
    PlanSerializer,
    SequencePreviewSerializer,
    SequenceSerializer,
    VersionSerializer,
)
from leads.enums import EnrolmentState
from leads.models import Enrolment, Sequence, SequenceVersion
from leads.sequences import enrolments, service
from leads.sequences.steps import steps_of


class EnrolmentFilters(StrictFilterSet):
    lead = TextFilter("lead_id")
    sequence = TextFilter("sequence_id")
    state = StrictChoiceFilter(EnrolmentState, field_name="state")


@extend_schema(tags=["sequences"])
class SequenceViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Steps that are carried out for a lead one after the other, until something stops them."""

    serializer_class = SequenceSerializer

    def get_queryset(self) -> QuerySet[Sequence]:
        latest = SequenceVersion.objects.filter(number=F("sequence__version"))
        rows = self.agency.sequences.select_related("agency")
        return rows.prefetch_related(Prefetch("versions", latest, to_attr="latest"))

    @extend_schema(request=SequenceSerializer, responses={201: SequenceSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a sequence. A wrong step is refused by its place, such as `steps.2.template`."""
        made = service.create_sequence(self.agency, by=self.key, **self.validated_data())
        return self.answer_with(made, status=201)

    @extend_schema(request=SequenceSerializer, responses=SequenceSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a sequence. Another trigger or other steps make a new version; who is enrolled keeps the old one."""
        sequence = self.get_object()
        changes = self.validated_data(instance=sequence, partial=True)
        return self.answer_with(service.update_sequence(sequence, by=self.key, **changes))

    def perform_destroy(self, sequence: Sequence) -> None:
        service.delete_sequence(sequence, by=self.key)

    @extend_schema(responses=VersionSerializer(many=True))
    @action(
        detail=True,
        serializer_class=VersionSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
    )
    def versions(self, request: Request, **_: Any) -> Response:
        """List what the sequence was, newest first."""
        versions: QuerySet[SequenceVersion] = self.get_object().versions.all()
        return self.list_of(versions)

    @extend_schema(responses=EnrolmentSerializer(many=True))
    @action(
        detail=True,
        serializer_class=EnrolmentSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
        url_path="enrolments",
    )
    def enrolments_here(self, request: Request, **_: Any) -> Response:
        """List the leads that are or were enrolled."""
        rows: QuerySet[Enrolment] = self.get_object().enrolments.all()
        return self.list_of(rows.select_related("version"))

    @extend_schema(request=SequencePreviewSerializer, responses={202: PlanSerializer})
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, **_: Any) -> Response:
        """Say when each step would be due for a lead that is enrolled now, and whether it can be."""
        sequence = self.get_object()
        values = validated(SequencePreviewSerializer(data=request.data, context=self.get_serializer_context()))
        if (lead := values.get("lead")) is None:
            raise ValidationError({"lead": "This field is required."})
        planned = service.plan(steps_of(service.latest_version(sequence).steps), lead, timezone.now())
        steps = [{"step": step.id, "kind": step.kind, "at": at} for step, at in planned]
        return Response(
            PlanSerializer({"refusal": enrolments.refusal(lead, sequence), "steps": steps}).data, status=202
        )

    @extend_schema(request=MoveSerializer, responses={202: MovesSerializer})
    @action(detail=True, methods=["post"])
    def move(self, request: Request, **_: Any) -> Response:
        """Move who is enrolled in an older version to the latest one. No step is carried out twice."""
        sequence = self.get_object()
        values = validated(MoveSerializer(data=request.data, context=self.get_serializer_context()))
        moves = [
            {
                "enrolment": move.enrolment.pk,
                "lead": move.enrolment.lead_id,
                "step_before": move.step_before,
                "step_after": move.step_after.id if move.step_after else "",
                "next_at": move.due_at,
            }
            for move in service.planned_moves(sequence)
        ]
        moved = 0 if values.get("preview") else service.move_enrolments(sequence, by=self.key)
        return Response(MovesSerializer({"moved": moved, "moves": moves}).data, status=202)


@extend_schema(tags=["sequences"])
class EnrolmentViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """Where leads stand in sequences."""

    serializer_class = EnrolmentSerializer
    filterset_class = EnrolmentFilters

    def get_queryset(self) -> QuerySet[Enrolment]:
        return self.agency.enrolments.select_related("version")

    @extend_schema(request=None, responses={202: EnrolmentSerializer})
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, **_: Any) -> Response:
        """Stop the sequence for the lead."""
        self.refuse_body()
        return self.answer_with(enrolments.stop_enrolment(self.get_object()), status=202)

    @extend_schema(request=PauseSerializer, responses={202: EnrolmentSerializer})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **_: Any) -> Response:
        """Pause the sequence for the lead."""
        enrolment = self.get_object()
        values = validated(PauseSerializer(data=request.data, context=self.get_serializer_context()))
        return self.answer_with(enrolments.pause_enrolment(enrolment, until=values.get("until")), status=202)

    @extend_schema(request=None, responses={202: EnrolmentSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **_: Any) -> Response:
        """Let a paused sequence go on."""
        self.refuse_body()
        return self.answer_with(enrolments.resume_enrolment(self.get_object()), status=202)


class EnrolAction(AgencyViewSet):
    """What `leads/{id}` has of sequences."""

    @extend_schema(request=EnrolSerializer, responses={202: EnrolmentSerializer})
    @action(detail=True, methods=["post"], serializer_class=EnrolmentSerializer)
    def enrol(self, request: Request, **_: Any) -> Response:
        """Enrol the lead in a sequence. 409 says why it cannot be."""
        lead = self.get_object()
        values = validated(EnrolSerializer(data=request.data, context=self.get_serializer_context()))
        if values.get("sequence") is None:
            raise ValidationError({"sequence": "This field is required."})
        made = enrolments.enrol(lead, values["sequence"])
        return Response(
            EnrolmentSerializer(self.agency.enrolments.select_related("version").get(pk=made.pk)).data, status=202
        )
