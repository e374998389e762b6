"""Read IP addresses and networks (CIDRs), which people write in settings, forms and the API."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Special IPv4 networks that `is_global` does not exclude.
_SPECIAL_IPV4 = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, Oracle's metadata
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # Azure's metadata
        "224.0.0.0/4",  # multicast
    )
)
_UNICAST = ip_network("2000::/3")  # everything else in IPv6 is local, mapped, translated or unassigned
_NOT_UNICAST = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID, benchmarking and other special uses
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)


def parse_network(text: str) -> Network | None:
    """Return the network of a CIDR such as `203.0.113.0/24`, or of an address. None if it is neither.

    Bits of the host are ignored: `203.0.113.7/24` is the whole network.
    """
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def parse_networks(cidrs: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks of these CIDRs. Skip a CIDR that is invalid."""
    return tuple(network for network in map(parse_network, cidrs) if network)


def parse_address(text: str) -> Address | None:
    """Return the address that a text names, as IPv4 where it is an IPv4-mapped one. None if it names none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_in_networks(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def is_public(address: Address) -> bool:
    """Return whether the address belongs to the public internet."""
    if isinstance(address, IPv6Address):
        return address in _UNICAST and not any(address in network for network in _NOT_UNICAST)
    return address.is_global and not any(address in network for network in _SPECIAL_IPV4)
