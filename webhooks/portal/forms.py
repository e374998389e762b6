"""Define the forms of the pages about sources. `accounts.sources.service` validates further."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import PROVIDERS, ProviderSlug
from accounts.core.networks import parse_network
from accounts.models import Source
from webhooks.portal.guides import GUIDES, Guide, Secret
from webhooks.samples import sample_names

NO_AUTOCOMPLETE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
MAX_NETWORKS = 100


class SourceForm(forms.Form):
    """A new source. Its secret is asked for only where it exists before the source does."""

    provider = forms.ChoiceField(choices=[(slug.value, name) for slug, name in PROVIDERS.items()])
    name = forms.CharField(
        required=False,
        max_length=200,
        label=_("Name"),
        help_text=_("To tell it from other sources, such as “Sales team”."),
    )
    secret = forms.CharField(required=False, max_length=256, strip=False, widget=forms.TextInput(NO_AUTOCOMPLETE))

    def __init__(self, *args: Any, provider: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        slug = provider or self.data.get("provider", "")
        self.guide = GUIDES[ProviderSlug(slug)] if slug in set(ProviderSlug) else None
        self.fields["secret"].label = self.guide.secret_name if self.guide else _("Secret")
        self.fields["secret"].required = bool(self.guide and self.guide.secret is Secret.APP)
        self.fields["secret"].error_messages["required"] = gettext("Paste the client secret of your LinkedIn app.")

    def values(self) -> dict[str, Any]:
        follows = bool(self.guide and self.guide.secret is Secret.THEIRS)
        return {**self.cleaned_data, "secret": self.cleaned_data["secret"] or None, "secret_follows": follows}


class RenameForm(forms.Form):
    name = forms.CharField(required=False, max_length=200, label=_("Name"))


class SecretForm(forms.Form):
    """The secret that the provider made."""

    secret = forms.CharField(max_length=256, strip=False, widget=forms.TextInput(NO_AUTOCOMPLETE))

    def __init__(self, *args: Any, guide: Guide, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"].label = guide.secret_name


class RotationForm(forms.Form):
    secret = forms.CharField(
        required=False,
        max_length=256,
        strip=False,
        label=_("New secret"),
        widget=forms.TextInput(NO_AUTOCOMPLETE),
    )

    def __init__(self, *args: Any, provider: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = provider in {ProviderSlug.LINKEDIN, ProviderSlug.HIGHLEVEL}
        self.fields["secret"].required = given
        self.fields["secret"].help_text = (
            _("The provider makes it: paste it here.")
            if given
            else _("Paste the provider's new secret. Left empty, Leadline makes one where the provider takes ours.")
        )


class CredentialsForm(forms.Form):
    """Keys of a provider's API: what is stored is never shown, only when it was set."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = source.readable_credentials
        for credential in GUIDES[ProviderSlug(source.provider)].credentials:
            self.fields[credential.name] = forms.CharField(
                required=False,
                max_length=500,
                label=credential.label,
                widget=forms.PasswordInput({**NO_AUTOCOMPLETE, "autocomplete": "new-password"}),
                help_text=_("Left empty, what is stored stays.") if stored.get(credential.name) else "",
            )

    def given(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if value}


class NetworksForm(forms.Form):
    networks = forms.CharField(
        required=False,
        max_length=6000,
        label=_("Allowed networks"),
        widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
        help_text=_("Networks such as 203.0.113.0/24, one a line. Empty: requests may come from everywhere."),
    )

    def clean_networks(self) -> list[str]:
        networks: list[str] = self.cleaned_data["networks"].replace(",", " ").split()
        for text in networks:
            if parse_network(text) is None:
                raise forms.ValidationError(
                    gettext("%(text)s is not a network such as 203.0.113.0/24."), params={"text": text[:50]}
                )
        if len(networks) > MAX_NETWORKS:
            raise forms.ValidationError(gettext("At most %(count)d networks."), params={"count": MAX_NETWORKS})
        return networks


class SampleForm(forms.Form):
    sample = forms.ChoiceField(label=_("Sample"))

    def __init__(self, *args: Any, provider: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["sample"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 (declared above)
        choice.choices = [(name, name.replace("_", " ")) for name in sample_names(provider)]
