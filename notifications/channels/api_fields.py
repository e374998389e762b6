"""How the API shows and reads a channel, by its kind. What the values may be is checked by `channels`."""

from typing import Any

from rest_framework import serializers

from accounts.core.enums import AGENCY_EVENTS
from accounts.core.masking import MASK, mask_url
from accounts.web.rest.auth import may_see_secrets
from accounts.web.rest.fields import (
    EmailAddress,
    Number,
    StrictBooleanField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
    Text,
    identity,
)
from leads.enums import LeadStatus
from notifications.channels.rules import MAX_CONFLATION_SECONDS
from notifications.models import Channel, ChannelKind, ChannelStatus, Mode
from notifications.policy.quiet_hours import WEEK


class QuietHoursSerializer(StrictSerializer):
    start = Text(required=True, max_length=5, help_text="Such as 22:00.")
    end = Text(required=True, max_length=5)


class Headers(serializers.DictField):
    """None are shown of a channel that cannot be decrypted, and no values to a key below `admin`."""

    def to_representation(self, value: Any) -> Any:
        headers = super().to_representation(value or {})
        return headers if may_see_secrets(self.context.get("request")) else dict.fromkeys(headers, MASK)


class TargetURL(Text):
    """Its path may be what lets somebody post: a key below `admin` is shown the host."""

    def to_representation(self, value: Any) -> Any:
        url = super().to_representation(value)
        return url if not url or may_see_secrets(self.context.get("request")) else mask_url(url)


class BaseChannelSerializer(StrictSerializer):
    id = identity()
    kind = StrictChoiceField(ChannelKind)
    name = Text(max_length=200)
    event_types = serializers.ListField(
        child=StrictChoiceField(AGENCY_EVENTS), max_length=100, required=False, help_text="Empty: all."
    )
    locations = serializers.ListField(
        child=Text(required=True, max_length=100), max_length=1000, required=False, help_text="Empty: all."
    )
    lead_statuses = serializers.ListField(
        child=StrictChoiceField(LeadStatus),
        max_length=100,
        required=False,
        help_text="Of leads, only changes to these; empty: all.",
    )
    creation_locales = serializers.ListField(
        child=Text(required=True, max_length=16),
        max_length=100,
        required=False,
        help_text="Of leads, only those of forms in these languages, such as `en_US`; empty: all.",
    )
    test_events = StrictBooleanField(required=False, help_text="Also what happens to test leads.")
    status = StrictChoiceField(ChannelStatus, read_only=True)
    disabled_reason = Text(read_only=True)


class PeoplesChannelSerializer(BaseChannelSerializer):
    """When people get what they hear of."""

    mode = StrictChoiceField(Mode, required=False)
    digest_at = Text(
        max_length=5, allow_null=False, help_text="When a daily summary goes out, on a clock in the time zone: 08:00."
    )
    quiet_hours = QuietHoursSerializer(required=False, allow_null=True)
    working_days = serializers.ListField(
        child=StrictChoiceField(WEEK), max_length=100, required=False, help_text="Empty: all."
    )
    timezone = Text(max_length=64, help_text="Null: the agency's.")
    conflation_seconds = StrictIntegerField(
        min_value=0,
        max_value=MAX_CONFLATION_SECONDS,
        required=False,
        help_text="Changes of one lead within this time are one message.",
    )
    urgent_event_types = serializers.ListField(
        child=StrictChoiceField(AGENCY_EVENTS),
        max_length=100,
        required=False,
        help_text="These wait for no digest and no quiet hours, as `linkedin_blocked` and `lead_opportunity` never do.",
    )


class EmailChannelSerializer(PeoplesChannelSerializer):
    kind = StrictChoiceField([ChannelKind.EMAIL.value])
    email = EmailAddress(max_length=254, required=True)


class SlackChannelSerializer(PeoplesChannelSerializer):
    kind = StrictChoiceField([ChannelKind.SLACK.value])
    url = TargetURL(max_length=2000, required=True, help_text="Below the scope `admin` only its host.")


class WebhookChannelSerializer(BaseChannelSerializer):
    kind = StrictChoiceField([ChannelKind.WEBHOOK.value])
    url = TargetURL(max_length=2000, required=True, help_text="Below the scope `admin` only its host.")
    headers = Headers(
        child=Text(required=True, max_length=1000),
        required=False,
        help_text="Masked below the scope `admin`.",
    )
    rate_per_second = Number(required=False, allow_null=True, help_text="null: no limit.")


class Changes(BaseChannelSerializer):
    """What a PATCH may say besides: on or off. The kind is fixed."""

    kind = StrictChoiceField(ChannelKind, read_only=True)
    status = StrictChoiceField([ChannelStatus.ENABLED.value, ChannelStatus.DISABLED.value], required=False)


class EmailChannelChangesSerializer(Changes, EmailChannelSerializer):
    pass


class SlackChannelChangesSerializer(Changes, SlackChannelSerializer):
    pass


class WebhookChannelChangesSerializer(Changes, WebhookChannelSerializer):
    pass


class WebhookChannelWithSecretSerializer(WebhookChannelSerializer):
    """A webhook channel in the answer that makes its secret."""

    secret = Text(read_only=True, help_text="`whsec_` and base64. No other answer shows it.")


class ChannelChangesSerializer(Changes):
    """What may be changed of a channel; which of it, its kind says."""

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
    """Shows each channel in the shape of its kind."""

    def to_representation(self, instance: Channel) -> Any:
        return SHAPES[instance.kind](context=self.context).to_representation(instance)
