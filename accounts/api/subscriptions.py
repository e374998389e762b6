"""Define the API field for the leads that a `linkedin` source subscribes to."""

import re
from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from accounts.web.rest.fields import StrictCharField, StrictChoiceField, StrictSerializer

LEAD_TYPES = ("SPONSORED", "EVENT", "COMPANY", "ORGANIZATION_PRODUCT")
_OWNER = re.compile(r"urn:li:(sponsoredAccount|organization):[0-9]{1,24}")
_FORM = re.compile(r"urn:li:versionedLeadGenForm:\(urn:li:leadGenForm:[0-9]{1,24},[0-9]{1,10}\)")
_ENTITY = re.compile(r"urn:li:(event|sponsoredCreative|organization|organizationBrand|organizationProduct):[\w-]{1,64}")


def _matches(pattern: re.Pattern[str], example: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value and not pattern.fullmatch(value):
            raise serializers.ValidationError(f"Give a URN such as {example}.")

    return check


class SubscriptionSerializer(StrictSerializer):
    """A subscription to leads of one owner, type, form or entity."""

    owner = StrictCharField(
        required=True, max_length=200, validators=[_matches(_OWNER, "urn:li:sponsoredAccount:123")],
        help_text="Whose leads: an ad account or a page.",
    )  # fmt: skip
    lead_type = StrictChoiceField(LEAD_TYPES)
    form = StrictCharField(
        max_length=200,
        validators=[_matches(_FORM, "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:818,1)")],
        help_text="Only this version of one form.",
    )
    entity = StrictCharField(
        max_length=200, validators=[_matches(_ENTITY, "urn:li:event:123")], help_text="Only one event, ad or page."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        sponsored = values["owner"].startswith("urn:li:sponsoredAccount:")
        if sponsored != (values["lead_type"] == "SPONSORED"):
            raise serializers.ValidationError(
                {"owner": "SPONSORED leads belong to an ad account, all others to a page (organization)."}
            )
        return values
