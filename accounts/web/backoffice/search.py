"""Search the back office's lists: by whole words, by parts of the fields of small tables, and by what rows refer to."""

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import Model, Q

from accounts.core.search import is_long_enough, matching

#: So many of the newest rows that a word finds are looked up in a list of what refers to them.
MAX_REFERRED = 50


def search_conditions(
    model: type[Model], word: str, *, exact: Sequence[str], parts: Sequence[str], through: Mapping[str, type[Model]]
) -> Q:
    """Return the condition that a field is the word, contains it, or refers to a row that the word finds."""
    condition = Q(pk__in=[])
    for name in exact:
        condition |= _equals(model, name, word)
    for name in parts:
        condition |= Q(**{f"{name}__icontains": word})
    if is_long_enough(word):
        for name, referred in through.items():
            condition |= Q(**{f"{name}__in": found_keys(referred, word)})
    return condition


def found_keys(model: type[Model], word: str) -> list[str]:
    """Return the ids of the newest rows that a word finds: a list, so that an index of the referring table serves."""
    rows = model._default_manager.filter(matching(model, word)).order_by("-pk")
    return list(rows.values_list("pk", flat=True)[:MAX_REFERRED])


def _equals(model: type[Model], name: str, word: str) -> Q:
    field = model._meta.pk if name == "pk" else None
    try:
        return Q(**{name: field.to_python(word) if field else word})
    except (ValidationError, ValueError, TypeError, OverflowError):  # no value of this type
        return Q(pk__in=[])
