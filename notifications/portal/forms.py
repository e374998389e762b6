"""Define the form of a channel. `notifications.channels` validates further."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.email_addresses import EmailAddressField, display_email
from accounts.models import Agency
from leads.conditions.target_lists import sentence_for
from leads.enums import LeadStatus
from leads.labels import STATUSES
from leads.pipeline.languages import language_name, languages_of
from leads.portal.rules.forms import ConditionsField, as_text, clean_tree, offer_fields
from notifications.channels.fields import FIELDS, TIMING_FIELDS, has_field
from notifications.channels.presets import CHOSEN, EVERYTHING, NEEDS_ACTION, PRESETS, preset_of
from notifications.channels.rules import MAX_CONFLATION_SECONDS
from notifications.labels import (
    MODE_LABELS,
    NEVER_CHOSEN,
    WEEKDAYS,
    Group,
    describe_urgent_events,
    event_groups,
)
from notifications.models import Channel, ChannelKind
from notifications.policy.quiet_hours import WEEK
from notifications.transports.webhook import MAX_HEADERS

MAX_PLACES = 200
_FORM_ONLY = frozenset({"listens", "quiet_from", "quiet_until"})  # no fields of a channel
_PART_OF = {"quiet_from": "quiet_hours", "quiet_until": "quiet_hours"}
_HEADER_LINE = re.compile(r"([^:]+):(.*)")

#: Field name --> the choices that an agency has.
ChannelChoices = Mapping[str, Sequence[tuple[str, str]]]
TIME_INPUT = {"type": "time"}


class ChannelForm(forms.Form):
    """Edit a channel of one kind, new or existing. Field names are those of the channel's FieldErrors."""

    name = forms.CharField(required=False, max_length=200)
    email = EmailAddressField(max_length=254, label=_("E-mail address"))
    url = forms.CharField(max_length=2000, widget=forms.TextInput({"inputmode": "url", "spellcheck": "false"}))
    listens = forms.ChoiceField(
        label=_("Events"),
        choices=[(preset.name, preset.title) for preset in PRESETS.values()],
        widget=forms.RadioSelect,
    )
    event_types = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    locations = forms.MultipleChoiceField(
        required=False,
        label=_("Sub-accounts"),
        help_text=_("None ticked: all."),
        widget=forms.CheckboxSelectMultiple,
    )
    lead_statuses = forms.MultipleChoiceField(
        required=False,
        label=_("Lead statuses"),
        help_text=_("None ticked: all."),
        choices=[(status.value, STATUSES[status].words) for status in LeadStatus],
        widget=forms.CheckboxSelectMultiple,
    )
    creation_locales = forms.MultipleChoiceField(
        required=False,
        label=_("Form languages"),
        help_text=_("None ticked: all."),
        widget=forms.CheckboxSelectMultiple,
    )
    conditions = ConditionsField(
        label=_("Only leads that fulfil these conditions"),
        help_text=_("Of a lead whose values are missing, nothing is sent. What is not about a lead is sent as before."),
    )
    test_events = forms.BooleanField(required=False, label=_("Include test leads"))
    mode = forms.ChoiceField(
        required=False,
        label=_("Delivery"),
        choices=list(MODE_LABELS.items()),
        widget=forms.RadioSelect,
        initial=FIELDS["mode"].default,
    )
    digest_at = forms.TimeField(
        required=False,
        label=_("Daily digest at"),
        initial=FIELDS["digest_at"].default,
        widget=forms.TimeInput(TIME_INPUT, format="%H:%M"),
    )
    quiet_from = forms.TimeField(
        required=False, label=_("Quiet from"), widget=forms.TimeInput(TIME_INPUT, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        required=False, label=_("Quiet until"), widget=forms.TimeInput(TIME_INPUT, format="%H:%M")
    )
    working_days = forms.MultipleChoiceField(
        required=False,
        label=_("Days"),
        help_text=_("None ticked: every day."),
        choices=list(zip(WEEK, WEEKDAYS, strict=True)),
        widget=forms.CheckboxSelectMultiple,
    )
    timezone = forms.CharField(
        required=False,
        max_length=64,
        label=_("Time zone"),
        help_text=_("Such as Europe/Berlin. Leave empty for the agency's."),
        widget=forms.TextInput({"spellcheck": "false"}),
    )
    conflation_seconds = forms.IntegerField(
        required=False,
        label=_("Group changes to one lead within (seconds)"),
        help_text=_("Several changes become one message. 0: no grouping."),
        min_value=0,
        max_value=MAX_CONFLATION_SECONDS,
        initial=FIELDS["conflation_seconds"].default,
    )
    urgent_event_types = forms.MultipleChoiceField(
        required=False,
        label=_("Always send immediately"),
        help_text=lazy(describe_urgent_events, str)(),
        widget=forms.CheckboxSelectMultiple,
    )
    headers = forms.CharField(
        required=False,
        max_length=25_000,
        label=_("Custom headers"),
        help_text=format_lazy(_("One “Name: value” per line, up to {most}."), most=MAX_HEADERS),
        widget=forms.Textarea({"rows": 2, "spellcheck": "false"}),
    )
    rate_per_second = forms.FloatField(
        required=False,
        label=_("Rate limit (per second)"),
        help_text=_("Leave empty for no limit."),
        widget=forms.NumberInput({"min": "0", "max": "1000", "step": "any"}),
    )

    def __init__(
        self,
        *args: Any,
        agency: Agency,
        offered: ChannelChoices,
        kind: ChannelKind,
        channel: Channel | None = None,
        preset: str = "",
        **kw: Any,
    ) -> None:
        kw.setdefault("auto_id", f"{channel.pk if channel else f'new-{kind}'}-%s")
        if channel is not None:
            kw.setdefault("initial", _initial(channel))
        super().__init__(*args, **kw)
        self.channel, self.kind, self.agency = channel, kind, agency
        offer_fields(self, agency)
        if channel is None:
            self.initial.setdefault("listens", preset or (EVERYTHING if kind == ChannelKind.WEBHOOK else NEEDS_ACTION))
        for name in [name for name in self.fields if not has_field(kind, _PART_OF.get(name, name))]:
            del self.fields[name]
        kinds = [(one.name, one.title) for group in event_groups() for one in group.kinds]
        self._set_choices("event_types", kinds)
        if "urgent_event_types" in self.fields:
            waiting = [(one.name, one.title) for group in event_groups() for one in group.kinds if not one.urgent]
            self._set_choices("urgent_event_types", waiting)
        held = {locale: language_name(locale) for locale in channel.creation_locales} if channel else {}
        languages = list({**dict(offered["creation_locales"]), **held}.items())
        for name, choices in (("locations", list(offered["locations"])), ("creation_locales", languages)):
            self._set_choices(name, choices)
            if not choices:
                del self.fields[name]
        if kind == ChannelKind.SLACK:
            self.fields["url"].label = gettext("Slack's webhook URL")
            self.fields["url"].help_text = gettext(
                "In Slack, add the app “Incoming Webhooks” to a channel and copy its URL."
            )
        elif kind == ChannelKind.WEBHOOK:
            self.fields["url"].label = "URL"
            self.fields["url"].help_text = gettext("The endpoint of your program. Everything we send is signed.")

    @property
    def presets(self) -> list[tuple[Any, Any]]:
        """Return each choice of events, with its hint."""
        return [(choice, PRESETS[choice.data["value"]].hint) for choice in self["listens"]]

    @property
    def groups(self) -> list[Group]:
        return event_groups()

    @property
    def has_wrong_settings(self) -> bool:
        """Return whether an error stands in the folded part of the form."""
        return bool(self.errors.keys() - {"name", "email", "url", "listens", "event_types", "conditions"})

    @property
    def ticked(self) -> set[str]:
        """Return the ticked events. Those of a preset are not: it says them all."""
        value = self["event_types"].value()
        return set(value or ()) if self["listens"].value() == CHOSEN or self.is_bound else set()

    @property
    def sentence(self) -> str:
        """Return the conditions that the channel has, in words."""
        return sentence_for(self.agency, self.channel.conditions) if self.channel else ""

    def clean_conditions(self) -> Any:
        return clean_tree(self.agency, self.cleaned_data["conditions"])

    def clean_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["headers"].splitlines()):
            match = _HEADER_LINE.fullmatch(line.strip())
            if match is None:
                raise forms.ValidationError(gettext("“%(value)s” is not “Name: value”.") % {"value": line.strip()[:60]})
            if match[1].strip() in headers:
                raise forms.ValidationError(gettext("%(value)s is given twice.") % {"value": match[1].strip()})
            headers[match[1].strip()] = match[2].strip()
        return headers

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        listens, ticked = given.get("listens", ""), given.get("event_types")
        moved = self.channel is not None and "listens" in self.changed_data
        if ticked and not moved:
            given["listens"] = CHOSEN  # a tick means only what is ticked
        elif ticked and listens not in ("", CHOSEN) and "event_types" in self.changed_data:
            contradiction = gettext("You ticked events and chose “%(preset)s”. Choose “Choose events”, or untick them.")
            self.add_error("listens", contradiction % {"preset": PRESETS[listens].title})
        if listens == CHOSEN and not ticked:
            self.add_error("listens", gettext("Tick at least one event, or make another choice."))
        if bool(given.get("quiet_from")) != bool(given.get("quiet_until")):
            self.add_error("quiet_from", gettext("Enter both times, or neither."))
        return given

    def values(self) -> dict[str, Any]:
        """Return the values for the service. Values that the form does not show are kept."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in _FORM_ONLY}
        if values.get("mode"):
            values["digest_at"] = f"{values['digest_at']:%H:%M}" if values["digest_at"] else FIELDS["digest_at"].default
            values["quiet_hours"] = self._quiet_hours()
            if values["conflation_seconds"] is None:
                values["conflation_seconds"] = FIELDS["conflation_seconds"].default
        else:  # the form has no timing fields
            values = {name: value for name, value in values.items() if name not in TIMING_FIELDS}
        listens = self.cleaned_data["listens"]
        chosen = values["event_types"] if listens == CHOSEN else [*PRESETS[listens].event_types]
        kept = [name for name in (self.channel.event_types if self.channel else []) if name in NEVER_CHOSEN]
        values["event_types"] = [*chosen, *kept] if chosen else []
        if self.channel and "locations" in values:
            offered = dict(self._choices("locations"))
            values["locations"] += [place for place in self.channel.locations if place not in offered]
        return values

    def _quiet_hours(self) -> dict[str, str] | None:
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"} if start and end else None

    def _set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = choices

    def _choices(self, name: str) -> list[tuple[str, str]]:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        return list(field.choices)  # type: ignore[arg-type]


def channel_choices(agency: Agency) -> ChannelChoices:
    """Return the sub-accounts and the form languages that a channel may be limited to."""
    places = agency.sub_accounts.order_by("name", "location_id")[:MAX_PLACES]
    return {
        "locations": [(place.location_id, str(place)) for place in places],
        "creation_locales": [(locale, language_name(locale)) for locale in languages_of(agency)],
    }


def _initial(channel: Channel) -> dict[str, Any]:
    hours = channel.quiet_hours or {}
    chosen = [name for name in channel.event_types if name not in NEVER_CHOSEN]
    return {
        **{name: getattr(channel, name) for name in FIELDS},
        "email": display_email(channel.email),
        "conditions": as_text(channel.conditions),
        "event_types": chosen,
        "listens": preset_of(chosen),
        "quiet_from": hours.get("start"),
        "quiet_until": hours.get("end"),
        "headers": "\n".join(f"{name}: {value}" for name, value in (channel.headers or {}).items()),
    }
