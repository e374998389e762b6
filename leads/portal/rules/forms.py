"""Define the form of a rule, and what its builder of conditions can choose from."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.core.strict_json import UnreadableJSON, read_object
from accounts.models import Agency
from leads.conditions.errors import ConditionError
from leads.conditions.fields import FIELDS, Field
from leads.conditions.operators import OPERATORS, FieldType
from leads.conditions.sentences import word_of
from leads.conditions.target_lists import compile_for
from leads.models.rules import Rule
from leads.rules.service import MAX_NAME_LENGTH

MAX_CONDITIONS_LENGTH = 60_000
#: Objects of the agency that a condition can name.
MAX_CHOICES = 200


class ConditionsField(forms.CharField):
    """Take conditions as JSON, which the builder writes (`portal/rules/_builder.html`, `leadline/rules.js`)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Conditions"))
        widget = forms.Textarea({"rows": 6, "spellcheck": "false", "class": "conditions-json"})
        super().__init__(required=False, max_length=MAX_CONDITIONS_LENGTH, widget=widget, **kwargs)


class RuleForm(forms.Form):
    """The fields that rules of every kind have. Subclasses add those of their kind, and list them in `OWN`."""

    OWN: tuple[str, ...] = ()

    name = forms.CharField(max_length=MAX_NAME_LENGTH, label=gettext_lazy("Name"))
    conditions = ConditionsField()
    active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Active"))

    def __init__(self, agency: Agency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agency = agency
        offer_fields(self, agency)

    @classmethod
    def initial_of(cls, rule: Rule) -> dict[str, Any]:
        """Return a rule as the form's initial values."""
        own = {name: getattr(rule, name) for name in cls.OWN}
        return {"name": rule.name, "active": rule.active, "conditions": as_text(rule.conditions), **own}

    def clean_conditions(self) -> Any:
        return clean_tree(self.agency, self.cleaned_data["conditions"])

    def values(self) -> dict[str, Any]:
        """Return what the service takes. Call this function on a valid form."""
        return {name: self.cleaned_data[name] for name in ("name", "active", "conditions", *self.OWN)}


def offer_fields(form: forms.Form, agency: Agency) -> None:
    """Give a form's builder of conditions the fields that it offers."""
    form.fields["conditions"].widget.attrs["data-fields"] = json.dumps(
        builder_fields(agency), ensure_ascii=False, separators=(",", ":")
    )


def clean_tree(agency: Agency, text: str) -> Any:
    """Return the tree that a text holds, if it can be compiled. Raises forms.ValidationError."""
    tree = conditions_of(text)
    try:
        compile_for(agency, tree)
    except ConditionError as error:
        raise forms.ValidationError(str(error)) from error
    return tree


def conditions_of(text: str) -> Any:
    """Return the tree that a text holds; an empty text matches every lead. Raises forms.ValidationError."""
    if not text.strip():
        return {}
    try:
        return read_object(text.encode())
    except UnreadableJSON as error:
        raise forms.ValidationError(_("The conditions are not readable JSON.")) from error


def as_text(tree: Any) -> str:
    """Return a tree as people edit it where the builder does not run."""
    return json.dumps(tree, indent=2, ensure_ascii=False) if tree else ""


def builder_fields(agency: Agency) -> dict[str, Any]:
    """Return what the builder of conditions offers: operators by type, and fields as (name, label, type, choices)."""
    choices = {
        "campaign": _named(agency.campaigns.order_by("-pk")),
        "source": _named(agency.sources.order_by("-pk")),
        "account": _named(agency.accounts.order_by("-pk")),
        "target_list": _named(agency.target_lists.order_by("name")),
    }
    shown = [field for field in FIELDS.values() if field.type is not FieldType.LIST or choices[field.name]]
    return {
        "operators": {type_.value: _operators_of(type_) for type_ in {field.type: None for field in shown}},
        "fields": [
            (field.name, field.short_label, field.type.value, choices.get(field.name) or _choices_of(field))
            for field in shown
        ],
    }


def _named(rows: Any) -> list[list[str]]:
    return [[row.pk, str(row)] for row in rows[:MAX_CHOICES]]


def _choices_of(field: Field) -> list[list[str]]:
    return [[one, word_of(one)] for one in field.choices]


def _operators_of(type_: FieldType) -> dict[str, str]:
    phrases = {name: _(operator.phrase).replace("{}", "…") for name, operator in OPERATORS[type_].items()}
    return {**phrases, "exists": _("is known")}
