"""Decide which URLs and addresses outbound requests may reach: the public internet, and networks that are allowed.

`check_url` checks a URL's text when it is saved and before every request, and returns the parts of which the request is
made: no other parser reads the URL. `check_address` checks each address when connecting, so that neither a name server
nor a redirect leads into a private network.
"""

import re
import socket
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from accounts.core.email_addresses import normalize_host
from accounts.core.networks import Address, is_in_networks, is_public, parse_networks

PORTS = frozenset({80, 443, 8080, 8443})
MAX_URL_LENGTH = 2000

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*{_LABEL}$")
_INVISIBLE = re.compile(r"[\s\x00-\x20\x7f-\xa0\\]")
_URL = re.compile(r"(?P<scheme>[^:/?#]+)://(?P<authority>[^/?#]*)(?P<path>(/[^?#]*)?(\?[^#]*)?)(#.*)?")
_AUTHORITY = re.compile(r"(\[(?P<ipv6>[^\[\]]*)\]|(?P<name>[^:\[\]]+))(:(?P<port>[0-9]{0,5}))?")
_UNQUOTED = "!$%&'()*+,/:;=?@[]~"  # besides letters, digits and "-._": allowed by RFC 3986 and sent by browsers


class TargetRefused(OSError):
    """Signal that the target is not allowed. The message is for the person who configured it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Hold the checked parts of a URL, of which the request is made.

    `host` is an ASCII name or an address without brackets. `path` is the path with the query, byte for byte.
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
        """Return the URL as it is saved and sent: in ASCII, without the fragment, which is never sent."""
        return f"{self.scheme}://{self.authority}{self.path}"


def check_url(url: str) -> Target:
    """Return the parts of a URL that may be a target. Raises TargetRefused. Names are not resolved."""
    return _check(url, tuple(settings.OUTBOUND_ALLOWED_NETWORKS), _own_host())


def split_url(url: str) -> Target:
    """Split a URL into its parts and check only its form. Raises TargetRefused."""
    parts = _URL.fullmatch(url)
    if not parts or len(url) > MAX_URL_LENGTH or _INVISIBLE.search(url):
        raise TargetRefused(gettext(NO_WEB_ADDRESS))
    if "@" in parts["authority"]:
        raise TargetRefused(gettext("Take the user name and password out of the address; use a custom header instead."))
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if not authority:
        raise TargetRefused(gettext(NO_WEB_ADDRESS))
    try:
        host = str(IPv6Address(authority["ipv6"])) if authority["name"] is None else _normalize_host(authority["name"])
        path = quote(parts["path"], safe=_UNQUOTED)
    except ValueError:
        raise TargetRefused(gettext(NO_WEB_ADDRESS)) from None
    port = int(authority["port"]) if authority["port"] else None
    target = Target(parts["scheme"].lower(), host, port, path)
    if not host or (port is not None and not 0 < port < 65536) or len(target.url) > MAX_URL_LENGTH:
        raise TargetRefused(gettext(NO_WEB_ADDRESS))
    return target


def check_address(text: str, port: int) -> None:
    """Raise TargetRefused unless a connection to this address and port is allowed."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        raise TargetRefused(gettext("The address is not an IP address.")) from None
    if is_in_networks(address, parse_networks(tuple(settings.OUTBOUND_ALLOWED_NETWORKS))):
        return
    if not is_public(address):
        raise TargetRefused(gettext("The address is outside the public internet."))
    if port not in PORTS:
        raise TargetRefused(gettext(_PORTS_TEXT))


_PORTS_TEXT = gettext_noop("Use one of the ports 80, 443, 8080, 8443.")
NO_WEB_ADDRESS = gettext_noop("This is not a web address.")


@lru_cache(maxsize=4096)
def _check(url: str, allowed: tuple[str, ...], own_host: str) -> Target:
    target = split_url(url)
    if target.scheme not in {"http", "https"}:
        raise TargetRefused(gettext("The address must begin with https:// or http://."))
    try:
        literal = _literal_address(target.host)
    except ValueError:
        raise TargetRefused(gettext(NO_WEB_ADDRESS)) from None
    if literal is not None and is_in_networks(literal, parse_networks(allowed)):
        return target
    if literal is not None and not is_public(literal):
        raise TargetRefused(gettext("The address is outside the public internet."))
    if target.host == own_host:
        raise TargetRefused(gettext("Leadline does not send to itself."))
    # A name with another port may lead into an allowed network: `check_address` decides at every connect.
    if target.port not in PORTS | {None} and (literal is not None or not allowed):
        raise TargetRefused(gettext(_PORTS_TEXT))
    return target


def _literal_address(host: str) -> Address | None:
    """Return the address that `host` spells, None for a name. Raises TargetRefused for unusual spellings."""
    if ":" in host:
        return IPv6Address(host)
    try:
        return IPv4Address(host)
    except ValueError:
        pass
    if _reads_as_ipv4(host):
        raise TargetRefused(gettext("Write the address in its usual form, like 203.0.113.7."))
    if not _NAME.match(host) or re.fullmatch(r"0x[0-9a-f]*|[0-9]+", host.rpartition(".")[2]):
        raise TargetRefused(gettext(NO_WEB_ADDRESS))
    return None


def _reads_as_ipv4(host: str) -> bool:
    """Return whether the C library reads it as an address in decimal, octal, hexadecimal or short form."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def _normalize_host(host: str) -> str:
    """Return the host as resolvers read it: compatibility forms made plain, lower case, no trailing dot.

    Raises ValueError for a name without an ASCII form.
    """
    plain = re.sub("[。．｡]", ".", unicodedata.normalize("NFKC", host)).lower().rstrip(".")
    return normalize_host(plain)


def _own_host() -> str:
    """Return our own public host name, or "" on loopback, where it could be any receiver's."""
    return "" if settings.LOOPBACK else _normalize_host(urlsplit(settings.PUBLIC_URL).hostname or "")
