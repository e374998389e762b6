"""Read the fields of an untrusted JSON body as typed, bounded values. Pure."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Any, NoReturn, TypeVar

from accounts.core.enums import WordKind
from accounts.core.text import storable

MAX_ID_LENGTH = 200
MAX_TEXT_LENGTH = 500
MAX_UNKNOWN_FIELDS = 20
MAX_WORD_LENGTH = 200  # of a word that a mapping explains; longer ones are compared by their beginning
#: Times stay within these bounds, so that adding a duration never overflows.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
#: Smaller epoch values are seconds (up to the year 5138), others milliseconds (from March 1973).
FIRST_MILLISECONDS = 10**11

#: What a mapping says of a word without any effect.
IGNORED = "ignored"

T = TypeVar("T")
#: A kind of word and the provider's word --> our word, as the source's mappings say.
Words = Mapping[tuple[WordKind, str], str]


class UnknownVocabulary(Exception):
    """Put a receipt into quarantine: its event type or status is unknown, or a required field is unusable.

    `reason` is one machine-readable word (`unknown_event_type`, `unknown_status`, `missing_field`, `bad_field`,
    `other_app`), the message a sentence, `event_type` the provider's word if one could be read, `word` the unknown word
    that a mapping could explain.
    """

    def __init__(self, reason: str, message: str, *, event_type: str = "", word: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.event_type = event_type
        self.word = word[:MAX_WORD_LENGTH]


class IgnoredWord(Exception):
    """Signal that a mapping says to ignore what is sent with this word."""


def dedupe_key_of(*parts: Any) -> str | None:
    """Return a dedupe key made of these fields, in ASCII. None if a field is missing or no plain value.

    The key is a JSON array, which never equals a raw body: that is an object.
    """
    for part in parts:
        if not (type(part) is int or (type(part) is str and part.strip())):
            return None
    return f"[{', '.join([encode_basestring_ascii(str(part)) for part in parts])}]"


class Payload:
    """Read the fields of one body by dotted path. Fields that were read or marked are known; others are unknown.

    Required fields raise UnknownVocabulary (`missing_field`, `bad_field`, `unknown_status`). Optional fields give an
    empty value, and count as unknown if their type is wrong. Absent, null, empty and blank are the same. Texts are
    storable, trimmed and cut to `limit`.

    `event_type` is the event in a word that the adapter knows, `event_word` the provider's own where a mapping of
    `words` explains it.
    """

    def __init__(self, data: Mapping[str, Any], words: Words | None = None) -> None:
        self.data = data
        self.event_type = ""
        self.event_word = ""
        self._words = words or {}
        self._known: set[str] = set()
        self._malformed: set[str] = set()

    def has(self, path: str) -> bool:
        return self._value_at(path) is not None

    def mark_known(self, *paths: str) -> None:
        """Mark fields of the protocol that are not used as known, with all that they contain."""
        self._known.update(paths)

    def text_or_empty(self, path: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
        value = self._read(path)
        if isinstance(value, str):
            return storable(value.strip()[:limit])
        self._mark_malformed(path, value)
        return ""

    def text(self, path: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
        if self._is_blank(path):
            self._fail_missing_field(path)
        return self.text_or_empty(path, limit=limit) or self._fail_bad_field(path, "text")

    def identifier_or_empty(self, path: str, *, limit: int = MAX_ID_LENGTH) -> str:
        """Return a provider's id: text, or a whole number as text.

        An id that is too long raises UnknownVocabulary: cut, it could be another's.
        """
        value = self._read(path)
        if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
            return str(value)
        if isinstance(value, str):
            value = storable(value.strip())
            return value if len(value) <= limit else self._fail_bad_field(path, f"an id of at most {limit} characters")
        return "" if value is None else self._fail_bad_field(path, "an id")

    def identifier(self, path: str, *, limit: int = MAX_ID_LENGTH) -> str:
        return self.identifier_or_empty(path, limit=limit) or self._fail_missing_field(path)

    def one_of(self, path: str, table: Mapping[str, T], meanings: Mapping[str, T] | None = None) -> T:
        """Return the table's value for the provider's word, or the one of `meanings` that a mapping gives it."""
        word = self.text(path)
        meanings, meaning = meanings or table, self.mapped(WordKind.STATUS, word)
        if word not in table and meaning not in meanings:
            self.fail("unknown_status", f"The word “{word[:100]}” in {path} is unknown.", word=word)
        return table[word] if word in table else meanings[meaning]

    def one_of_or(self, path: str, table: Mapping[str, T], default: T, meanings: Mapping[str, T] | None = None) -> T:
        word = self.text_or_empty(path)
        if word in table:
            return table[word]
        meaning = self.mapped(WordKind.STATUS, word)
        if word and meaning not in (meanings or ()):
            self._malformed.add(path)
        return (meanings or {}).get(meaning, default)

    def mapped(self, kind: WordKind, word: str) -> str:
        """Return our word for the provider's unknown word; an empty string if no mapping explains it.

        Raises IgnoredWord.
        """
        if (meaning := self._words.get((kind, word[:MAX_WORD_LENGTH]), "")) == IGNORED:
            raise IgnoredWord
        return meaning

    def event_type_of(self, path: str, known: Collection[str]) -> str:
        """Read the provider's event type as one of the `known` words, and store it for the errors that follow.

        A word that neither the adapter nor a mapping knows is returned as it is.
        """
        if self._is_blank(path):
            self.fail("unknown_event_type", f"The body names no event: {path} is missing.")
        return self.understand_event(self.text(path, limit=100), known)

    def understand_event(self, word: str, known: Collection[str]) -> str:
        self.event_type = word
        if word not in known and (meaning := self.mapped(WordKind.EVENT, word)) in known:
            self.event_type, self.event_word = meaning, word
        return self.event_type

    def mapping_or_empty(self, path: str) -> Mapping[str, Any]:
        value = self._read(path)
        if isinstance(value, dict):
            return value
        self._mark_malformed(path, value)
        return {}

    def list_of(self, path: str) -> list[Any]:
        if self._is_blank(path):
            self._fail_missing_field(path)
        value = self._read(path)
        return value if isinstance(value, list) else self._fail_bad_field(path, "a list")

    def timestamp_or_none(self, path: str) -> datetime | None:
        """Return a time, or None if there is no plausible one. See `parse_time`."""
        value = self._read(path)
        if (found := parse_time(value)) is None:
            self._mark_malformed(path, value)
        return found

    def timestamp(self, path: str) -> datetime:
        if self._is_blank(path):
            self._fail_missing_field(path)
        return self.timestamp_or_none(path) or self._fail_bad_field(path, "a time since 1970")

    def unknown_fields(self) -> tuple[str, ...]:
        """Return the paths of unknown fields, at most MAX_UNKNOWN_FIELDS, in the body's order."""
        found: list[str] = []
        self._collect_unknown(self.data, "", found)
        return tuple(found[:MAX_UNKNOWN_FIELDS])

    def fail(self, reason: str, message: str, *, word: str = "") -> NoReturn:
        raise UnknownVocabulary(reason, message, event_type=self.event_word or self.event_type, word=word)

    def unknown_event(self) -> NoReturn:
        self.fail("unknown_event_type", f"The event “{self.event_type}” is unknown.", word=self.event_type)

    def _collect_unknown(self, data: Mapping[str, Any], prefix: str, found: list[str]) -> None:
        for key, value in data.items():
            path = prefix + storable(key[:100])
            if len(found) >= MAX_UNKNOWN_FIELDS:
                return
            if path in self._known and path not in self._malformed:
                continue
            if isinstance(value, dict) and any(known.startswith(path + ".") for known in self._known):
                self._collect_unknown(value, path + ".", found)
            else:
                found.append(path)

    def _value_at(self, path: str) -> Any:
        value: Any = self.data
        for key in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def _read(self, path: str) -> Any:
        self._known.add(path)
        return self._value_at(path)

    def _is_blank(self, path: str) -> bool:
        value = self._read(path)
        return value is None or (isinstance(value, str) and not value.strip())

    def _mark_malformed(self, path: str, value: Any) -> None:
        if value is not None and value != "":
            self._malformed.add(path)

    def _fail_missing_field(self, path: str) -> NoReturn:
        self.fail("missing_field", f"The field {path} is missing.")

    def _fail_bad_field(self, path: str, wanted: str) -> NoReturn:
        self.fail("bad_field", f"The field {path} is not {wanted}.")


def parse_time(value: Any) -> datetime | None:
    """Return an aware UTC time from ISO 8601 (without a zone: UTC), or from epoch seconds or milliseconds.

    Return None for anything else, and for times before 1970, which some systems send for "never". Times beyond the year
    9998 become 9999-01-01, so that adding a duration does not overflow.
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
