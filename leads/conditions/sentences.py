"""Write conditions as sentences, in the language of the reader."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from leads.conditions.fields import Field
from leads.conditions.operators import FieldType, Operator
from leads.enums import LABELS, LeadStatus
from leads.facts.titles import Seniority

#: Levels of seniority --> what they are called.
LEVELS: dict[str, str] = {
    Seniority.OWNER: gettext_noop("owner"),
    Seniority.C_LEVEL: gettext_noop("C level"),
    Seniority.VP: gettext_noop("vice president"),
    Seniority.HEAD: gettext_noop("head"),
    Seniority.DIRECTOR: gettext_noop("director"),
    Seniority.MANAGER: gettext_noop("manager"),
    Seniority.SENIOR: gettext_noop("senior"),
    Seniority.ENTRY: gettext_noop("entry level"),
}


def phrase_of(operator: Operator, name: str, value: Any, names: Mapping[str, str]) -> str:
    """Return an operator with its value as a part of a sentence. The value has been checked.

    `names` are what ids are called.
    """
    if isinstance(value, str):
        value = names.get(value, value)
    elif isinstance(value, list):
        value = [names.get(one, one) if isinstance(one, str) else one for one in value]
    return _(operator.phrase).format(_value(name, value))


def known_phrase(field: Field) -> str:
    """Return the sentence that a field has a value."""
    words = {"field": _(field.label)}
    if field.type in (FieldType.SET, FieldType.LIST):
        return _("%(field)s are known") % words
    return _("%(field)s is known") % words


def _value(name: str, value: Any) -> str:
    if name in ("between", "zip_between"):
        return _("%(low)s and %(high)s") % {"low": _shown(value[0]), "high": _shown(value[1])}
    if name == "overlaps":
        if value[1] is None:
            return _("%(low)s or more") % {"low": _shown(value[0])}
        return _("%(low)s to %(high)s") % {"low": _shown(value[0]), "high": _shown(value[1])}
    if name in ("older_than", "newer_than"):
        return _span(int(value[:-1]), value[-1])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _alternatives(value if isinstance(value, list) else [value])


def _span(number: int, unit: str) -> str:
    if unit == "m":
        text = ngettext("%(n)s minute", "%(n)s minutes", number)
    elif unit == "h":
        text = ngettext("%(n)s hour", "%(n)s hours", number)
    else:
        text = ngettext("%(n)s day", "%(n)s days", number)
    return text % {"n": f"{number:,}"}


def _alternatives(values: list[Any]) -> str:
    """Return values as people enumerate them: “a”, “b” or “c”."""
    shown = [_shown(value) for value in values]
    if len(shown) == 1:
        return shown[0]
    return _("%(values)s or %(last)s") % {"values": ", ".join(shown[:-1]), "last": shown[-1]}


def _shown(value: Any) -> str:
    """Return a value as it stands in a sentence: a level of seniority in words, any other text in quotes."""
    if not isinstance(value, str):
        return f"{value:,}"
    if value in LEVELS:
        return _(LEVELS[value])
    return _("“%(text)s”") % {"text": _(LABELS[LeadStatus(value)]) if value in set(LeadStatus) else value}


def word_of(value: str) -> str:
    """Return what a level of seniority, a status or another word of a closed set is called."""
    if value in set(LeadStatus):
        return _(LABELS[LeadStatus(value)])
    return _(LEVELS[value]) if value in LEVELS else value.replace("_", " ")
