"""Define the forms about accounts, the team, keys and the agency. The services check the rest."""

from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.core.email_addresses import EmailAddressField
from accounts.core.enums import PROVIDERS, Role, Scope
from accounts.labels import ACCOUNT_STATUSES
from accounts.models import Agency
from accounts.web.portal.widgets import LongSelect

ROLES = [
    (Role.OWNER.value, _("Owner: full access")),
    (Role.MANAGER.value, _("Manager: full access, except to the team and API keys")),
    (Role.READ_ONLY.value, _("Read-only: sees everything, changes nothing")),
]
ROLE_NAMES = [
    (Role.OWNER.value, _("Owner")),
    (Role.MANAGER.value, _("Manager")),
    (Role.READ_ONLY.value, _("Read-only")),
]
SCOPES = [
    (Scope.READ.value, _("Read: accounts, leads, events, deliveries")),
    (Scope.WRITE.value, _("Write: leads, accounts, campaigns")),
    (Scope.ADMIN.value, _("Administer: sources and channels, with their secrets")),
]
LIFETIMES = [("", _("never")), ("30", _("in 30 days")), ("90", _("in 90 days")), ("365", _("in a year"))]
LOCALES = [
    ("en-US", "English (United States)"),
    ("en-GB", "English (United Kingdom)"),
    ("de-DE", "Deutsch (Deutschland)"),
    ("de-AT", "Deutsch (Österreich)"),
    ("de-CH", "Deutsch (Schweiz)"),
    ("fr-FR", _("English, dates as in France")),
    ("es-ES", _("English, dates as in Spain")),
    ("it-IT", _("English, dates as in Italy")),
    ("nl-NL", _("English, dates as in the Netherlands")),
    ("pt-BR", _("English, dates as in Brazil")),
    ("pl-PL", _("English, dates as in Poland")),
]
ATTENTION = "attention"  # instead of a status: every status that needs somebody
MAX_PLACES = 200  # sub-accounts to choose from


class AccountFilter(forms.Form):
    status = forms.ChoiceField(
        required=False,
        label=_("Status"),
        choices=[
            ("", _("All")),
            (ATTENTION, _("Needs attention")),
            *((value.value, label.words) for value, label in ACCOUNT_STATUSES.items()),
        ],
    )
    provider = forms.ChoiceField(
        required=False,
        label=_("Provider"),
        choices=[("", _("All")), *((slug.value, name) for slug, name in PROVIDERS.items())],
    )
    q = forms.CharField(required=False, max_length=200, label=_("Name, e-mail, LinkedIn name or ID"))
    location = forms.ChoiceField(required=False, label=_("Sub-account"), widget=LongSelect)

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = list(agency.sub_accounts.order_by("name", "location_id")[:MAX_PLACES])
        chosen = self.data.get("location", "")
        if chosen and chosen not in {place.pk for place in places}:
            places += agency.sub_accounts.filter(pk=chosen)
        location = self.fields["location"]
        assert isinstance(location, forms.ChoiceField)  # noqa: S101 (declared above)
        location.choices = (
            [("", _("All")), *((place.pk, str(place)) for place in places)] if places else [("", _("All"))]
        )


class InvitationForm(forms.Form):
    email = EmailAddressField(max_length=254, label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=Role.MANAGER.value)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_NAMES)


class NewPersonForm(forms.Form):
    first_name = forms.CharField(
        label=_("First name"), required=False, max_length=150, widget=forms.TextInput({"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), required=False, max_length=150, widget=forms.TextInput({"autocomplete": "family-name"})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=512,
        help_text=_("At least eight characters, and not a common one."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        strip=False,
        max_length=512,
        label=_("Confirm password"),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", _("The two passwords do not match."))
        return given


class KeyForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What uses it, such as “CRM import”."))
    scopes = forms.MultipleChoiceField(
        choices=SCOPES, label=_("Permissions"), initial=[Scope.READ.value], widget=forms.CheckboxSelectMultiple
    )
    lifetime = forms.ChoiceField(required=False, choices=LIFETIMES, label=_("Expires"))

    def values(self) -> dict[str, Any]:
        days = self.cleaned_data["lifetime"]
        return {
            "name": self.cleaned_data["name"],
            "scopes": [Scope(scope) for scope in self.cleaned_data["scopes"]],
            "expires_at": timezone.now() + timedelta(days=int(days)) if days else None,
        }


@cache
def timezone_choices() -> list[tuple[str, str]]:
    """Return the zones of this machine. They are read once: Python opens 1,200 files for it."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


MAX_RESPONSE_MINUTES = 10_080  # a week without a pause


class AgencyForm(forms.ModelForm):  # type: ignore[type-arg]
    timezone = forms.ChoiceField(
        choices=timezone_choices,
        label=_("Time zone"),
        help_text=_("Used for times in e-mails and reports."),
        widget=LongSelect,
    )
    locale = forms.ChoiceField(label=_("Language and formats"))
    response_minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_RESPONSE_MINUTES,
        label=_("Response target in minutes"),
        help_text=_("Working time in which a lead is to be answered. New clocks use it."),
    )

    class Meta:
        model = Agency
        fields = ("name", "timezone", "locale", "response_minutes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, known in (("timezone", timezone_choices()), ("locale", LOCALES)):
            held = getattr(self.instance, name)
            choice = self.fields[name]
            assert isinstance(choice, forms.ChoiceField)  # noqa: S101 (declared above)
            choice.choices = known if held in dict(known) else [(held, held), *known]

    def clean_response_minutes(self) -> int:
        """Return the target, or the present one where the form says nothing."""
        given: int | None = self.cleaned_data["response_minutes"]
        return self.instance.response_minutes if given is None else given
