"""Serialize and validate a channel by its kind. `notifications.channels` checks the values."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.core.enums import AGENCY_EVENTS
from accounts.core.masking import MASK, mask_url
from accounts.web.rest.auth import may_see_secrets
from accounts.web.rest.fields import (
    EmailAddressField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictFloatField,
    StrictIntegerField,
    StrictSerializer,
    id_field,
)
from leads.conditions.target_lists import sentence_for
from leads.enums import LeadStatus
from notifications.channels.fields import FIELDS, fields_of
from notifications.channels.rules import MAX_CONFLATION_SECONDS
from notifications.models import Channel, ChannelKind, ChannelStatus, Mode
from notifications.policy.quiet_hours import WEEK


class QuietHoursSerializer(StrictSerializer):
    start = StrictCharField(required=True, max_length=5, help_text="Such as 22:00.")
    end = StrictCharField(required=True, max_length=5)


class Headers(serializers.DictField):
    """Show no headers that cannot be decrypted, and mask values for keys below `admin`."""

    def to_representation(self, value: Any) -> Any:
        headers = super().to_representation(value or {})
        return headers if may_see_secrets(self.context.get("request")) else dict.fromkeys(headers, MASK)


class TargetURL(StrictCharField):
    """Mask the path, which may be a secret, for keys below `admin`."""

    def to_representation(self, value: Any) -> Any:
        url = super().to_representation(value)
        return url if not url or may_see_secrets(self.context.get("request")) else mask_url(url)


def purpose(name: str) -> str:
    return FIELDS[name].purpose


# Has the fields of all kinds; a subclass shows those of its kind. (The API's description would repeat a docstring.)
class BaseChannelSerializer(StrictSerializer):
    of_kind: ClassVar[ChannelKind]
    id = id_field()
    kind = StrictChoiceField(ChannelKind)
    name = StrictCharField(max_length=200)
    event_types = serializers.ListField(
        child=StrictChoiceField(AGENCY_EVENTS), max_length=100, required=False, help_text=purpose("event_types")
    )
    locations = serializers.ListField(
        child=StrictCharField(required=True, max_length=100),
        max_length=1000,
        required=False,
        help_text=purpose("locations"),
    )
    lead_statuses = serializers.ListField(
        child=StrictChoiceField(LeadStatus), max_length=100, required=False, help_text=purpose("lead_statuses")
    )
    creation_locales = serializers.ListField(
        child=StrictCharField(required=True, max_length=16),
        max_length=100,
        required=False,
        help_text=purpose("creation_locales"),
    )
    conditions = serializers.JSONField(required=False, help_text=purpose("conditions"))
    sentence = serializers.SerializerMethodField(help_text="The conditions in words.")
    test_events = StrictBooleanField(required=False, help_text=purpose("test_events"))
    status = StrictChoiceField(ChannelStatus, read_only=True)
    disabled_reason = StrictCharField(read_only=True)
    mode = StrictChoiceField(Mode, required=False)
    digest_at = StrictCharField(max_length=5, allow_null=False, help_text=purpose("digest_at"))
    quiet_hours = QuietHoursSerializer(required=False, allow_null=True)
    working_days = serializers.ListField(
        child=StrictChoiceField(WEEK), max_length=100, required=False, help_text=purpose("working_days")
    )
    timezone = StrictCharField(max_length=64, help_text=purpose("timezone"))
    conflation_seconds = StrictIntegerField(
        min_value=0, max_value=MAX_CONFLATION_SECONDS, required=False, help_text=purpose("conflation_seconds")
    )
    urgent_event_types = serializers.ListField(
        child=StrictChoiceField(AGENCY_EVENTS),
        max_length=100,
        required=False,
        help_text=purpose("urgent_event_types"),
    )
    email = EmailAddressField(max_length=254, required=True)
    url = TargetURL(max_length=2000, required=True, help_text=purpose("url"))
    headers = Headers(
        child=StrictCharField(required=True, max_length=1000), required=False, help_text=purpose("headers")
    )
    rate_per_second = StrictFloatField(required=False, allow_null=True, help_text=purpose("rate_per_second"))

    def get_sentence(self, channel: Channel) -> str:
        return sentence_for(channel.agency, channel.conditions)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields() | {"kind": StrictChoiceField([self.of_kind.value])}
        return {name: fields[name] for name in fields_of(self.of_kind, fields)}


class EmailChannelSerializer(BaseChannelSerializer):
    """Show an e-mail channel, with the timing of its messages."""

    of_kind = ChannelKind.EMAIL


class SlackChannelSerializer(BaseChannelSerializer):
    """Show a Slack channel, with the timing of its messages."""

    of_kind = ChannelKind.SLACK


class WebhookChannelSerializer(BaseChannelSerializer):
    of_kind = ChannelKind.WEBHOOK


class Changes(BaseChannelSerializer):
    """Accept a change of a channel, also of its status. The kind is fixed."""

    status = StrictChoiceField([ChannelStatus.ENABLED.value, ChannelStatus.DISABLED.value], required=False)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"kind": StrictChoiceField(ChannelKind, read_only=True)}


class EmailChannelChangesSerializer(Changes):
    of_kind = ChannelKind.EMAIL


class SlackChannelChangesSerializer(Changes):
    of_kind = ChannelKind.SLACK


class WebhookChannelChangesSerializer(Changes):
    of_kind = ChannelKind.WEBHOOK


class WebhookChannelWithSecretSerializer(WebhookChannelSerializer):
    """Show a webhook channel in the response that creates its secret."""

    secret = StrictCharField(read_only=True, help_text="`whsec_` and base64. No other answer shows it.")


class ChannelChangesSerializer(Changes):
    """Accept changes of a channel's fields. Which fields it has depends on its kind."""

    def get_fields(self) -> dict[str, Any]:
        fields = {name: field for shape in CHANGES.values() for name, field in shape().get_fields().items()}
        for field in fields.values():
            field.required = False
        return fields


SHAPES: dict[str, type[BaseChannelSerializer]] = {
    ChannelKind.EMAIL.value: EmailChannelSerializer,
    ChannelKind.WEBHOOK.value: WebhookChannelSerializer,
    ChannelKind.SLACK.value: SlackChannelSerializer,
}
CHANGES: dict[str, type[BaseChannelSerializer]] = {
    ChannelKind.EMAIL.value: EmailChannelChangesSerializer,
    ChannelKind.WEBHOOK.value: WebhookChannelChangesSerializer,
    ChannelKind.SLACK.value: SlackChannelChangesSerializer,
}


class ChannelSerializer(StrictSerializer):
    """Show each channel with the fields of its kind."""

    def to_representation(self, instance: Channel) -> Any:
        return SHAPES[instance.kind](context=self.context).to_representation(instance)
