"""Compute columns from other fields when a row is saved, so that every database back end stores the same values."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.db import models

SourceFields = str | tuple[str, ...]  # a field's name, or the names of fields whose values are joined


class DerivedField(models.Field):  # type: ignore[type-arg]
    """A column that `derive` computes from other fields. Migrations see the plain field beneath it.

    `derive` gets one text for each source; what a source's fields do not hold is missing from it.
    """

    plain: "ClassVar[type[models.Field[Any, Any]]]"
    unset: ClassVar[Mapping[str, Any]] = {"default": "", "db_default": ""}

    def __init__(
        self,
        *args: Any,
        sources: Sequence[SourceFields] = (),
        derive: Callable[[Iterable[str]], Any] = "\n".join,
        **kwargs: Any,
    ) -> None:
        self.sources, self.derive = sources, derive
        super().__init__(*args, **{**self.unset, "blank": True, "editable": False, **kwargs})

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the fields that the value is computed from."""
        return frozenset(name for source in self.sources for name in ([source] if isinstance(source, str) else source))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if self.sources:
            setattr(model_instance, self.attname, self.derive(_values(model_instance, self.sources)))
        return super().pre_save(model_instance, add)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, f"django.db.models.{self.plain.__name__}", args, kwargs


class DerivedTextField(DerivedField, models.TextField):  # type: ignore[type-arg]
    """A derived text. With `has_text_index` its parts are indexed (`accounts.core.text_index`)."""

    plain = models.TextField

    def __init__(self, *args: Any, has_text_index: bool = False, **kwargs: Any) -> None:
        self.has_text_index = has_text_index
        super().__init__(*args, **kwargs)


class DerivedCharField(DerivedField, models.CharField):  # type: ignore[type-arg]
    plain = models.CharField


class DerivedIntegerField(DerivedField, models.IntegerField):  # type: ignore[type-arg]
    plain = models.IntegerField
    unset: ClassVar[Mapping[str, Any]] = {"null": True}


class DerivedBooleanField(DerivedField, models.BooleanField):  # type: ignore[type-arg]
    plain = models.BooleanField
    unset: ClassVar[Mapping[str, Any]] = {"null": True}


class HasDerivedFields(models.Model):
    """A model that saves its derived columns together with the fields that they are computed from."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if options.get("update_fields") is not None:
            options["update_fields"] = with_derived(type(self), options["update_fields"])
        super().save(*args, **options)


def with_derived(model: type[models.Model], names: Iterable[str]) -> list[str]:
    """Return the given field names and the names of the derived fields that depend on them."""
    changed = list(dict.fromkeys(names))
    derived = (field for field in model._meta.concrete_fields if isinstance(field, DerivedField))
    return [*changed, *(field.name for field in derived if field.name not in changed and field.names & {*changed})]


def fold(text: str) -> str:
    """Return a text in the form that searches compare: case-folded, composed, single-spaced, without invisible
    characters."""
    if not text.isascii():
        for _ in range(4):
            visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
            folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
            if folded == text:
                break
            text = folded
    return " ".join(text.casefold().split())


def search_text(values: Iterable[str]) -> str:
    """Return the folded values, one a line, each with and without its accents."""
    lines = [folded for value in values if (folded := fold(value))]
    return "\n".join(dict.fromkeys([*lines, *map(without_accents, lines)]))


def without_accents(text: str) -> str:
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(char for char in apart if unicodedata.category(char) != "Mn"))


def search_text_contains(word: str, column: str = "search_text") -> models.Q:
    """Return the condition that a row's search text contains a word. A blank word matches no row."""
    folded = fold(word)
    return models.Q(**{f"{column}__contains": folded}) if folded else models.Q(pk__in=[])


def _values(row: models.Model, sources: Sequence[SourceFields]) -> Iterable[str]:
    for source in sources:
        names = [source] if isinstance(source, str) else source
        yield " ".join(text for name in names if (text := getattr(row, name)))
