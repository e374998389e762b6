"""Define what sequences, their versions and enrolments look like in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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
from leads.api.activities import LeadField
from leads.enums import EndReason, EnrolmentState, LeadStatus, StepKind, TriggerKind
from leads.models import Sequence
from leads.models.activities import MAX_TITLE_LENGTH
from leads.sequences import service
from leads.sequences.contacts import STOPS
from leads.sequences.figures import figures_for
from leads.sequences.steps import MAX_DELAY, MAX_TAG_LENGTH


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
