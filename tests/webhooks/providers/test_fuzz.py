"""Whatever anybody sends, an adapter answers with a reading or one of its three refusals."""

import json
import random
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhooks.providers.wire import NOW, PAYLOADS, WIRES
from webhooks.providers import PROVIDERS, get_provider
from webhooks.providers.base import InvalidSignature, SignedRequest, UnknownVocabulary, UnreadablePayload
from webhooks.providers.events import ParsedRequest

REFUSALS = (InvalidSignature, UnreadablePayload, UnknownVocabulary)
quick = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))

HEADERS = sorted({name for wire in WIRES for name in wire.sign().headers} | {"x-wh-signature", "webhook-id"})
SAMPLES = {slug: [path.read_text() for path in sorted((PAYLOADS / slug).iterdir())] for slug in PROVIDERS}
WORDS = sorted({word for samples in SAMPLES.values() for sample in samples for word in sample.split('"')})
ODDITIES: list[Any] = [
    *(None, True, False, 0, -1, 7688, 1.5, -0.0, 1e308, 10**18, 10**309, -(10**4_000), [], {}, [None], {"": {}}),
    *(
        "",
        " ",
        "N/A",
        "\x00",
        "\ud800",
        "x\udfffy",
        "é" * 300,
        "x" * 10_000,
        "'; --",
        "=1+1",
        "\u202e",
        "١٢",
        "²",
        "1e999",
    ),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "2026-13-45",
        "1774052536000",
        "-5",
        "9" * 40,
        "T",
        "+00:00",
    ),
    *(["a", {"name": "b"}, 7, None, {"name": []}], {"urn": 7, "a": "urn:li:x:1"}, {"profile_id": []}, [[[[]]]]),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def try_all(slug: str, body: bytes, headers: dict[str, str]) -> ParsedRequest | None:
    provider, request = get_provider(slug), SignedRequest(body, headers, NOW)
    with suppress(*REFUSALS):
        provider.verify(request, ["secret", "whsec_c2VjcmV0"])
    with suppress(*REFUSALS):
        key = provider.dedupe_key(request)
        assert key is None or key.encode()
    with suppress(*REFUSALS):
        reading = provider.parse(request)
        text = repr(reading)
        assert not any(escape in text for escape in ("\\x00", "\\ud8", "\\udf"))
        return reading
    return None


def mutate(body: Any, chance: random.Random) -> None:
    """Put something odd in one place, however deep."""
    while True:
        key = chance.choice(list(body))
        if not isinstance(body[key], dict) or not body[key] or chance.random() < 0.3:
            break
        body = body[key]
    if chance.random() < 0.1:
        del body[key]
    else:
        body[key] = deepcopy(chance.choice(ODDITIES)) if chance.random() < 0.8 else chance.choice(WORDS)


def read_odd_payloads(slug: str, count: int) -> None:
    chance, understood = random.Random(20_260_321), 0
    for _ in range(count):
        body = json.loads(chance.choice(SAMPLES[slug]))
        for _ in range(chance.randint(1, 3)):
            if body:
                mutate(body, chance)
        understood += try_all(slug, json.dumps(body).encode(), {}) is not None
    assert 0 < understood < count


@pytest.mark.parametrize("slug", PROVIDERS)
def test_payloads_with_something_odd_in_them_are_read_or_refused(slug: str) -> None:
    read_odd_payloads(slug, 3_000)


@pytest.mark.fault  # and many more of them
@pytest.mark.parametrize("slug", PROVIDERS)
def test_seventeen_thousand_payloads_with_something_odd_in_them_are_read_or_refused(slug: str) -> None:
    read_odd_payloads(slug, 17_000)


@given(body=st.binary(max_size=200), header=st.text(max_size=80))
@quick
def test_random_bytes_and_headers_are_refused(body: bytes, header: str) -> None:
    for slug in PROVIDERS:
        assert try_all(slug, body, dict.fromkeys(HEADERS, header)) is None


@given(body=st.dictionaries(st.text(max_size=10), json_values, max_size=5))
@quick
def test_random_objects_mean_nothing_to_anybody(body: dict[str, Any]) -> None:
    for slug in PROVIDERS:
        assert try_all(slug, json.dumps(body).encode(), {}) is None
