"""How the API shows and reads a channel, by its kind. What the values may be is checked by `channels`."""

from typing import Any

from rest_framework import serializers

from accounts.api.fields import Email, Number, StrictSerializer, Text, Word, identity
from accounts.vocabulary import AGENCY_EVENTS
from notifications.models import Channel, ChannelKind, ChannelStatus

MODES = ("instant", "hourly", "daily")


class QuietHoursSerializer(StrictSerializer):
    start = Text(required=True, max_length=5, help_text="Such as 22:00.")
    end = Text(required=True, max_length=5)


class BaseChannelSerializer(StrictSerializer):
    id = identity()
    kind = Word(ChannelKind)
    name = Text(max_length=200)
    event_types = serializers.ListField(
        child=Word(AGENCY_EVENTS), max_length=100, required=False, help_text="Empty: all."
    )
    locations = serializers.ListField(
        child=Text(required=True, max_length=100), max_length=1000, required=False, help_text="Empty: all."
    )
    status = Word(ChannelStatus, read_only=True)
    disabled_reason = Text(read_only=True)


class EmailChannelSerializer(BaseChannelSerializer):
    email = Email(max_length=254, required=True)
    mode = Word(MODES, required=False)
    quiet_hours = QuietHoursSerializer(required=False, allow_null=True)
    timezone = Text(max_length=64)


class SlackChannelSerializer(BaseChannelSerializer):
    url = Text(max_length=2000, required=True)


class WebhookChannelSerializer(BaseChannelSerializer):
    url = Text(max_length=2000, required=True)
    headers = serializers.DictField(child=Text(required=True, max_length=1000), required=False)
    rate_per_second = Number(required=False, allow_null=True, help_text="null: no limit.")


class Changes(BaseChannelSerializer):
    """What a PATCH may say besides: on or off. The kind is fixed."""

    kind = Word(ChannelKind, read_only=True)
    status = Word([ChannelStatus.ENABLED.value, ChannelStatus.DISABLED.value], required=False)


class EmailChannelChangesSerializer(Changes, EmailChannelSerializer):
    pass


class SlackChannelChangesSerializer(Changes, SlackChannelSerializer):
    pass


class WebhookChannelChangesSerializer(Changes, WebhookChannelSerializer):
    pass


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
