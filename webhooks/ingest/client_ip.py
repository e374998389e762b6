"""Determine the caller's address: the peer's, or behind TRUSTED_PROXIES the address that they forward."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


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


@lru_cache(maxsize=1024)
def parse_networks(cidrs: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks of these CIDRs. Skip a CIDR that is invalid."""
    networks = []
    for cidr in cidrs:
        try:
            networks.append(ip_network(cidr, strict=False))
        except ValueError:
            continue
    return tuple(networks)


def parse_address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_in_networks(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
