"""Validate what people type on the pages of a LinkedIn connection."""

from django import forms
from django.utils.translation import gettext_lazy as _


class OwnerForm(forms.Form):
    """The owner whose leads LinkedIn is to notify us of."""

    owner = forms.RegexField(
        r"\A([0-9]{1,24}|urn:li:(sponsoredAccount|organization):[0-9]{1,24})\Z",
        max_length=60,
        label=_("Account or page ID"),
        error_messages={"invalid": "Give the number as it stands in the address of Campaign Manager or of the page."},
        help_text=_("As in the address of Campaign Manager, or of the page's admin view."),
    )
    lead_type = forms.ChoiceField(
        label=_("Leads of"),
        choices=[
            ("SPONSORED", "ads: give an ad account"),
            ("EVENT", "events: give a page"),
            ("ORGANIZATION_PRODUCT", "product pages: give a page"),
            ("COMPANY", "a page's own old forms: give a page"),
        ],
    )

    def wanted(self) -> dict[str, str]:
        lead_type, number = self.cleaned_data["lead_type"], self.cleaned_data["owner"].rpartition(":")[2]
        kind = "sponsoredAccount" if lead_type == "SPONSORED" else "organization"
        return {"owner": f"urn:li:{kind}:{number}", "lead_type": lead_type}


class AppForm(forms.Form):
    client_id = forms.CharField(
        max_length=100, label=_("Client ID"), help_text=_("From the Developer Portal, under Auth.")
    )
