"""Serialize who had a lead and why, and read to whom it is to go."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    UTCDateTimeField,
)
from leads.enums import AssignmentReason, PassedOver
from leads.models import Assignment
from leads.routing.explanations import why_assigned


class PassedOverSerializer(StrictSerializer):
    member = serializers.CharField(read_only=True)
    why = StrictChoiceField(PassedOver, read_only=True)


class AssignmentSerializer(StrictSerializer):
    member = StrictCharField(source="member_id", read_only=True, help_text="Null: nobody, or somebody who left.")
    pool = StrictCharField(source="pool_id", read_only=True)
    rule = StrictCharField(read_only=True)
    version = serializers.IntegerField(read_only=True, allow_null=True, help_text="Version of the routing rules.")
    reason = StrictChoiceField(AssignmentReason, read_only=True)
    sentence = serializers.SerializerMethodField(help_text="The reason in words.")
    passed_over = PassedOverSerializer(many=True, read_only=True)
    is_returned = StrictBooleanField(read_only=True, help_text="Given back so soon that the turn was given back too.")
    at = UTCDateTimeField(read_only=True)
    ended_at = UTCDateTimeField(read_only=True, allow_null=True)

    def get_sentence(self, row: Assignment) -> str:
        return why_assigned(row, by=row.by.get_full_name() or row.by.get_username() if row.by else "")


class AssignSerializer(StrictSerializer):
    """To whom a lead is to go: a member, or a pool, which deals it."""

    member = AgencyRelatedField("members", noun="member")
    pool = AgencyRelatedField("pools", noun="pool")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if (values.get("member") is None) == (values.get("pool") is None):
            raise ValidationError("Give either `member` or `pool`.")
        return values
