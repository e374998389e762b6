"""Serialize and validate a lead, its references and its history."""

import re
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.core.enums import ProviderSlug
from accounts.models import Member
from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictEmailField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead

REACHABLE_BY = ("linkedin_url", "email", "phone")
_WEB_ADDRESS = re.compile(r"(https?://)?[^\s:/?#@\\.]+(\.[^\s:/?#@\\.]+)+(:[0-9]+)?([/?#][^\s\\]*)?", re.IGNORECASE)


def web_address(value: str) -> None:
    """Raise ValidationError unless `value` could be the address of a page, with or without its scheme."""
    if not _WEB_ADDRESS.fullmatch(value):
        raise serializers.ValidationError("Give the address of a LinkedIn page.")


class Assignee(AgencyRelatedField):
    """Accept and show a member of the agency. The lead's row refers to the member's user."""

    def get_attribute(self, instance: Lead) -> str | None:
        members: list[Member] = instance.assigned_to.members_here if instance.assigned_to else []  # type: ignore[attr-defined]
        return members[0].id if members else None

    def to_internal_value(self, data: Any) -> Any:
        member = super().to_internal_value(data)
        assert isinstance(member, Member)  # noqa: S101 (the relation's model)
        return member.user


class LeadReferenceSerializer(StrictSerializer):
    provider = StrictChoiceField(ProviderSlug, read_only=True)
    source = StrictCharField(source="source_id", read_only=True)  # type: ignore[assignment]
    external_id = StrictCharField(read_only=True, allow_null=False)
    campaign = StrictCharField(source="campaign_id", read_only=True)
    status = StrictChoiceField(LeadStatus, read_only=True)
    status_since = UTCDateTimeField(read_only=True)


class AnswerSerializer(StrictSerializer):
    question_id = StrictCharField(read_only=True)
    predefined_field = StrictCharField(read_only=True)
    label = StrictCharField(read_only=True)  # type: ignore[assignment]
    value = serializers.JSONField(read_only=True)


class LeadSerializer(StrictSerializer):
    id = id_field()
    name = StrictCharField(max_length=400)
    first_name = StrictCharField(max_length=200)
    last_name = StrictCharField(max_length=200)
    email = StrictEmailField(max_length=254)
    phone = StrictCharField(max_length=50)
    phone_e164 = StrictCharField(read_only=True)
    title = StrictCharField(max_length=300)
    company = StrictCharField(max_length=300)
    company_size = StrictCharField(read_only=True)
    industry = StrictCharField(read_only=True)
    country = StrictCharField(read_only=True)
    state = StrictCharField(read_only=True)
    postal_code = StrictCharField(read_only=True)
    linkedin_url = StrictCharField(max_length=500, validators=[web_address])
    location = StrictCharField(max_length=300)
    references = LeadReferenceSerializer(many=True, read_only=True)
    answers = AnswerSerializer(many=True, read_only=True)
    consents = serializers.ListField(child=serializers.JSONField(), read_only=True)
    hidden_fields = serializers.ListField(child=serializers.JSONField(), read_only=True)
    details_pending = StrictBooleanField(read_only=True)
    source = StrictCharField(source="source_id", read_only=True)  # type: ignore[assignment]
    lead_type = StrictCharField(read_only=True)
    form = StrictCharField(read_only=True)
    owner = StrictCharField(read_only=True)
    associated_entity = StrictCharField(read_only=True)
    campaign = AgencyRelatedField("campaigns", noun="campaign")
    account = AgencyRelatedField("accounts", noun="account")
    status = StrictChoiceField(LeadStatus, required=False)
    status_label = StrictCharField(read_only=True, allow_null=False)
    status_since = UTCDateTimeField(read_only=True)
    score = serializers.IntegerField(read_only=True, allow_null=True)
    priority = StrictCharField(max_length=16)
    assigned_to = Assignee("members", noun="member")
    tags = serializers.ListField(child=StrictCharField(max_length=100, required=True), max_length=100, required=False)
    is_test = StrictBooleanField(read_only=True)
    received_at = UTCDateTimeField(read_only=True)
    first_response_at = UTCDateTimeField(read_only=True, allow_null=True)
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)

    def validate_tags(self, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(tags))

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not any(values.get(name) for name in REACHABLE_BY):
            raise ValidationError(f"A lead needs one of {', '.join(REACHABLE_BY)}.")
        return values


class ShownLeadSerializer(LeadSerializer):
    merged_from = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Ids of the leads that were merged into this one, which go on answering; absent if there are none.",
    )


class OtherLeadSerializer(StrictSerializer):
    other = serializers.CharField(max_length=40, help_text="Id of the lead that is the same person.")


class MergedRecordSerializer(StrictSerializer):
    record = serializers.CharField(max_length=40, help_text="An id of `merged_from`.")


class ChangedLeadSerializer(LeadSerializer):
    note = serializers.CharField(
        write_only=True, required=False, max_length=500, help_text="For the history; comes with `status`."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "note" in values and "status" not in values:
            raise ValidationError({"note": "A note says why the status changes: send `status` with it."})
        return values


class LeadChangeSerializer(StrictSerializer):
    previous_status = StrictChoiceField(LeadStatus, read_only=True, allow_null=True)
    new_status = StrictChoiceField(LeadStatus, read_only=True)
    changed_by = StrictChoiceField(ChangedBy, read_only=True)
    occurred_at = UTCDateTimeField(read_only=True)
    receipt_id = StrictCharField(read_only=True)
    applied = StrictBooleanField(read_only=True)
    note = StrictCharField(read_only=True)
