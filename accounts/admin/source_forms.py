"""Define the forms with which staff create and change a source. Keys of a provider's API are write-only."""

from typing import Any

from django import forms

from accounts.core.networks import parse_network
from accounts.models import Source
from accounts.sources.service import create_source, update_source
from accounts.web.backoffice.forms import ServiceForm

SETTINGS = (
    "name",
    "enabled",
    "approved_frame_host",
    "update_frame_url",
    "pin_endpoint",
    "proxy_location",
    "reauth_url",
)
KEYS = ("api_key", "api_secret", "domain_host_name", "client_id")


class NewSourceForm(ServiceForm):
    secret = forms.CharField(
        required=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="The one that the provider gave you. Left empty, one is made where the provider lets us choose it.",
    )
    location_id = forms.CharField(required=False, max_length=100, help_text="Only for a source of one location.")

    class Meta:
        model = Source
        fields = ("agency", "provider", "name", "secret", "location_id")

    def apply(self) -> Source:
        source, secret = create_source(
            agency=self.cleaned_data["agency"],
            provider=self.cleaned_data["provider"],
            name=self.cleaned_data["name"],
            secret=self.cleaned_data["secret"] or None,
            location_id=self.cleaned_data["location_id"],
            by=self.by,
        )
        new_secrets = {"Webhook URL": source.webhook_url} | ({"Secret": secret} if secret else {})
        source._new_secrets = {"title": f"{source} is ready", "secrets": new_secrets}  # type: ignore[attr-defined]
        return source


def _key() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Not shown again. Left empty, what is stored stays.",
    )


class SourceForm(ServiceForm):
    allowed_networks = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Networks such as 203.0.113.0/24, one a line. Empty: it may be called from everywhere.",
    )
    api_key = _key()
    api_secret = _key()
    domain_host_name = _key()
    client_id = _key()
    forget_keys = forms.BooleanField(required=False, label="Forget all keys to the API")

    class Meta:
        model = Source
        fields = SETTINGS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["allowed_networks"] = "\n".join(self.instance.allowed_networks or [])

    def clean_allowed_networks(self) -> list[str]:
        networks: list[str] = self.cleaned_data["allowed_networks"].replace(",", " ").split()
        for text in networks:
            if parse_network(text) is None:
                raise forms.ValidationError(f"{text[:50]} is not a network such as 203.0.113.0/24.")
        return networks

    def apply(self) -> Source:
        changes = self.changes
        given = {name: self.cleaned_data[name] for name in KEYS if self.cleaned_data[name]}
        forgets = self.cleaned_data["forget_keys"]
        if given or forgets:
            changes["credentials"] = {**({} if forgets else self.instance.readable_credentials), **given}
        return update_source(Source.objects.get(pk=self.instance.pk), by=self.by, **changes)
