"""Define the filters over what was received, and the form that says what an unknown word means."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import WordKind
from accounts.models import Agency
from webhooks.labels import RECEIPT_LABELS

#: The newest receipts whose event types are offered as a filter.
OFFERED_FROM = 1000


class ReceiptFilters(forms.Form):
    source = forms.ChoiceField(required=False, label=_("Source"))
    status = forms.ChoiceField(required=False, label=_("Status"))
    event = forms.ChoiceField(required=False, label=_("Event"))
    account = forms.CharField(
        required=False,
        max_length=40,
        label=_("Account ID"),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = ("", gettext("All"))
        sources = agency.sources.filter(removed_at=None).defer("credentials").order_by("provider", "id")
        newest = agency.receipts.order_by("-sequence").values_list("event_type", flat=True)[:OFFERED_FROM]
        events = sorted({event for event in newest if event} | {self.data.get("event", "")} - {""})
        self._offer("source", [everything, *((source.pk, str(source)) for source in sources)])
        self._offer("status", [everything, *((status.value, label.text) for status, label in RECEIPT_LABELS.items())])
        self._offer("event", [everything, *((event, event) for event in events)])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = choices


class MeaningForm(forms.Form):
    """What an unknown word means. `accounts.core.errors.FieldError` of the service says what is wrong with it."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in WordKind])
    word = forms.CharField(max_length=200, strip=False)
    meaning = forms.CharField(max_length=100)
