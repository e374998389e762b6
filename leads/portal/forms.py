"""Define the forms of the portal's pages about leads."""

from typing import Any

from django import forms

from accounts.models import Agency
from leads.enums import LeadStatus

STATUSES = [(status.value, status.label) for status in LeadStatus]
MAX_CAMPAIGNS = 300


class LeadFilter(forms.Form):
    status = forms.ChoiceField(required=False, choices=[("", "All"), *STATUSES])
    campaign = forms.ChoiceField(required=False)
    q = forms.CharField(
        required=False,
        max_length=500,
        label="Name, e-mail, company, title, URL or ID",
    )

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = agency.campaigns.order_by("-id")[:MAX_CAMPAIGNS]
        campaign = self.fields["campaign"]
        assert isinstance(campaign, forms.ChoiceField)  # noqa: S101 (declared above)
        campaign.choices = [("", "All"), *((one.pk, str(one)) for one in newest)]


class StatusForm(forms.Form):
    status = forms.ChoiceField(choices=STATUSES, label="New status")
    note = forms.CharField(
        required=False,
        max_length=500,
        label="Note",
        widget=forms.Textarea({"rows": 2}),
    )
