"""Every body that the contract does not take, at every provider."""

import json
import time
from collections.abc import Callable

import pytest

from tests.webhooks.providers.wire import NOW
from webhooks.providers import PROVIDERS, get_provider
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest, UnreadablePayload, read_object

DEEP = b'{"a":' * 64 + b"1" + b"}" * 64
BODIES_OF_THE_400_ROW = {
    "empty": b"",
    "blank": b"  \n",
    "not JSON": b"status=SUCCESS&hash=1",
    "cut off": b'{"a":1',
    "two objects": b"{}{}",
    "single quotes": b"{'a':1}",
    "trailing comma": b'{"a":1,}',
    "comment": b'{"a":1} // x',
    "array": b'[{"a":1}]',
    "text": b'"a"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 without mark": '{"a":1}'.encode("utf-16-le"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "latin-1": b'{"a":"\xe9"}',
    "overlong": b'{"a":"\xc0\xaf"}',
    "surrogate as UTF-8": b'{"a":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}',
    "raw NUL": b'{"a":"\x00"}',
    "raw newline in text": b'{"a":"\n"}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":[-Infinity]}',
    "duplicate key": b'{"a":1,"b":2,"a":1}',
    "duplicate key by escape": b'{"a":1,"\\u0061":1}',
    "duplicate key within": b'{"a":[{"b":{"c":1,"c":2}}]}',
    "65 deep": b'{"a":' + DEEP + b"}",
    "65 arrays deep": b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
    "5,000 deep": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "100,000 deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 deep and cut off": b'{"a":' + b"[" * 100_000,
    "beyond a double": b'{"a":1e400}',
    "below minus a double": b'{"a":-1.5e309}',
    "4,301 digits": b'{"a":' + b"9" * 4_301 + b"}",
    "minus 4,301 digits": b'{"a":-' + b"9" * 4_301 + b"}",
}


@pytest.mark.parametrize("slug", PROVIDERS)
@pytest.mark.parametrize("body", BODIES_OF_THE_400_ROW.values(), ids=BODIES_OF_THE_400_ROW)
def test_a_body_of_the_400_row_is_refused(slug: str, body: bytes) -> None:
    request = SignedRequest(body, {}, NOW)
    provider = get_provider(slug)
    for refuse in (provider.dedupe_key, provider.parse):
        with pytest.raises(UnreadablePayload) as unreadable:
            refuse(request)
        assert str(unreadable.value)


@pytest.mark.parametrize("body", BODIES_OF_THE_400_ROW.values(), ids=BODIES_OF_THE_400_ROW)
def test_a_body_that_should_hold_its_own_signature_is_unreadable_before_it_is_unsigned(body: bytes) -> None:
    with pytest.raises(UnreadablePayload):
        get_provider("welink").verify(SignedRequest(body, {}, NOW), ["secret"])


@pytest.mark.parametrize("slug", PROVIDERS)
@pytest.mark.parametrize(
    "body",
    [DEEP, b'{"a":"\\u0000\\ud83d"}', b'{"a":' + b"9" * 4_300 + b"}", b' {"a":1e308, "b":[], "\\ud800":-0.0}\n', b"{}"],
    ids=["64 deep", "NUL and half an emoji", "4,300 digits", "odd but right", "empty object"],
)
def test_odd_but_right_json_is_kept(slug: str, body: bytes) -> None:
    key = get_provider(slug).dedupe_key(SignedRequest(body, {}, NOW))
    assert key == (None if slug == "salesflow" else body.decode())


def test_a_megabyte_that_anybody_can_send_is_refused_at_a_cost_in_proportion_to_its_parsing() -> None:
    welink = get_provider("welink")
    bodies = [
        b'{"hash":"%b","a":[%b0]}' % (b"0" * 64, b"[],1.5," * 140_000),
        b'{"a":"%b","hash":"%b"}' % (b", " * 500_000, b"0" * 64),
        b'{"a":[%b0],"hash":"%b"}' % (b'{"hash":"x"},' * 70_000, b"0" * 64),
    ]
    for body in bodies:
        request = SignedRequest(body, {}, NOW)
        # A search or a copy per member, which this guards against, would cost thousands of times the parsing.
        assert cpu_seconds(lambda request=request: refuse(welink, request)) < 200 * (
            0.001 + cpu_seconds(lambda body=body: json.loads(body))
        )


def refuse(provider: Provider, request: SignedRequest) -> None:
    with pytest.raises(InvalidSignature):
        provider.verify(request, ["secret"])


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def test_a_byte_order_mark_is_named_in_words() -> None:
    with pytest.raises(UnreadablePayload, match="byte order mark"):
        read_object(b'\xef\xbb\xbf{"a":1}')
