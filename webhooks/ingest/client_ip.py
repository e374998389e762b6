"""Determine the caller's address: the peer's, or behind TRUSTED_PROXIES the address that they forward."""

from collections.abc import Mapping

from django.conf import settings

from accounts.core.networks import Address, Network, is_in_networks, parse_address, parse_networks


def client_address(peer: str, headers: Mapping[str, str]) -> Address | None:
    """Return the caller's address. None if it is unknown (a Unix socket, a forged list)."""
    address = parse_address(peer)
    if not is_in_networks(address, trusted_proxies()):
        return address
    for entry in reversed(headers.get("x-forwarded-for", "").split(",")):
        if not entry.strip():
            continue
        address = parse_address(_without_port(entry.strip()))
        if not is_in_networks(address, trusted_proxies()):
            return address
    return address


def is_plain_http(peer: str, headers: Mapping[str, str]) -> bool:
    """Return whether a trusted proxy says that the request reached it over plain http."""
    forwarded = headers.get("x-forwarded-proto")
    if forwarded is None or forwarded.split(",")[0].strip().lower() != "http":
        return False
    return is_in_networks(parse_address(peer), trusted_proxies())


def trusted_proxies() -> tuple[Network, ...]:
    return parse_networks(tuple(settings.TRUSTED_PROXIES))


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
