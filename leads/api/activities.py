"""Serve `/api/v1/tasks` and `/api/v1/notes`."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Member
from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.filters import ConditionFilter, StrictFilterSet, TextFilter, TimeFilter
from accounts.web.rest.views import AgencyViewSet, validated
from leads.activities import notes, tasks
from leads.api.serializers import Assignee
from leads.enums import TaskKind, TaskMaker
from leads.models import Note, Task
from leads.models.activities import MAX_NOTE_LENGTH, MAX_OUTCOME_LENGTH, MAX_TITLE_LENGTH
from leads.pipeline.merge import root_id

MAX_WORKING_MINUTES = 100_000


class LeadField(AgencyRelatedField):
    """A lead by its id, or by the id of a record that was merged into it."""

    def to_internal_value(self, data: Any) -> Model:
        is_id = isinstance(data, str) and len(data) <= 100 and "\x00" not in data
        return super().to_internal_value(root_id(data, self.context["agency"]) if is_id else data)


class TaskSerializer(StrictSerializer):
    id = id_field()
    lead = LeadField("leads", noun="lead")
    kind = StrictChoiceField(TaskKind, required=True)
    title = StrictCharField(max_length=MAX_TITLE_LENGTH, required=True)
    due_at = UTCDateTimeField(required=False, help_text="Required, unless `due_in_working_minutes` is given.")
    due_in_working_minutes = StrictIntegerField(
        required=False,
        write_only=True,
        min_value=0,
        max_value=MAX_WORKING_MINUTES,
        help_text="Due after so many minutes of working time of whom it is assigned to.",
    )
    assigned_to = Assignee("members", noun="member")
    done_at = UTCDateTimeField(read_only=True, allow_null=True)
    outcome = StrictCharField(read_only=True)
    origin = StrictChoiceField(TaskMaker, source="made_by", read_only=True)
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)


class ChangedTaskSerializer(TaskSerializer):
    lead = LeadField("leads", noun="lead", read_only=True)


class DoneSerializer(StrictSerializer):
    outcome = StrictCharField(max_length=MAX_OUTCOME_LENGTH, required=True, help_text="What came of it.")


class NoteSerializer(StrictSerializer):
    id = id_field()
    lead = LeadField("leads", noun="lead")
    author = serializers.SerializerMethodField(help_text="The id of the member who wrote it, if a member did.")
    text = StrictCharField(max_length=MAX_NOTE_LENGTH, required=True)
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)

    def get_author(self, note: Note) -> str | None:
        members: list[Member] = note.author.members_here if note.author else []  # type: ignore[attr-defined]
        return members[0].id if members else None


class ChangedNoteSerializer(NoteSerializer):
    lead = LeadField("leads", noun="lead", read_only=True)


class TaskFilters(StrictFilterSet):
    lead = TextFilter("lead_id")
    assigned_to = TextFilter(method="filter_assigned_to", label="A member's id, or `none`.")
    due_before = TimeFilter("due_at", lookup_expr="lt")
    done = ConditionFilter(Q(done_at__isnull=False), label="Whether it is done.")

    def filter_assigned_to(self, rows: QuerySet[Task], name: str, value: str) -> QuerySet[Task]:
        if value == "none":
            return rows.filter(assigned_to__isnull=True)
        return rows.filter(
            assigned_to__in=Member.objects.filter(agency=self.request.auth.agency_id, pk=value).values("user")
        )


class NoteFilters(StrictFilterSet):
    lead = TextFilter("lead_id")


@extend_schema(tags=["tasks"])
class TaskViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """What members have to do about leads."""

    serializer_class = TaskSerializer
    filterset_class = TaskFilters
    orderings: Mapping[str, str] = {"created_at": "pk", "due_at": "due_at"}

    def get_queryset(self) -> QuerySet[Task]:
        members = Member.objects.filter(agency=self.agency)
        rows = self.agency.tasks.select_related("assigned_to", "lead")
        return rows.prefetch_related(Prefetch("assigned_to__memberships", members, to_attr="members_here"))

    def get_serializer_class(self) -> Any:
        return ChangedTaskSerializer if self.action == "partial_update" else super().get_serializer_class()

    @extend_schema(responses={201: TaskSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a task of a lead."""
        values = self.validated_data()
        lead = _lead_of(values)
        return self.answer_with(tasks.create_task(lead, by=self.key, **values), status=201)

    @extend_schema(responses=TaskSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a task. A later `due_at` makes it overdue anew."""
        task = self.get_object()
        return self.answer_with(tasks.update_task(task, **self.validated_data(instance=task, partial=True)))

    def perform_destroy(self, task: Task) -> None:
        tasks.delete_task(task)

    @extend_schema(request=DoneSerializer, responses={202: TaskSerializer})
    @action(detail=True, methods=["post"])
    def done(self, request: Request, **_: Any) -> Response:
        """Finish a task. A call that was made counts as a person's answer."""
        task = self.get_object()
        values = validated(DoneSerializer(data=request.data, context=self.get_serializer_context()))
        return self.answer_with(tasks.finish_task(task, outcome=values["outcome"], by=self.key), status=202)


@extend_schema(tags=["notes"])
class NoteViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """What members noted about leads."""

    serializer_class = NoteSerializer
    filterset_class = NoteFilters

    def get_queryset(self) -> QuerySet[Note]:
        members = Member.objects.filter(agency=self.agency)
        rows = self.agency.notes.select_related("author", "lead")
        return rows.prefetch_related(Prefetch("author__memberships", members, to_attr="members_here"))

    def get_serializer_class(self) -> Any:
        return ChangedNoteSerializer if self.action == "partial_update" else super().get_serializer_class()

    @extend_schema(responses={201: NoteSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Write a note about a lead."""
        values = self.validated_data()
        return self.answer_with(notes.create_note(_lead_of(values), by=self.key, **values), status=201)

    @extend_schema(responses=NoteSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Replace the text of a note."""
        note = self.get_object()
        changes = self.validated_data(instance=note, partial=True)
        return self.answer_with(notes.update_note(note, **changes) if changes else note)

    def perform_destroy(self, note: Note) -> None:
        notes.delete_note(note)


def _lead_of(values: dict[str, Any]) -> Any:
    """Take the lead out of the values. Raises ValidationError if there is none."""
    lead = values.pop("lead", None)
    if lead is None:
        raise ValidationError({"lead": "This field is required."})
    return lead
