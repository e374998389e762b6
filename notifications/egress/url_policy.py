"""Which addresses and URLs an outbound request may go to: the public internet, and what the operator allows.

`check_url` judges a URL by its text, when it is saved and before every request, and returns the parts that the request
is made of: no other parser reads the URL. `check_address` judges each address at the moment of connecting, so that
neither a name server nor a redirect leads inside the network.
"""

import re
import socket
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

from django.conf import settings

from accounts.core.email_addresses import normalize_host

PORTS = frozenset({80, 443, 8080, 8443})
MAX_URL_LENGTH = 2000

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
_URL = re.compile(r"(?P<scheme>[^:/?#]+)://(?P<authority>[^/?#]*)(?P<path>(/[^?#]*)?(\?[^#]*)?)(#.*)?")
_AUTHORITY = re.compile(r"(\[(?P<ipv6>[^\[\]]*)\]|(?P<name>[^:\[\]]+))(:(?P<port>[0-9]{0,5}))?")
_AS_TYPED = "!$%&'()*+,/:;=?@[]~"  # besides letters, digits and "-._": what RFC 3986 lets stand, and what browsers send


class TargetRefused(OSError):
    """We do not send there. The message is for the person who configured it; an answer is never shown."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in the parts that were judged, which are the parts that a request is made of.

    `host` is an ASCII name or an address, without brackets; `path` is the path and the query, byte for byte.
    """

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL as it is saved and sent: ASCII, without a fragment, which is never sent."""
        return f"{self.scheme}://{self.authority}{self.path}"


def check_url(url: str) -> Target:
    """Return the parts of a URL that may be saved as a target, else raise TargetRefused. Names are not resolved."""
    return _check(url, tuple(settings.OUTBOUND_ALLOWED_NETWORKS), _own_host())


def split_url(url: str) -> Target:
    """Split a URL into its parts; judge nothing but its form. Raises TargetRefused."""
    parts = _URL.fullmatch(url)
    if not parts or len(url) > MAX_URL_LENGTH or _UNSEEN.search(url):
        raise TargetRefused(_NO_ADDRESS)
    if "@" in parts["authority"]:
        raise TargetRefused("Take the user name and password out of the address; use a custom header instead.")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if not authority:
        raise TargetRefused(_NO_ADDRESS)
    try:
        host = str(IPv6Address(authority["ipv6"])) if authority["name"] is None else _fold(authority["name"])
        path = quote(parts["path"], safe=_AS_TYPED)
    except ValueError:
        raise TargetRefused(_NO_ADDRESS) from None
    port = int(authority["port"]) if authority["port"] else None
    target = Target(parts["scheme"].lower(), host, port, path)
    if not host or (port is not None and not 0 < port < 65536) or len(target.url) > MAX_URL_LENGTH:
        raise TargetRefused(_NO_ADDRESS)
    return target


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
def _check(url: str, allowed: tuple[str, ...], own_host: str) -> Target:
    target = split_url(url)
    if target.scheme not in {"http", "https"}:
        raise TargetRefused("The address must begin with https:// or http://.")
    try:
        literal = _literal(target.host)
    except ValueError:
        raise TargetRefused(_NO_ADDRESS) from None
    if literal is not None and _allowed(literal, allowed):
        return target
    if literal is not None and not is_public(literal):
        raise TargetRefused("The address is outside the public internet.")
    if target.host == own_host:
        raise TargetRefused("Leadline does not send to itself.")
    # Where networks are allowed, a name with another port may lead into one: that is seen at every connect.
    if target.port not in PORTS | {None} and (literal is not None or not allowed):
        raise TargetRefused(_PORTS_TEXT)
    return target


def _literal(host: str) -> Address | None:
    """The address that `host` spells, None for a name. Raises TargetRefused for odd spellings of either."""
    if ":" in host:
        return IPv6Address(host)
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
    return normalize_host(plain)


def _own_host() -> str:
    """Our own public name; empty on loopback, where it is everybody's."""
    return "" if settings.LOOPBACK else _fold(urlsplit(settings.PUBLIC_URL).hostname or "")


def _allowed(address: Address, allowed: tuple[str, ...]) -> bool:
    return any(address in network for network in _networks(allowed))


@lru_cache(maxsize=16)
def _networks(allowed: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text.strip(), strict=False) for text in allowed)
