"""Which addresses and URLs an outbound request may go to: the public internet, and what the operator allows.

`check_url` judges a URL by its text, when it is saved and before every request; `check_address` judges each address at
the moment of connecting, so that neither a name server nor a redirect leads inside the network.
"""

import re
import socket
import unicodedata
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

PORTS = frozenset({80, 443, 8080, 8443})
LONGEST_URL = 2000

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: IPv4 that `is_global` lets through although nobody's receiver is there.
_NEVER = tuple(
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
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*{_LABEL}$")
_UNSEEN = re.compile(r"[\s\x00-\x20\x7f-\xa0\\]")


class TargetRefused(OSError):
    """We do not send there. The message is for the person who configured it; an answer is never shown."""


def check_url(url: str) -> None:
    """Raise TargetRefused unless `url` may be saved as a target. Names are not resolved."""
    _check(url, tuple(settings.OUTBOUND_ALLOWED_NETWORKS), _own_host())


def check_address(text: str, port: int) -> None:
    """Raise TargetRefused unless a connection to this address and port may be opened."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        raise TargetRefused("The address is not an IP address.") from None
    if _allowed(address, tuple(settings.OUTBOUND_ALLOWED_NETWORKS)):
        return
    if not is_public(address):
        raise TargetRefused("The address is outside the public internet.")
    if port not in PORTS:
        raise TargetRefused(_PORTS_TEXT)


def is_public(address: Address) -> bool:
    """Whether a receiver of the public internet can live there."""
    if isinstance(address, IPv6Address):
        return address in _UNICAST and not any(address in network for network in _NOT_UNICAST)
    return address.is_global and not any(address in network for network in _NEVER)


_PORTS_TEXT = f"Use one of the ports {', '.join(map(str, sorted(PORTS)))}."
_NO_ADDRESS = "This is not a web address."


@lru_cache(maxsize=4096)
def _check(url: str, allowed: tuple[str, ...], own_host: str) -> None:
    if len(url) > LONGEST_URL or _UNSEEN.search(url):
        raise TargetRefused(_NO_ADDRESS)
    try:
        parts = urlsplit(url)
        host, port = _fold(parts.hostname or ""), parts.port
        literal = _literal(host)
    except TargetRefused:
        raise
    except ValueError:
        raise TargetRefused(_NO_ADDRESS) from None
    if parts.scheme not in {"http", "https"}:
        raise TargetRefused("The address must begin with https:// or http://.")
    if "@" in parts.netloc:
        raise TargetRefused("Take the user name and password out of the address; use a custom header instead.")
    if literal is not None and _allowed(literal, allowed):
        return
    if literal is not None and not is_public(literal):
        raise TargetRefused("The address is outside the public internet.")
    if host == own_host:
        raise TargetRefused("Leadline does not send to itself.")
    # Where networks are allowed, a name with another port may lead into one: that is seen at every connect.
    if port not in PORTS | {None} and (literal is not None or not allowed):
        raise TargetRefused(_PORTS_TEXT)


def _literal(host: str) -> Address | None:
    """The address that `host` spells, None for a name. Raises TargetRefused for odd spellings of either."""
    if ":" in host:
        return IPv6Address(host)
    host = _fold(host)
    try:
        return IPv4Address(host)
    except ValueError:
        pass
    if _reads_as_ipv4(host):
        raise TargetRefused("Write the address in its usual form, like 203.0.113.7.")
    if not _NAME.match(host) or re.fullmatch(r"0x[0-9a-f]*|[0-9]+", host.rpartition(".")[2]):
        raise TargetRefused(_NO_ADDRESS)
    return None


def _reads_as_ipv4(host: str) -> bool:
    """Whether the C library takes it for an address: decimal, octal, hexadecimal and short forms."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def _fold(host: str) -> str:
    """The host as resolvers read it: compatibility forms (１２７。０…) made plain, lower case, no dot at the end.

    Raises ValueError for a name that has no ASCII form.
    """
    plain = re.sub("[。．｡]", ".", unicodedata.normalize("NFKC", host)).lower().rstrip(".")
    return plain if plain.isascii() else plain.encode("idna").decode()


def _own_host() -> str:
    """Our own public name; empty on loopback, where it is everybody's."""
    return "" if settings.LOOPBACK else _fold(urlsplit(settings.PUBLIC_URL).hostname or "")


def _allowed(address: Address, allowed: tuple[str, ...]) -> bool:
    return any(address in network for network in _networks(allowed))


@lru_cache(maxsize=16)
def _networks(allowed: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text.strip(), strict=False) for text in allowed)
