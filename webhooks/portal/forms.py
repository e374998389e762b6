"""Define the forms of the page about sources. `accounts.sources.service` validates further."""

from typing import Any

from django import forms

from accounts.core.enums import PROVIDERS, ProviderSlug

MADE_BY_PROVIDER = "Only if the provider gave you one. Leave it empty, and we make one where the provider allows it."
NO_AUTOCOMPLETE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class SourceForm(forms.Form):
    provider = forms.ChoiceField(choices=[(slug.value, name) for slug, name in PROVIDERS.items()])
    name = forms.CharField(
        required=False, max_length=200, help_text="To tell it from other sources, such as “Sales team”."
    )
    secret = forms.CharField(
        required=False,
        max_length=256,
        strip=False,
        help_text=MADE_BY_PROVIDER + " LinkedIn's is the app's client secret.",
        widget=forms.TextInput(NO_AUTOCOMPLETE),
    )

    def values(self) -> dict[str, Any]:
        return {**self.cleaned_data, "secret": self.cleaned_data["secret"] or None}


class RenameForm(forms.Form):
    name = forms.CharField(required=False, max_length=200)


class RotationForm(forms.Form):
    secret = forms.CharField(
        required=False,
        max_length=256,
        strip=False,
        label="New secret",
        widget=forms.TextInput(NO_AUTOCOMPLETE),
    )

    def __init__(self, *args: Any, provider: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = provider in {ProviderSlug.LINKEDIN, ProviderSlug.HIGHLEVEL}
        self.fields["secret"].required = given
        self.fields["secret"].help_text = "The provider makes it: paste it here." if given else MADE_BY_PROVIDER
