"""Serve `/api/v1/sub-accounts`, `/api/v1/campaigns` and `/api/v1/events`."""

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.campaigns.commands import NothingFailed, try_again
from accounts.campaigns.service import UNPROTECTED, update_campaign
from accounts.core.enums import AGENCY_EVENTS, PERSONAL_EVENTS, CampaignStatus, EventType, PausedBy, ProviderSlug
from accounts.models import Campaign, Event, SubAccount
from accounts.models.command import CommandAction, CommandStatus
from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.filters import ConditionFilter, StrictChoiceFilter, StrictFilterSet, TextFilter
from accounts.web.rest.problems import Conflict
from accounts.web.rest.views import AgencyViewSet


class SubAccountSerializer(StrictSerializer):
    id = id_field()
    location_id = StrictCharField(read_only=True, allow_null=False)
    name = StrictCharField(read_only=True)
    installed = StrictBooleanField(read_only=True)
    installed_at = UTCDateTimeField(read_only=True, allow_null=True)
    installer_name = StrictCharField(read_only=True)
    installer_email = StrictCharField(read_only=True)
    ghl_user_id = StrictCharField(read_only=True)
    uninstalled_at = UTCDateTimeField(read_only=True, allow_null=True)


class SubAccountFilters(StrictFilterSet):
    installed = ConditionFilter(Q(installed=True))


@extend_schema(tags=["sub-accounts"])
class SubAccountViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """Locations of the agency."""

    serializer_class = SubAccountSerializer
    filterset_class = SubAccountFilters

    def get_queryset(self) -> QuerySet[SubAccount]:
        return self.agency.sub_accounts.all()


@extend_schema_serializer(component_name="Order")
class CommandSerializer(StrictSerializer):
    """The command to the provider, or null if its source has no API key."""

    action = StrictChoiceField(CommandAction, read_only=True)
    status = StrictChoiceField(CommandStatus, read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    error = StrictCharField(read_only=True)
    next_attempt_at = UTCDateTimeField(read_only=True, allow_null=True)


class AtProviderSerializer(StrictSerializer):
    sender_id = StrictCharField(read_only=True, help_text="Who sends it, as the provider names them.")
    order = CommandSerializer(source="command", read_only=True, allow_null=True, default=None)


class CampaignSerializer(StrictSerializer):
    id = id_field()
    provider = StrictChoiceField(ProviderSlug, read_only=True)
    external_id = StrictCharField(read_only=True, allow_null=False)
    name = StrictCharField(read_only=True)
    status = StrictChoiceField(CampaignStatus, required=False)
    paused_by = StrictChoiceField(PausedBy, read_only=True, allow_null=True)
    pause_reason = StrictCharField(max_length=300)
    account = AgencyRelatedField("accounts", noun="account")


class CampaignFilters(StrictFilterSet):
    status = StrictChoiceFilter(CampaignStatus)
    provider = StrictChoiceFilter(ProviderSlug)
    account = TextFilter("account_id")
    order = StrictChoiceFilter(CommandStatus.values, "command__status")
    protected = ConditionFilter(
        ~UNPROTECTED, label="`false`: without an account, so that nobody stops them when it drops."
    )


@extend_schema(tags=["campaigns"])
class CampaignViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """Outreach sequences at providers."""

    serializer_class = CampaignSerializer
    filterset_class = CampaignFilters

    def get_queryset(self) -> QuerySet[Campaign]:
        return self.agency.campaigns.select_related("command")

    def partial_update(self, request: Request, **_: Any) -> Response:
        campaign = self.get_object()
        changes = self.validated_data(instance=campaign, partial=True)
        return self.answer_with(update_campaign(campaign, changed_by=PausedBy.API, **changes))

    @extend_schema(responses=AtProviderSerializer)
    @action(detail=True, url_path="at-provider", serializer_class=AtProviderSerializer)
    def at_provider(self, request: Request, **_: Any) -> Response:
        """Show the campaign at its provider: its sender, and whether the last pause or resumption was carried out."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses={202: AtProviderSerializer})
    @action(detail=True, methods=["post"], serializer_class=AtProviderSerializer)
    def retry(self, request: Request, **_: Any) -> Response:
        """Send a failed command to the provider again. Answers 409 if none failed."""
        self.refuse_body()
        campaign = self.get_object()
        try:
            try_again(campaign)
        except NothingFailed as refusal:
            raise Conflict(str(refusal)) from None
        return self.answer_with(campaign, status=202)


class EventSerializer(StrictSerializer):
    id = id_field()
    event_type = StrictChoiceField(AGENCY_EVENTS, read_only=True)
    payload = serializers.DictField(read_only=True, help_text="The body that agencies receive.")
    subject = StrictCharField(read_only=True, help_text="The id of what it is about.")
    occurred_at = UTCDateTimeField(read_only=True)
    created_at = UTCDateTimeField(read_only=True)


class EventFilters(StrictFilterSet):
    event_type = StrictChoiceFilter(AGENCY_EVENTS)
    subject = TextFilter()


@extend_schema(tags=["events"])
class EventViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """What happened, as agencies receive it."""

    serializer_class = EventSerializer
    filterset_class = EventFilters

    def get_queryset(self) -> QuerySet[Event]:
        # Copies of an event for one person.
        mailed = (EventType.REAUTH_REQUESTED, EventType.LEAD_DUE_SOON, EventType.LEAD_OVERDUE)
        return self.agency.events.exclude(
            Q(event_type__in=mailed) & ~Q(recipient="") | Q(event_type__in=PERSONAL_EVENTS)
        )
