"""Extend `/api/v1/sources` for LinkedIn: whose leads are wanted, and the link that connects a source."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.sources import SourceViewSet
from accounts.core.enums import ProviderSlug
from accounts.models import Source
from accounts.web.rest.fields import StrictSerializer, UTCDateTimeField
from leads.lead_sync.oauth import connect_link
from leads.lead_sync.subscriptions import want
from leads.models import Subscription


class ConnectSerializer(StrictSerializer):
    authorize_url = serializers.CharField(read_only=True)
    expires_at = UTCDateTimeField(read_only=True)


@extend_schema(tags=["sources"])
class LinkedInSourceViewSet(SourceViewSet):
    """Where a provider delivers. Changing a source takes the scope `admin`."""

    def get_queryset(self) -> QuerySet[Source]:
        wanted = Prefetch("lead_sync__subscriptions", Subscription.objects.filter(wanted=True).order_by("pk"))
        return super().get_queryset().select_related("lead_sync").prefetch_related(wanted)

    def also(self, provider: str, values: dict[str, Any]) -> Callable[[Source], object]:
        rows = values.pop("wanted_subscriptions", None)
        if rows is None:
            return super().also(provider, values)
        if provider != ProviderSlug.LINKEDIN:
            raise ValidationError({"subscriptions": "Only a linkedin source has subscriptions."})
        return partial(want, wanted=rows)

    @extend_schema(request=None, responses={202: ConnectSerializer})
    @action(detail=True, methods=["post"])
    def connect(self, request: Request, **_: Any) -> Response:
        """Make a link to LinkedIn's consent page, good for an hour. Whoever opens it and agrees connects the source."""
        self.refuse_body()
        link = connect_link(self.get_object())
        return Response(ConnectSerializer({"authorize_url": link.url, "expires_at": link.expires_at}).data, status=202)
