"""Define the forms by which a person sends a channel's events again, and sends it a test."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import EventType
from notifications.channels.service import EXAMPLES
from notifications.labels import (
    event_groups,
)
from notifications.models import DeliveryStatus

DATETIME_INPUT = {"type": "datetime-local"}


class ReplayForm(forms.Form):
    since = forms.DateTimeField(label=_("From"), widget=forms.DateTimeInput(DATETIME_INPUT, format="%Y-%m-%dT%H:%M"))
    until = forms.DateTimeField(
        required=False, label=_("To (empty: now)"), widget=forms.DateTimeInput(DATETIME_INPUT, format="%Y-%m-%dT%H:%M")
    )
    status = forms.ChoiceField(
        required=False,
        label=_("Deliveries"),
        choices=[
            (DeliveryStatus.FAILED.value, _("failed only")),
            (DeliveryStatus.CANCELLED.value, _("cancelled only")),
            ("", _("all, including missed events")),
        ],
    )


class TestForm(forms.Form):
    """Choose the example that a test sends."""

    example = forms.ChoiceField(required=False, label=_("Another event"), initial=EventType.TEST.value)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [
            (group.title, [(kind.name, kind.title) for kind in group.kinds if kind.name in EXAMPLES])
            for group in event_groups(chosen_only=False)
        ]
        field = self.fields["example"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = groups
