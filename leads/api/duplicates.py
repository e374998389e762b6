"""Serve `/api/v1/duplicates`: leads that look like one person."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Member
from accounts.web.rest.fields import StrictChoiceField, StrictSerializer, UTCDateTimeField, id_field
from accounts.web.rest.views import AgencyViewSet
from leads.api.serializers import ShownLeadSerializer
from leads.duplicates import service
from leads.duplicates.proposals import open_proposals
from leads.enums import LikenessReason, ProposalDecision
from leads.models import DuplicateProposal, Lead, LeadReference
from leads.pipeline.own_values import records_of


class DuplicateSerializer(StrictSerializer):
    id = id_field()
    leads = serializers.SerializerMethodField(help_text="The ids of the two leads, the older first.")
    why = serializers.ListField(
        source="reasons",
        child=serializers.ChoiceField([reason.value for reason in LikenessReason]),
        read_only=True,
        help_text="What they have in common.",
    )
    decision = StrictChoiceField(ProposalDecision, read_only=True, allow_null=True, help_text="Null: open.")
    created_at = UTCDateTimeField(read_only=True)

    def get_leads(self, proposal: DuplicateProposal) -> list[str]:
        return [proposal.lead_id, proposal.other_id]


@extend_schema(tags=["leads"])
class DuplicateViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """Pairs of leads that look like one person. The list has those that nobody has decided on."""

    serializer_class = DuplicateSerializer

    def get_queryset(self) -> QuerySet[DuplicateProposal]:
        if self.action == "list":
            return open_proposals(self.agency)
        return DuplicateProposal.objects.filter(agency=self.agency).select_related("agency")

    @extend_schema(request=None, responses={202: ShownLeadSerializer})
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, **_: Any) -> Response:
        """Merge the two leads. The older id stays, the younger goes on answering."""
        self.refuse_body()
        lead = service.accept(self.get_object(), by=self.key)
        return Response(shown_lead(lead, self.get_serializer_context()), status=202)

    @extend_schema(request=None, responses={202: DuplicateSerializer})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, **_: Any) -> Response:
        """Say that they are two people. They are not proposed again."""
        self.refuse_body()
        return Response(self.get_serializer(service.dismiss(self.get_object(), by=self.key)).data, status=202)


def shown_lead(lead: Lead, context: dict[str, Any]) -> dict[str, Any]:
    """Return a lead as it is now, with the ids of what was merged into it."""
    members = Prefetch("assigned_to__memberships", Member.objects.filter(agency=lead.agency_id), to_attr="members_here")
    references = Prefetch("references", LeadReference.objects.order_by("-id"))
    shown: Any = Lead.objects.select_related("assigned_to").prefetch_related(references, members).get(pk=lead.pk)
    if merged := [record.pk for record in records_of(shown)]:
        shown.merged_from = merged
    return ShownLeadSerializer(shown, context=context).data
