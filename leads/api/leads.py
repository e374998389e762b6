"""`/api/v1/leads`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Member
from accounts.web.rest.filters import StrictFilterSet
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.problems import Conflict
from accounts.web.rest.views import BY_AGE, AgencyViewSet
from leads.api.filters import LeadFilters
from leads.api.serializers import ChangedLeadSerializer, LeadChangeSerializer, LeadSerializer, ShownLeadSerializer
from leads.enums import ChangedBy
from leads.models import Lead, LeadChange, LeadReference
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.pipeline.merge import records_of, shown_id


@contextmanager
def one_per_person() -> Iterator[None]:
    """Turn the refusal of a second lead for one LinkedIn URL into a 409."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict("Another lead has this LinkedIn URL.") from None


@extend_schema(tags=["leads"])
class LeadViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """People in outreach; one person is one lead."""

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
        return super().get_by_id(public_id) or super().get_by_id(shown_id(public_id, self.agency))

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
        """Make a lead. 409 if the person (by LinkedIn URL) is one already."""
        values = self.validated_data()
        with one_per_person():
            return self.answer_with(create_lead(self.agency, **values), status=201)

    @extend_schema(responses=LeadSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a lead; with `status` and perhaps `note` this is the Update Lead Status API."""
        lead = self.get_object()
        changes = self.validated_data(instance=lead, partial=True)
        status, note = changes.pop("status", None), changes.pop("note", "")
        with one_per_person():
            lead = update_lead(lead, **changes) if changes else lead
        if status:
            lead = set_status(lead, status=status, changed_by=ChangedBy.API, note=note)
        return self.answer_with(lead)

    @extend_schema(responses=LeadChangeSerializer(many=True))
    @action(
        detail=True,
        serializer_class=LeadChangeSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
    )
    def history(self, request: Request, **_: Any) -> Response:
        """Every report about the lead, also those that changed nothing."""
        changes: QuerySet[LeadChange] = self.get_object().changes.all()
        return self.list_of(changes)
