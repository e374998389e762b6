"""One reader of JSON for ingest and for the API: what either refuses, both refuse."""

from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from accounts.core.strict_json import MAX_DEPTH, Flaw, UnreadableJSON, read_object
from accounts.web.rest.json_body import parse_body
from webhooks.providers import base as providers
from webhooks.providers.base import UnreadablePayload

NESTED = b'{"a":' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}"
REFUSED = {
    b"\xef\xbb\xbf{}": Flaw.BYTE_ORDER_MARK,
    b'{"a":"\xff"}': Flaw.NOT_UTF8,
    b'{"a":"\xed\xa0\x80"}': Flaw.NOT_UTF8,
    b"": Flaw.NOT_JSON,
    b"{} {}": Flaw.NOT_JSON,
    b'{"a":1,"a":1}': Flaw.DUPLICATE_NAME,
    b'{"b":{"a":1,"a":1}}': Flaw.DUPLICATE_NAME,
    b'{"a":NaN}': Flaw.CONSTANT,
    b'{"a":-Infinity}': Flaw.CONSTANT,
    b'{"a":1e400}': Flaw.NUMBER_TOO_LARGE,
    b'{"a":' + b"1" * 4301 + b"}": Flaw.TOO_MANY_DIGITS,
    NESTED: Flaw.TOO_DEEP,
    b'{"a":' + b"[" * 200_000: Flaw.TOO_DEEP,
    b"[]": Flaw.NOT_AN_OBJECT,
    b"null": Flaw.NOT_AN_OBJECT,
}


@pytest.mark.parametrize(("body", "flaw"), REFUSED.items(), ids=lambda part: str(part)[:30])
def test_both_doors_refuse_the_same(body: bytes, flaw: Flaw) -> None:
    with pytest.raises(UnreadableJSON) as unreadable:
        read_object(body)
    assert unreadable.value.flaw is flaw
    with pytest.raises(UnreadablePayload, match=r"\w"):
        providers.read_object(body)
    with pytest.raises(ParseError):
        parse_body(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 1.5, true, null, "\xc3\xa9"]} ', {"a": [1, 1.5, True, None, "é"]}),
        (b'{"a":' + b"1" * 4300 + b"}", {"a": int("1" * 4300)}),
    ],
    ids=["empty", "values", "digits"],
)
def test_both_doors_read_the_same(body: bytes, value: Any) -> None:
    assert read_object(body) == providers.read_object(body) == parse_body(body) == value
