"""Whose address counts, with and without proxies of ours in between."""

import pytest

from accounts.core.networks import is_in_networks, parse_address, parse_networks
from webhooks.ingest.client_ip import client_address, is_plain_http


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("::ffff:192.0.2.7", None, "192.0.2.7"),
        ("2001:db8::7", None, "2001:db8::7"),
        ("", None, None),
        ("198.51.100.1", "192.0.2.7", "198.51.100.1"),  # no proxy of ours: what it forwards is its own invention
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7:4711", "192.0.2.7"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7, 198.51.100.1", "198.51.100.1"),  # the rightmost that is no proxy
        ("10.0.0.1", "192.0.2.7, garbage", None),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", " , ", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
    ],
)
def test_the_address_that_counts_is_the_nearest_that_no_proxy_of_ours_has(
    settings: object, peer: str, forwarded: str | None, found: str | None
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]  # type: ignore[attr-defined]

    address = client_address(peer, {"x-forwarded-for": forwarded} if forwarded else {})

    assert address == (parse_address(found) if found else None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "clear"),
    [
        ("10.0.0.1", "http", True),
        ("10.0.0.1", " HTTP , https", True),
        ("10.0.0.1", "https", False),
        ("10.0.0.1", "", False),
        ("10.0.0.1", None, False),
        ("192.0.2.7", "http", False),
    ],
)
def test_only_a_proxy_of_ours_can_say_that_a_request_came_in_the_clear(
    settings: object, peer: str, forwarded: str | None, clear: bool
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]  # type: ignore[attr-defined]

    assert is_plain_http(peer, {} if forwarded is None else {"x-forwarded-proto": forwarded}) is clear


def test_a_network_that_cannot_be_read_holds_nobody() -> None:
    networks = parse_networks(("192.0.2.0/24", "not a network", "198.51.100.7/24"))

    assert [is_in_networks(parse_address(a), networks) for a in ("192.0.2.9", "198.51.100.1", "203.0.113.1")] == [
        1,
        1,
        0,
    ]
