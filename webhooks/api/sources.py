"""Serve `/api/v1/sources`, with the registration of We-Link requests (`/api/v1/sources/{id}/requests`)."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.enums import ProviderSlug, RequestAction, Scope
from accounts.web.rest.fields import AgencyRelatedField, StrictCharField, StrictChoiceField, StrictSerializer
from leads.lead_sync.api import LinkedInSourceViewSet
from webhooks.processing.processor import register_request


class ProviderRequestSerializer(StrictSerializer):
    request_id = StrictCharField(required=True, max_length=200)
    action = StrictChoiceField(RequestAction)
    account = AgencyRelatedField("accounts", noun="account")
    lead = AgencyRelatedField("leads", noun="lead")


@extend_schema(tags=["sources"])
class SourceWithRequestsViewSet(LinkedInSourceViewSet):
    """Manage sources: where a provider delivers.

    Changing a source takes the scope `admin`, registering a request `write`.
    """

    @extend_schema(request=ProviderRequestSerializer, responses={201: ProviderRequestSerializer})
    @action(
        detail=True,
        methods=["post"],
        url_path="requests",
        serializer_class=ProviderRequestSerializer,
        write_scope=Scope.WRITE,
    )
    def register(self, request: Request, **_: Any) -> Response:
        """Register what a We-Link request is for, replacing earlier registrations. Waiting receipts are processed."""
        source = self.get_object()
        values = self.validated_data()
        if source.provider != ProviderSlug.WELINK:
            raise ValidationError("Only the requests of a welink source can be registered.")
        return Response(self.get_serializer(register_request(source, **values)).data, status=201)
