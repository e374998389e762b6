"""Define the form that changes a lead's status in the portal."""

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.labels import STATUSES


class StatusForm(forms.Form):
    status = forms.ChoiceField(
        choices=[(status.value, label.words) for status, label in STATUSES.items()], label=_("New status")
    )
    note = forms.CharField(required=False, max_length=500, label=_("Note"))
