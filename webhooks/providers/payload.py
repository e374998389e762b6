"""A body's fields, tamed in one place: untrusted JSON in, our types out. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Any, NoReturn, TypeVar

from accounts.core.text import storable

MAX_ID_LENGTH = 200
MAX_TEXT_LENGTH = 500
MAX_UNKNOWN_FIELDS = 20
#: Times are kept within what every calendar can add a little to.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
#: Epoch values below this are seconds (until the year 5138), from it on milliseconds (since March 1973).
FIRST_MILLISECONDS = 10**11

T = TypeVar("T")


class UnknownVocabulary(Exception):
    """An event type or status word that we do not know, or a field without which the event means nothing.

    The receipt is kept in quarantine: `reason` is one machine-readable word (`unknown_event_type`, `unknown_status`,
    `missing_field`, `bad_field`, `other_app`), the message a sentence, `event_type` the provider's word if one could be
    read.
    """

    def __init__(self, reason: str, message: str, *, event_type: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.event_type = event_type


def key_of(*parts: Any) -> str | None:
    """A dedupe key of fields that tell deliveries apart, in ASCII; None if one of them is missing or no plain value.

    It is a JSON array, so that it can never equal a raw body, which is an object.
    """
    for part in parts:
        if not (type(part) is int or (type(part) is str and part.strip())):
            return None
    return f"[{', '.join([encode_basestring_ascii(str(part)) for part in parts])}]"


class Payload:
    """The fields of one body, by dotted path. What is asked for is known; `unknown_fields` lists the rest.

    Required readings raise UnknownVocabulary (`missing_field`, `bad_field`, `unknown_status`); optional ones give the
    empty value, and count a field of the wrong type as unknown. Absent, null, empty and blank are the same. Texts come
    storable, trimmed and cut to `limit`.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.event_type = ""
        self._known: set[str] = set()
        self._odd: set[str] = set()

    def has(self, path: str) -> bool:
        return self._find(path) is not None

    def known(self, *paths: str) -> None:
        """Fields that are part of the protocol and of no use to us, each with all that is in it."""
        self._known.update(paths)

    def text_or_empty(self, path: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
        value = self._read(path)
        if isinstance(value, str):
            return storable(value.strip()[:limit])
        self._reject_quietly(path, value)
        return ""

    def text(self, path: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
        if self._absent(path):
            self._missing(path)
        return self.text_or_empty(path, limit=limit) or self._bad(path, "text")

    def identifier_or_empty(self, path: str, *, limit: int = MAX_ID_LENGTH) -> str:
        """A provider's id: text, or a whole number as text. Too long raises: a cut id would be another's."""
        value = self._read(path)
        if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
            return str(value)
        if isinstance(value, str):
            value = storable(value.strip())
            return value if len(value) <= limit else self._bad(path, f"an id of at most {limit} characters")
        return "" if value is None else self._bad(path, "an id")

    def identifier(self, path: str, *, limit: int = MAX_ID_LENGTH) -> str:
        return self.identifier_or_empty(path, limit=limit) or self._missing(path)

    def one_of(self, path: str, table: Mapping[str, T], *, reason: str = "unknown_status") -> T:
        """Our word for theirs."""
        word = self.text(path)
        if word not in table:
            self.fail(reason, f"We do not know the word “{word[:100]}” in {path}.")
        return table[word]

    def one_of_or(self, path: str, table: Mapping[str, T], default: T) -> T:
        word = self.text_or_empty(path)
        if word and word not in table:
            self._odd.add(path)
        return table.get(word, default)

    def event_type_of(self, path: str) -> str:
        """The event's own word, which later complaints carry."""
        if self._absent(path):
            self.fail("unknown_event_type", f"The body names no event: {path} is missing.")
        self.event_type = self.text(path, limit=100)
        return self.event_type

    def mapping_or_empty(self, path: str) -> Mapping[str, Any]:
        value = self._read(path)
        if isinstance(value, dict):
            return value
        self._reject_quietly(path, value)
        return {}

    def list_of(self, path: str) -> list[Any]:
        if self._absent(path):
            self._missing(path)
        value = self._read(path)
        return value if isinstance(value, list) else self._bad(path, "a list")

    def timestamp_or_none(self, path: str) -> datetime | None:
        """A moment, None if there is none that makes sense. See `moment`."""
        value = self._read(path)
        if (found := moment(value)) is None:
            self._reject_quietly(path, value)
        return found

    def timestamp(self, path: str) -> datetime:
        if self._absent(path):
            self._missing(path)
        return self.timestamp_or_none(path) or self._bad(path, "a time since 1970")

    def unknown_fields(self) -> tuple[str, ...]:
        """Paths of fields nobody asked for, at most 20, in the body's order."""
        found: list[str] = []
        self._collect(self.data, "", found)
        return tuple(found[:MAX_UNKNOWN_FIELDS])

    def fail(self, reason: str, message: str) -> NoReturn:
        raise UnknownVocabulary(reason, message, event_type=self.event_type)

    def unknown_event(self) -> NoReturn:
        self.fail("unknown_event_type", f"We do not know the event “{self.event_type}”.")

    def _collect(self, data: Mapping[str, Any], prefix: str, found: list[str]) -> None:
        for key, value in data.items():
            path = prefix + storable(key[:100])
            if len(found) >= MAX_UNKNOWN_FIELDS:
                return
            if path in self._known and path not in self._odd:
                continue
            if isinstance(value, dict) and any(known.startswith(path + ".") for known in self._known):
                self._collect(value, path + ".", found)
            else:
                found.append(path)

    def _find(self, path: str) -> Any:
        value: Any = self.data
        for key in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def _read(self, path: str) -> Any:
        self._known.add(path)
        return self._find(path)

    def _absent(self, path: str) -> bool:
        value = self._read(path)
        return value is None or (isinstance(value, str) and not value.strip())

    def _reject_quietly(self, path: str, value: Any) -> None:
        if value is not None and value != "":
            self._odd.add(path)

    def _missing(self, path: str) -> NoReturn:
        self.fail("missing_field", f"The field {path} is missing.")

    def _bad(self, path: str, wanted: str) -> NoReturn:
        self.fail("bad_field", f"The field {path} is not {wanted}.")


def moment(value: Any) -> datetime | None:
    """An aware UTC time from ISO 8601 (any number of fractional digits; no zone means UTC) or epoch seconds or ms.

    None for anything else and for times before 1970, with which some systems mean "never". Times beyond the year 9998
    come as 9999-01-01, so that nobody who adds a minute to one fails.
    """
    match value:
        case bool():
            return None
        case int() | float():
            found = _from_epoch(value)
        case str() if re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,9})?", value.strip(), re.ASCII):
            found = _from_epoch(float(value) if "." in value else int(value))
        case str():
            found = _from_iso(value.strip())
        case _:
            return None
    return min(found, LATEST) if found is not None and found >= EARLIEST else None


def _from_epoch(value: float) -> datetime | None:
    if value <= 0:
        return None
    try:
        return EARLIEST + (timedelta(seconds=value) if value < FIRST_MILLISECONDS else timedelta(milliseconds=value))
    except OverflowError:
        return LATEST


def _from_iso(text: str) -> datetime | None:
    if len(text) > 64:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return LATEST if found.year > 5000 else None
