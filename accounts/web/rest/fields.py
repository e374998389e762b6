"""Define the fields of the API's resources, and serializers that refuse unknown names."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any

from django.core.exceptions import ValidationError as InvalidAddress
from django.db.models import Model, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.core.email_addresses import normalize_email
from accounts.core.networks import parse_network
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency

MAX_NAMES = 10


class StrictSerializer(serializers.Serializer[Any]):  # no docstring: OpenAPI would show it for every subclass
    def to_internal_value(self, data: Any) -> Any:
        """Refuse a body that names unknown or read-only fields, and name them."""
        if isinstance(data, dict):
            writable = {field.field_name for field in self._writable_fields}
            strangers = [name for name in data if name not in writable]
            if strangers:
                raise serializers.ValidationError({name[:100]: self._refusal(name) for name in strangers[:MAX_NAMES]})
        return super().to_internal_value(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Validate an object inside a PATCH as in a POST: a value that a row of a list leaves out is missing, not
        unchanged."""
        if self.root is not self and getattr(self.root, "partial", False) and data is not serializers.empty:
            return type(self)(context=self.context, allow_null=self.allow_null).run_validation(data)
        return super().run_validation(data)

    def _refusal(self, name: str) -> str:
        return "This field cannot be written." if name in self.fields else "There is no such field."

    @property
    def agency(self) -> Agency:
        agency: Agency = self.context["agency"]
        return agency


class StrictCharField(serializers.CharField):
    """A text field that returns null for an empty text. Null or "" clears it, unless it is required."""

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only") and not options.get("required"):
            options |= {"required": False, "allow_blank": True}
        options.setdefault("allow_null", not options.get("required"))
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        done, value = super().validate_empty_values(data)
        return (done, "") if done and value is None and not self.read_only else (done, value)

    def to_representation(self, value: Any) -> Any:
        return str(value) if value not in (None, "") else None

    def get_attribute(self, instance: Any) -> Any:
        try:
            return super().get_attribute(instance)
        except AttributeError:  # the text of a related row that does not exist
            return ""


class StrictEmailField(StrictCharField, serializers.EmailField):
    """An e-mail address in the given spelling."""


class EmailAddressField(StrictEmailField):
    """An e-mail address in any spelling. Its value is the canonical form."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return normalize_email(text) if text else text
        except InvalidAddress:
            self.fail("invalid")


class StrictChoiceField(serializers.ChoiceField):
    """One of a closed set of words, or null."""

    def __init__(self, words: type[Enum] | Iterable[str], **options: Any) -> None:
        self.enum = words if isinstance(words, type) else None
        if self.enum is None:
            choices: list[Any] = list(words)
        else:  # the choices by which OpenAPI finds the enumeration's name
            choices = getattr(self.enum, "choices", None) or [(word.value, word.name) for word in self.enum]
        super().__init__(choices=choices, **options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=str(data)[:100])
        word = super().to_internal_value(data[:100])
        return self.enum(word) if self.enum else word

    def to_representation(self, value: Any) -> Any:
        return str(value) if value else None


class UTCDateTimeField(serializers.DateTimeField):
    """A time in ISO 8601. Responses have it in UTC with three fractional digits and `Z`."""

    def to_representation(self, value: Any) -> Any:
        return iso_timestamp(value) if isinstance(value, datetime) else None

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="ISO 8601")
        try:
            time = super().to_internal_value(value)
            iso_timestamp(time)
        except OverflowError:
            self.fail("invalid", format="ISO 8601")
        return time


class StrictBooleanField(serializers.BooleanField):
    """true or false. Words and numbers that look like them are refused."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:100])
        return data


@extend_schema_field(OpenApiTypes.STR)
class AgencyRelatedField(serializers.Field[Any, Any, Any, Any]):
    """Another row of the agency, by its id. Another agency's row is refused like an unknown one."""

    default_error_messages = {"unknown": "There is no such {noun}."}

    def __init__(self, rows: str, *, noun: str, by: str = "pk", **options: Any) -> None:
        """Choose from the agency's relation `rows` by the public id in the column `by`."""
        self.rows, self.noun, self.by = rows, noun, by
        super().__init__(allow_null=True, required=False, **options)

    def get_attribute(self, instance: Any) -> Any:
        if self.by == "pk":
            return getattr(instance, f"{self.source_attrs[-1]}_id")
        related = getattr(instance, self.source_attrs[-1])
        return related and getattr(related, self.by)

    def to_representation(self, value: Any) -> Any:
        return value

    def to_internal_value(self, data: Any) -> Model:
        rows: QuerySet[Any] = getattr(self.context["agency"], self.rows).all()
        found: Model | None = None
        if isinstance(data, str) and len(data) <= 100:
            found = rows.filter(**{self.by: data}).first()
        if found is None:
            self.fail("unknown", noun=self.noun)
        return found


def id_field(**options: Any) -> serializers.CharField:
    return serializers.CharField(read_only=True, **options)


def validate_network(value: str) -> None:
    """Raise ValidationError unless `value` is an address range such as `203.0.113.0/24`."""
    if parse_network(value) is None:
        raise serializers.ValidationError("Give an address range such as 203.0.113.0/24.")


class StrictIntegerField(serializers.IntegerField):
    """A whole JSON number, never a boolean or a text."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StrictFloatField(serializers.FloatField):
    """A JSON number, never a boolean or a text."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        try:
            return float(data)
        except OverflowError:
            self.fail("invalid")
