"""Serve `/api/v1/sequences` and `/api/v1/enrolments`, and enrol leads."""

from typing import Any

from django.db.models import F, Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.text import MAX_NAME_LENGTH
from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.filters import StrictChoiceFilter, StrictFilterSet, TextFilter
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.views import BY_AGE, AgencyViewSet, validated
from leads.api.activities import LeadField
from leads.enums import EndReason, EnrolmentState, LeadStatus, StepKind, TriggerKind
from leads.models import Enrolment, Sequence, SequenceVersion
from leads.models.activities import MAX_TITLE_LENGTH
from leads.sequences import enrolments, service
from leads.sequences.contacts import STOPS
from leads.sequences.figures import figures_for
from leads.sequences.steps import MAX_DELAY, MAX_TAG_LENGTH, steps_of


class WindowSerializer(StrictSerializer):
    def get_fields(self) -> dict[str, Any]:
        hint = "HH:MM, in the lead's time zone if it is known, else the agency's."
        return {
            "from": StrictCharField(required=True, max_length=5, help_text=hint),
            "to": StrictCharField(required=True, max_length=5, help_text=hint),
        }


class StepSerializer(StrictSerializer):
    id = StrictCharField(
        max_length=40, help_text="Given by Leadline. A step that is sent again with its id stays itself."
    )
    kind = StrictChoiceField(StepKind, required=True)
    delay = StrictIntegerField(
        required=False,
        min_value=0,
        max_value=MAX_DELAY,
        help_text="Sending days (Monday to Friday) after the step before was sent or done.",
    )
    window = WindowSerializer(required=False, allow_null=True)
    template = StrictCharField(max_length=40, help_text="Id of the template, of e-mails and LinkedIn messages.")
    note = StrictCharField(
        max_length=MAX_TITLE_LENGTH + 100,
        help_text="Of a phone task what is to be done; of an invitation its note. It takes the fields of templates.",
    )
    condition = serializers.JSONField(required=False, help_text="Whose lead skips the step if it is not met.")


class TriggerSerializer(StrictSerializer):
    kind = StrictChoiceField(TriggerKind, required=True)
    status = StrictChoiceField(LeadStatus, required=False, allow_null=True, help_text="Of `status_reached` alone.")
    tag = StrictCharField(max_length=MAX_TAG_LENGTH, help_text="Of `tag` alone.")
    conditions = serializers.JSONField(required=False, help_text="Which of these leads are enrolled.")


class StepFiguresSerializer(StrictSerializer):
    step = serializers.CharField(read_only=True)
    sent = serializers.IntegerField(read_only=True)
    replied = serializers.IntegerField(
        read_only=True, help_text="Leads whose reply ended the sequence after this step."
    )
    stopped = serializers.IntegerField(read_only=True, help_text="Leads for whom it stopped otherwise after this step.")
    held = serializers.IntegerField(read_only=True)
    skipped = serializers.IntegerField(read_only=True)


class SequenceSerializer(StrictSerializer):
    _figures: dict[str, dict[str, dict[str, int]]] | None = None  # of all sequences of a page

    id = id_field()
    name = StrictCharField(max_length=MAX_NAME_LENGTH, required=True)
    active = StrictBooleanField(required=False)
    disabled_reason = StrictCharField(read_only=True)
    trigger = TriggerSerializer(required=True)
    steps = StepSerializer(many=True, required=True)
    stops = serializers.SerializerMethodField(help_text="What stops it for a lead. The list is closed.")
    version = serializers.IntegerField(read_only=True)
    figures = serializers.SerializerMethodField()
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)

    def to_representation(self, instance: Sequence) -> Any:
        latest = getattr(instance, "latest", None)
        version = latest[0] if latest else service.latest_version(instance)
        instance.trigger, instance.steps = version.trigger, version.steps  # type: ignore[attr-defined]
        return super().to_representation(instance)

    def get_stops(self, sequence: Sequence) -> list[str]:
        return [reason.value for reason in STOPS]

    @extend_schema_field(StepFiguresSerializer(many=True))
    def get_figures(self, sequence: Sequence) -> list[dict[str, Any]]:
        if self._figures is None:
            shown = getattr(self.parent, "instance", None) or [sequence]
            self._figures = figures_for([one.pk for one in shown])
        return [{"step": step, **figures} for step, figures in self._figures.get(sequence.pk, {}).items()]


class VersionSerializer(StrictSerializer):
    number = serializers.IntegerField(read_only=True)
    trigger = TriggerSerializer(read_only=True)
    steps = StepSerializer(many=True, read_only=True)
    changed_by = StrictCharField(read_only=True)
    created_at = UTCDateTimeField(read_only=True)


class EnrolmentSerializer(StrictSerializer):
    id = id_field()
    lead = AgencyRelatedField("leads", noun="lead", read_only=True)
    sequence = AgencyRelatedField("sequences", noun="sequence", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    trigger = StrictChoiceField(TriggerKind, read_only=True)
    state = StrictChoiceField(EnrolmentState, read_only=True)
    step = StrictCharField(source="next_step", read_only=True, help_text="Id of the step that comes next, or waits.")
    next_at = UTCDateTimeField(source="due_at", read_only=True, allow_null=True)
    paused_until = UTCDateTimeField(read_only=True, allow_null=True)
    reason = StrictChoiceField(EndReason, read_only=True, help_text="Why it ended, or was refused.")
    created_at = UTCDateTimeField(read_only=True)
    ended_at = UTCDateTimeField(read_only=True, allow_null=True)


class EnrolSerializer(StrictSerializer):
    sequence = AgencyRelatedField("sequences", noun="sequence")


class PauseSerializer(StrictSerializer):
    until = UTCDateTimeField(required=False, allow_null=True, help_text="Absent: until somebody resumes it.")


class SequencePreviewSerializer(StrictSerializer):
    lead = LeadField("leads", noun="lead")


class PlannedStepSerializer(StrictSerializer):
    step = serializers.CharField(read_only=True)
    kind = StrictChoiceField(StepKind, read_only=True)
    at = UTCDateTimeField(read_only=True)


class PlanSerializer(StrictSerializer):
    refusal = StrictCharField(read_only=True, help_text="Why the lead cannot be enrolled now.")
    steps = PlannedStepSerializer(many=True, read_only=True)


class MoveSerializer(StrictSerializer):
    preview = StrictBooleanField(required=False, help_text="Only say what would change.")


class MovedSerializer(StrictSerializer):
    enrolment = serializers.CharField(read_only=True)
    lead = serializers.CharField(read_only=True)
    step_before = StrictCharField(read_only=True)
    step_after = StrictCharField(read_only=True)
    next_at = UTCDateTimeField(read_only=True, allow_null=True)


class MovesSerializer(StrictSerializer):
    moved = serializers.IntegerField(read_only=True)
    moves = MovedSerializer(many=True, read_only=True)


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
