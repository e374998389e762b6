"""Serve `/api/v1/leads`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.errors import FieldError
from accounts.models import Member
from accounts.web.rest.filters import StrictFilterSet
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.problems import Conflict
from accounts.web.rest.views import BY_AGE
from leads.api.assignments import AssignmentSerializer, AssignSerializer
from leads.api.clocks import ClockActions
from leads.api.duplicates import shown_lead
from leads.api.filters import LeadFilters
from leads.api.inbox import ThreadActions
from leads.api.scoring import LeadScoreSerializer
from leads.api.sequences import EnrolAction
from leads.api.serializers import (
    ChangedLeadSerializer,
    LeadChangeSerializer,
    LeadSerializer,
    MergedRecordSerializer,
    OtherLeadSerializer,
    ShownLeadSerializer,
)
from leads.duplicates.service import undo_merge
from leads.enums import ChangedBy
from leads.models import Assignment, Lead, LeadChange, LeadReference, LeadScore
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.pipeline.merge import root_id
from leads.pipeline.merge_by_hand import merge_by_hand
from leads.pipeline.own_values import records_of
from leads.routing.service import assign_by_pool


@contextmanager
def conflict_on_duplicate_profile() -> Iterator[None]:
    """Answer 409 if the LinkedIn URL is another lead's."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict("Another lead has this LinkedIn URL.") from None


@extend_schema(tags=["leads"])
class LeadViewSet(ListModelMixin, RetrieveModelMixin, ClockActions, EnrolAction, ThreadActions):
    """Manage leads: people in outreach. One person is one lead."""

    serializer_class = LeadSerializer
    filterset_class = LeadFilters
    orderings: Mapping[str, str] = {"created_at": "pk", "updated_at": "updated_at"}

    def get_queryset(self) -> QuerySet[Lead]:
        members = Member.objects.filter(agency=self.agency)
        references = LeadReference.objects.order_by("-id")
        return self.agency.leads.select_related("assigned_to").prefetch_related(
            Prefetch("references", references),
            Prefetch("assigned_to__memberships", members, to_attr="members_here"),
        )

    def get_by_id(self, public_id: str) -> Model | None:
        """Return the lead of this id, or of the id of a record that was merged into it."""
        return super().get_by_id(public_id) or super().get_by_id(root_id(public_id, self.agency))

    def get_serializer_class(self) -> Any:
        special = {"partial_update": ChangedLeadSerializer, "retrieve": ShownLeadSerializer}
        return special.get(self.action) or super().get_serializer_class()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        lead = self.get_object()
        if merged := [record.pk for record in records_of(lead)]:
            lead.merged_from = merged
        return Response(self.get_serializer(lead).data)

    @extend_schema(responses={201: LeadSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Create a lead. 409 if the person (by LinkedIn URL) has one already."""
        values = self.validated_data()
        with conflict_on_duplicate_profile():
            return self.answer_with(create_lead(self.agency, **values), status=201)

    @extend_schema(responses=LeadSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a lead. With `status`, and `note` if wanted, this is the Update Lead Status API."""
        lead = self.get_object()
        changes = self.validated_data(instance=lead, partial=True)
        status, note = changes.pop("status", None), changes.pop("note", "")
        with conflict_on_duplicate_profile():
            lead = update_lead(lead, **changes) if changes else lead
        if status:
            lead = set_status(lead, status=status, changed_by=ChangedBy.API, note=note)
        return self.answer_with(lead)

    @extend_schema(request=AssignSerializer, responses={202: LeadSerializer})
    @action(detail=True, methods=["post"], serializer_class=AssignSerializer)
    def assign(self, request: Request, **_: Any) -> Response:
        """Give the lead to a member, or have a pool deal it; whoever has it then does not get it again."""
        lead, asked = self.get_object(), self.validated_data()
        if asked.get("pool"):
            assign_by_pool(self.agency, [lead.pk], pool=asked["pool"])
        else:
            update_lead(lead, assigned_to=asked["member"].user)
        shown = LeadSerializer(self.get_queryset().get(pk=lead.pk), context=self.get_serializer_context())
        return Response(shown.data, status=202)

    @extend_schema(responses=AssignmentSerializer(many=True))
    @action(
        detail=True,
        serializer_class=AssignmentSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
    )
    def assignments(self, request: Request, **_: Any) -> Response:
        """List who had the lead, newest first, each with the reason and with whom a pool passed over."""
        rows: QuerySet[Assignment] = self.get_object().assignments.select_related("pool", "by")
        return self.list_of(rows)

    @extend_schema(responses=LeadChangeSerializer(many=True))
    @action(
        detail=True,
        serializer_class=LeadChangeSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
    )
    def history(self, request: Request, **_: Any) -> Response:
        """List every report about the lead, also those that changed nothing."""
        changes: QuerySet[LeadChange] = self.get_object().changes.all()
        return self.list_of(changes)

    @extend_schema(request=OtherLeadSerializer, responses={202: ShownLeadSerializer})
    @action(detail=True, methods=["post"], serializer_class=OtherLeadSerializer)
    def merge(self, request: Request, **_: Any) -> Response:
        """Merge another lead of the same person with this one. The older id stays, the younger goes on answering."""
        return self._answer_with_records(
            merge_by_hand(self.agency, self.get_object().pk, self.validated_data()["other"], by=self.key)
        )

    @extend_schema(request=MergedRecordSerializer, responses={202: ShownLeadSerializer})
    @action(detail=True, methods=["post"], serializer_class=MergedRecordSerializer)
    def unmerge(self, request: Request, **_: Any) -> Response:
        """Undo a merge: the record is a lead of its own again, with all that is its."""
        lead, record_id = self.get_object(), self.validated_data()["record"]
        if root_id(record_id, self.agency) != lead.pk:
            raise FieldError("record", "This record was not merged into the lead.")
        return self._answer_with_records(undo_merge(self.agency, record_id, by=self.key)[0])

    def _answer_with_records(self, lead: Lead) -> Response:
        """Answer 202 with a lead as it is now, and the ids of what was merged into it."""
        return Response(shown_lead(lead, self.get_serializer_context()), status=202)

    @extend_schema(responses=LeadScoreSerializer, filters=False)
    @action(detail=True, serializer_class=LeadScoreSerializer)
    def score(self, request: Request, **_: Any) -> Response:
        """Explain the lead's score: what each rule gave. 404 until the lead has been scored."""
        score = LeadScore.objects.filter(lead=self.get_object()).first()
        if score is None:
            raise NotFound("The lead has no score yet.")
        return Response(self.get_serializer(score).data)
