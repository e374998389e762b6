"""Define the forms of a sequence: its trigger, and its steps in their order."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from accounts.core.text import MAX_NAME_LENGTH
from accounts.models import Agency
from leads.enums import StepKind, TriggerKind
from leads.labels import STATUSES, STEP_KINDS, TRIGGER_KINDS
from leads.models.activities import MAX_TITLE_LENGTH
from leads.portal.rules.forms import ConditionsField, as_text, clean_tree, offer_fields
from leads.sequences.steps import MAX_DELAY, MAX_STEPS, MAX_TAG_LENGTH

SPARE_ROWS = 2


class SequenceForm(forms.Form):
    """The name of a sequence, and whom it enrols by itself."""

    name = forms.CharField(max_length=MAX_NAME_LENGTH, label=_("Name"))
    kind = forms.ChoiceField(
        label=_("Enrols leads"), choices=[(one.value, label) for one, label in TRIGGER_KINDS.items()]
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", "–"), *((status.value, label.words) for status, label in STATUSES.items())],
        help_text=_("Only if a status enrols leads."),
    )
    tag = forms.CharField(
        max_length=MAX_TAG_LENGTH, label=_("Tag"), required=False, help_text=_("Only if a tag enrols leads.")
    )
    conditions = ConditionsField(label=_("Only leads with"))

    def __init__(self, agency: Agency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agency = agency
        offer_fields(self, agency)

    def clean_conditions(self) -> Any:
        return clean_tree(self.agency, self.cleaned_data["conditions"])

    def trigger(self) -> dict[str, Any]:
        """Return the trigger as the service takes it: a status or a tag only where the kind has one."""
        values = self.cleaned_data
        kind = values["kind"]
        return {
            "kind": kind,
            "status": values["status"] if kind == TriggerKind.STATUS else "",
            "tag": values["tag"] if kind == TriggerKind.TAG else "",
            "conditions": values["conditions"],
        }


class StepForm(forms.Form):
    """One step. A row without a kind is none."""

    id = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label=_("Step"),
        required=False,
        choices=[("", "–"), *((one.value, STEP_KINDS[one]) for one in StepKind)],
    )
    delay = forms.IntegerField(
        label=_("Sending days after the step before"), required=False, min_value=0, max_value=MAX_DELAY
    )
    begin = forms.CharField(label=_("From"), required=False, widget=forms.TimeInput({"type": "time"}))
    end = forms.CharField(label=_("Until"), required=False, widget=forms.TimeInput({"type": "time"}))
    template = forms.ChoiceField(label=_("Template"), required=False)
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=MAX_TITLE_LENGTH,
        help_text=_("Of a call what is to be done, of an invitation what it says; empty for a bare one."),
    )
    condition = forms.CharField(label=_("Condition (JSON)"), required=False, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, agency: Agency, templates: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agency = agency
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = [("", "–"), *templates]

    def clean_condition(self) -> Any:
        return clean_tree(self.agency, self.cleaned_data["condition"])

    def step(self) -> dict[str, Any]:
        """Return the step as the service takes it."""
        values = self.cleaned_data
        window = {"from": values["begin"], "to": values["end"]} if values["begin"] or values["end"] else None
        return {
            "id": values["id"],
            "kind": values["kind"],
            "delay": values["delay"] or 0,
            "window": window,
            "template": values["template"],
            "note": values["note"],
            "condition": values["condition"],
        }


class StepsFormSet(BaseFormSet):  # type: ignore[type-arg]
    """The rows of all steps, by their numbers, without those that are taken out."""

    def steps(self) -> list[tuple[StepForm, dict[str, Any]]]:
        """Return the rows that are steps, in their order, each with its step."""
        rows = [form for form in self.forms if form.cleaned_data.get("kind") and not form.cleaned_data.get("DELETE")]
        rows.sort(key=lambda form: form.cleaned_data.get("ORDER") or MAX_STEPS + 1)
        return [(form, form.step()) for form in rows]


_FormSet = formset_factory(
    StepForm, formset=StepsFormSet, extra=SPARE_ROWS, can_order=True, can_delete=True, max_num=MAX_STEPS,
    absolute_max=MAX_STEPS + SPARE_ROWS,
)  # fmt: skip


def steps_formset(agency: Agency, data: Any = None, steps: Sequence[Mapping[str, Any]] = ()) -> StepsFormSet:
    """Return the rows of a sequence's steps, and some spare ones."""
    templates = [(one.pk, str(one)) for one in agency.message_templates.order_by("name")]
    initial = [
        {
            **{name: step[name] for name in ("id", "kind", "delay", "template", "note")},
            "begin": (step["window"] or {}).get("from", ""),
            "end": (step["window"] or {}).get("to", ""),
            "condition": as_text(step["condition"]),
        }
        for step in steps
    ]
    made = _FormSet(data, initial=initial, prefix="steps", form_kwargs={"agency": agency, "templates": templates})
    assert isinstance(made, StepsFormSet)  # noqa: S101 (the factory makes one)
    return made
