"""Serve `/api/v1/members`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.enums import Role
from accounts.models import Member
from accounts.tenancy.member_alerts import alerts_of
from accounts.tenancy.members import MAX_NAME_LENGTH, update_member
from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.views import AgencyViewSet


class AlertsSerializer(StrictSerializer):
    """What a member is mailed about their own leads."""

    assigned = StrictBooleanField(required=False, help_text="A lead was assigned to them.")
    due_soon = StrictBooleanField(required=False, help_text="A lead of theirs is to be answered soon.")
    digest = StrictBooleanField(required=False, help_text="Their leads and tasks, once a day.")
    working_hours = StrictBooleanField(required=False, help_text="Mails wait for their working hours.")


class MemberAlerts(AlertsSerializer):
    def get_attribute(self, instance: Member) -> dict[str, bool]:
        return alerts_of(instance)


class MemberName(serializers.CharField):
    """The name of the member's user."""

    def get_attribute(self, instance: Member) -> str:
        return instance.user.get_full_name() or instance.user.get_username()


class MemberSerializer(StrictSerializer):
    id = id_field()
    name = MemberName(max_length=MAX_NAME_LENGTH, required=False)
    email = StrictCharField(source="user.email", read_only=True)
    role = StrictChoiceField(Role, read_only=True)
    calendar = AgencyRelatedField("calendars", noun="calendar")
    paused_until = UTCDateTimeField(required=False, allow_null=True, help_text="They get no new leads until then.")
    alerts = MemberAlerts(required=False)
    last_seen_at = UTCDateTimeField(source="user.last_login", read_only=True, allow_null=True)


@extend_schema(tags=["members"])
class MemberViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """People of the agency. Their roles are changed on the portal's page of the team."""

    serializer_class = MemberSerializer

    def get_queryset(self) -> QuerySet[Member]:
        return self.agency.members.select_related("user", "agency")

    @extend_schema(request=MemberSerializer, responses=MemberSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a member's name, calendar, pause or alerts; alerts that are not named stay."""
        member = self.get_object()
        return self.answer_with(update_member(member, by=self.key, **self.validated_data(partial=True)))
