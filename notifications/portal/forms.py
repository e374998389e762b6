"""What people may type on the pages about notifications. `channels` checks what makes a channel."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import Agency
from notifications.models import Channel, ChannelKind, DeliveryStatus
from notifications.portal.words import NOT_CHOSEN, Group, event_groups
from notifications.transports.webhook import MOST_HEADERS

MOST_PLACES = 200
MOST_CHANNELS = 200
ALL, SOME = "all", "some"
_HEADER_LINE = re.compile(r"([^:]+):(.*)")

MOMENT = {"type": "datetime-local"}


class ChannelForm(forms.Form):
    """A channel of one kind, new or held. Names of fields are those that `channels` complains about."""

    name = forms.CharField(required=False, max_length=200)
    email = forms.EmailField(max_length=254, label="E-mail address")
    url = forms.CharField(max_length=2000, widget=forms.TextInput({"inputmode": "url", "spellcheck": "false"}))
    listens = forms.ChoiceField(
        label="Gets",
        choices=[(ALL, "everything that happens"), (SOME, "only what is ticked here:")],
        widget=forms.RadioSelect,
        initial=ALL,
    )
    event_types = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    locations = forms.MultipleChoiceField(
        required=False,
        label="Only of these sub-accounts (none ticked: of all)",
        widget=forms.CheckboxSelectMultiple,
    )
    headers = forms.CharField(
        required=False,
        max_length=25_000,
        label="Headers of your own",
        help_text=f"One “Name: value” on a line, up to {MOST_HEADERS}.",
        widget=forms.Textarea({"rows": 2, "spellcheck": "false"}),
    )
    rate_per_second = forms.FloatField(
        required=False,
        label="At most so many a second",
        help_text="Empty: no limit.",
        widget=forms.NumberInput({"min": "0", "max": "1000", "step": "any"}),
    )

    def __init__(
        self,
        *args: Any,
        places: Sequence[tuple[str, str]],
        kind: ChannelKind,
        channel: Channel | None = None,
        **kw: Any,
    ) -> None:
        kw.setdefault("auto_id", f"{channel.pk if channel else f'new-{kind}'}-%s")
        if channel is not None:
            kw.setdefault("initial", _initial(channel))
        super().__init__(*args, **kw)
        self.channel, self.kind = channel, kind
        for name in _absent(kind):
            del self.fields[name]
        self._choose("event_types", [(one.name, one.title) for group in event_groups() for one in group.kinds])
        self._choose("locations", list(places))
        if not places:
            del self.fields["locations"]
        if kind == ChannelKind.SLACK:
            self.fields["url"].label = "Slack's webhook URL"
            self.fields["url"].help_text = "In Slack: add the app “Incoming Webhooks” to a channel and copy its URL."
        elif kind == ChannelKind.WEBHOOK:
            self.fields["url"].label = "URL"
            self.fields["url"].help_text = "Your program's address. Everything we send is signed."

    @property
    def groups(self) -> list[Group]:
        return event_groups()

    @property
    def ticked(self) -> set[str]:
        value = self["event_types"].value()
        return set(value or ())

    def clean_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["headers"].splitlines()):
            match = _HEADER_LINE.fullmatch(line.strip())
            if match is None:
                raise forms.ValidationError(f"“{line.strip()[:60]}” is not “Name: value”.")
            if match[1].strip() in headers:
                raise forms.ValidationError(f"{match[1].strip()} is there twice.")
            headers[match[1].strip()] = match[2].strip()
        return headers

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("listens") == SOME and not given.get("event_types"):
            self.add_error("listens", "Tick at least one, or choose everything.")
        return given

    def values(self) -> dict[str, Any]:
        """What `channels` takes; what this form does not show of a held channel is kept."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "listens"}
        chosen = values["event_types"] if self.cleaned_data["listens"] == SOME else []
        kept = [name for name in (self.channel.event_types if self.channel else []) if name in NOT_CHOSEN]
        values["event_types"] = [*chosen, *kept] if chosen else []
        if self.channel and "locations" in values:
            offered = dict(self._choices("locations"))
            values["locations"] += [place for place in self.channel.locations if place not in offered]
        return values

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = choices

    def _choices(self, name: str) -> list[tuple[str, str]]:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        return list(field.choices)  # type: ignore[arg-type]


def places_of(agency: Agency) -> list[tuple[str, str]]:
    """The sub-accounts that a channel may be limited to."""
    places = agency.sub_accounts.order_by("name", "location_id")[:MOST_PLACES]
    return [(place.location_id, str(place)) for place in places]


class ReplayForm(forms.Form):
    since = forms.DateTimeField(label="From", widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"))
    until = forms.DateTimeField(
        required=False, label="To (empty: now)", widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M")
    )
    status = forms.ChoiceField(
        required=False,
        label="What",
        choices=[
            ("", "all, also what it missed"),
            (DeliveryStatus.FAILED.value, "only what failed"),
            (DeliveryStatus.CANCELLED.value, "only what was cancelled"),
        ],
    )


class LogFilter(forms.Form):
    channel = forms.ChoiceField(required=False, label="To")
    status = forms.ChoiceField(required=False, choices=[("", "any"), *DeliveryStatus.choices])
    event_type = forms.ChoiceField(required=False, label="About")
    since = forms.DateTimeField(required=False, label="From", widget=forms.DateTimeInput(MOMENT))
    until = forms.DateTimeField(required=False, label="To", widget=forms.DateTimeInput(MOMENT))
    q = forms.CharField(required=False, max_length=254, label="Address or id")

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channels = agency.channels.defer("url", "headers").order_by("kind", "name")[:MOST_CHANNELS]
        kinds = [
            (group.title, [(one.name, one.title) for one in group.kinds]) for group in event_groups(chosen_only=False)
        ]
        for name, choices in (("channel", [(one.pk, str(one)) for one in channels]), ("event_type", kinds)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
            field.choices = [("", "any"), *choices]


def _initial(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "email": channel.email,
        "url": channel.url,
        "listens": SOME if channel.event_types else ALL,
        "event_types": channel.event_types,
        "locations": channel.locations,
        "headers": "\n".join(f"{name}: {value}" for name, value in (channel.headers or {}).items()),
        "rate_per_second": channel.rate_per_second,
    }


def _absent(kind: ChannelKind) -> tuple[str, ...]:
    match kind:
        case ChannelKind.EMAIL:
            return ("url", "headers", "rate_per_second")
        case ChannelKind.WEBHOOK:
            return ("email",)
        case ChannelKind.SLACK:
            return ("email", "headers", "rate_per_second")
