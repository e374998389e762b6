"""Untrusted JSON: what is read, how times and texts come out, and how fast."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from webhooks.providers.base import UnreadablePayload, read_object
from webhooks.providers.payload import MAX_UNKNOWN_FIELDS, Payload, UnknownVocabulary, parse_time


def test_a_body_is_read_as_json_reads_it() -> None:
    text = '{"a": [1, 2.5, -0.0, true, null, {"b": "Zo\\u00eb \\ud83d\\ude00"}], "c": 9007199254740993}'
    assert read_object(text.encode()) == json.loads(text)


@pytest.mark.parametrize(("depth", "readable"), [(63, True), (64, True), (65, False), (66, False)])
@pytest.mark.parametrize("braces", [(b'{"a":', b"}"), (b'{"a":[', b"]}")], ids=["objects", "objects and arrays"])
def test_nesting_ends_at_64(depth: int, readable: bool, braces: tuple[bytes, bytes]) -> None:
    opening, closing = braces
    per_level = len(closing)
    levels, odd = divmod(depth, per_level)
    body = opening * levels + b'{"z":' * odd + b"1" + b"}" * odd + closing * levels
    if readable:
        read_object(body)
    else:
        with pytest.raises(UnreadablePayload, match="nested more than 64"):
            read_object(body)


def test_wide_bodies_are_not_deep_and_brackets_in_texts_do_not_count() -> None:
    assert len(read_object(b'{"a":[' + b"[],{}," * 5_000 + b"0]}")["a"]) == 10_001
    assert read_object(b'{"a":"' + b"[{" * 5_000 + b'"}') == {"a": "[{" * 5_000}


def test_complaints_never_repeat_the_body() -> None:
    for body in (b'{"canary"', b'{"canary":1,"canary":2}', b'["canary"]', b'{"a":"canary\xff"}', b'{"a":canary}'):
        with pytest.raises(UnreadablePayload) as unreadable:
            read_object(body)
        assert "canary" not in str(unreadable.value)


AT = datetime(2026, 3, 21, 0, 22, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-21T00:22:16.000Z", AT),
        ("2026-03-21T00:22:16Z", AT),
        ("2026-03-21T01:22:16+01:00", AT),
        ("2026-03-21T00:22:16", AT),
        (" 2026-03-21T00:22:16.1234567+00:00 ", AT + timedelta(microseconds=123456)),
        ("2026-03-21T00:22:16.123456789Z", AT + timedelta(microseconds=123456)),
        ("2026-03-21", AT.replace(hour=0, minute=0, second=0)),
        (1774052536, AT),
        (1774052536000, AT),
        (1774052536.0, AT),
        ("1774052536", AT),
        ("1774052536000", AT),
        (1774052536123, AT + timedelta(milliseconds=123)),
        (99_999_999_999, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        (100_000_000_000, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_spelling_that_was_seen(value: Any, expected: datetime) -> None:
    assert parse_time(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "soon", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "T", "é", "\ud800"),
        *("2026-03-21T00:22:16Z" * 10, "２０２６-03-21", "-1774052536", "0001-01-01T00:00:00+14:00"),
        *(0, -1, -(10**400), 0.0, -1e300, True, False, None, [], {}, [1774052536]),
    ],
)
def test_nonsense_is_no_time(value: Any) -> None:
    assert parse_time(value) is None


@pytest.mark.parametrize(
    "value", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", 10**17, 10**400, 1e300, "9" * 18]
)
def test_a_time_at_the_end_of_the_calendar_leaves_room_to_add_to_it(value: Any) -> None:
    found = parse_time(value)
    assert found == datetime(9999, 1, 1, tzinfo=UTC)
    assert found + timedelta(days=300)


def test_unknown_fields_are_listed_by_path_and_not_without_end() -> None:
    payload = Payload({"a": {"b": "x", "new": 1}, "c": {"d": 1}, "e": "y", "f": None, "k\x00": 1})
    assert (payload.text("a.b"), payload.text_or_empty("f")) == ("x", "")
    payload.mark_known("e")
    assert payload.unknown_fields() == ("a.new", "c", "k\N{REPLACEMENT CHARACTER}")
    flood = Payload({f"field-{number}-{'x' * 300_000}": number for number in range(100)})
    assert len(flood.unknown_fields()) == MAX_UNKNOWN_FIELDS
    assert max(map(len, flood.unknown_fields())) == 100


@pytest.mark.parametrize("absent", [{}, {"id": None}, {"id": ""}, {"id": "  "}])
def test_absent_null_empty_and_blank_are_the_same(absent: dict[str, Any]) -> None:
    payload = Payload(absent)
    assert (payload.identifier_or_empty("id"), payload.text_or_empty("id")) == ("", "")
    for read in (payload.identifier, payload.text, payload.timestamp, payload.list_of):
        with pytest.raises(UnknownVocabulary) as unknown:
            read("id")
        assert unknown.value.reason == "missing_field"


def test_ids_may_be_numbers_and_are_never_cut() -> None:
    payload = Payload({"number": 7688, "text": " 7688 ", "long": "x" * 201, "flag": True, "fraction": 1.5})
    assert payload.identifier("number") == payload.identifier("text") == "7688"
    for path in ("long", "flag", "fraction"):
        with pytest.raises(UnknownVocabulary) as unknown:
            payload.identifier(path)
        assert unknown.value.reason == "bad_field"


def test_a_path_through_something_that_is_no_object_leads_nowhere() -> None:
    payload = Payload({"data": [{"id": 1}], "text": "id"})
    assert (payload.text_or_empty("data.id"), payload.text_or_empty("text.id.x")) == ("", "")
