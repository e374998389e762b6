"""Define the filters of the delivery log."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Agency
from accounts.web.portal.widgets import LongSelect
from notifications.labels import event_groups
from notifications.portal.sending_forms import DATETIME_INPUT
from notifications.portal.states import STATES

MAX_CHANNELS = 200


class LogFilter(forms.Form):
    channel = forms.ChoiceField(required=False, label=_("Channel"), widget=LongSelect)
    status = forms.ChoiceField(required=False, choices=[("", ""), *((name, name) for name in STATES)])  # the tabs
    event_type = forms.ChoiceField(required=False, label=_("Event"), widget=LongSelect)
    since = forms.DateTimeField(required=False, label=_("From"), widget=forms.DateTimeInput(DATETIME_INPUT))
    until = forms.DateTimeField(required=False, label=_("To"), widget=forms.DateTimeInput(DATETIME_INPUT))
    q = forms.CharField(required=False, max_length=254, label=_("Address or ID"))

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channels = agency.channels.defer("url", "headers").order_by("kind", "name")[:MAX_CHANNELS]
        kinds = [
            (group.title, [(one.name, one.title) for one in group.kinds]) for group in event_groups(chosen_only=False)
        ]
        for name, choices in (("channel", [(one.pk, str(one)) for one in channels]), ("event_type", kinds)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
            field.choices = [("", _("All")), *choices]
