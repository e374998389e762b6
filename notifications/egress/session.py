"""Send every outbound request whose address somebody else chose, with checks against requests into private networks.

Addresses are checked and pinned when the connection is opened (`socket_factory` also checks literal addresses).
Redirects are not followed, no setting comes from the environment, and responses are read up to a limit.
"""

import asyncio
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.utils.translation import gettext_noop
from yarl import URL

from accounts.core.wording import several
from notifications.egress.headers import Exchange, keep_request_headers, keep_response_headers
from notifications.egress.url_policy import NO_WEB_ADDRESS, Target, TargetRefused, check_address, check_url
from notifications.sentences import (
    CONNECTION_ERRORS,
    NOT_ANSWERED_IN_TIME,
    NOT_CONNECTED,
    NOT_CONNECTED_IN_TIME,
    REFUSED,
    REQUEST_FAILED,
)

CONNECT_TIMEOUT = 5
TOTAL_TIMEOUT = 15
BODY_TIMEOUT = 5  # seconds for the excerpt; the status decides the outcome
MAX_EXCERPT_BYTES = 4096
MAX_RETRY_AFTER = 24 * 3600
_RESOLVERS = ThreadPoolExecutor(max_workers=64, thread_name_prefix="dns")  # a hanging name server blocks one thread


class NoResponse(Exception):
    """Signal that no response arrived. The message gives the reason to people."""

    def __init__(self, message: str, exchange: Exchange) -> None:
        super().__init__(message)
        self.exchange = exchange


@dataclass(frozen=True, slots=True)
class Response:
    """Hold a receiver's response. `retry_after` is in seconds from now, at most a day."""

    status: int
    excerpt: str
    retry_after: float | None
    exchange: Exchange


class GuardedSession:
    """Post over HTTP, only to targets that `url_policy` allows. Make it on a running loop, and `close` it."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=CheckedResolver(resolver), socket_factory=_open_socket, limit=0, keepalive_timeout=10
            ),
            timeout=aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, connect=CONNECT_TIMEOUT),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            max_line_size=8190,
            max_field_size=8190,
            max_headers=128,
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )

    async def close(self) -> None:
        await self._session.close()

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Response:
        """Post and return the response, whatever its status. Raises TargetRefused and NoResponse."""
        request_url = _request_url(check_url(url))
        try:
            async with self._session.post(request_url, data=body, headers=headers, allow_redirects=False) as response:
                excerpt = await _excerpt(response)
                exchange = Exchange(
                    keep_request_headers(response.request_info.headers.items()),
                    keep_response_headers(response.headers.items()),
                )
                retry_after = _retry_after(response.headers.get("Retry-After", ""))
                return Response(response.status, excerpt, retry_after, exchange)
        except TargetRefused:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(refusal := getattr(error, "os_error", None), TargetRefused):
                raise refusal from None
            raise NoResponse(_error_message(error), Exchange(keep_request_headers(headers.items()))) from error


def _request_url(target: Target) -> URL:
    """Build the URL for aiohttp from the checked parts, so that aiohttp neither parses nor quotes them.

    Path and query are handed over together, so that they reach the request line unchanged.
    """
    path = target.path if target.path.startswith("/") else f"/{target.path}"
    url = URL.build(scheme=target.scheme, authority=target.authority, path=path, encoded=True)
    if (url.raw_host, url.explicit_port, url.raw_path_qs) != (target.host, target.port, path):
        raise TargetRefused(NO_WEB_ADDRESS)
    return url


class CheckedResolver(AbstractResolver):
    """Resolve names with the system's or the given resolver. Refuse a name if any of its addresses is refused."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await (self._inner.resolve(host, port, family) if self._inner else _look_up(host, port, family))
        for result in found:
            check_address(result["host"], port)
        return found

    async def close(self) -> None:
        if self._inner:
            await self._inner.close()


async def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    def ask() -> list[ResolveResult]:
        return [
            {
                "hostname": host,
                "host": str(address[0]),
                "port": port,
                "family": found_family,
                "proto": proto,
                "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            }
            for found_family, _, proto, _, address in socket.getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            )
        ]

    return await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)


def _open_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, proto, _, address = info
    check_address(str(address[0]), int(address[1]))
    return socket.socket(family=family, type=kind, proto=proto)


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """Return the first bytes of the body as text, or what arrived before an error or the time-out."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while len(body) < MAX_EXCERPT_BYTES and (
                chunk := await response.content.read(MAX_EXCERPT_BYTES - len(body))
            ):
                body += chunk
    except (aiohttp.ClientError, OSError):
        pass
    return bytes(body).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _retry_after(text: str) -> float | None:
    """Return the seconds that `Retry-After` (a number or a date, RFC 9110) asks for. None without a valid value."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(min(int(text[:9]), MAX_RETRY_AFTER))
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


_BAD_CERTIFICATE = gettext_noop("The receiver's TLS certificate is not valid.")
_OUTDATED_TLS = gettext_noop("No secure connection: the receiver speaks only outdated TLS.")
_TLS_FAILED = gettext_noop("No secure connection: TLS failed.")
_CERTIFICATES = {  # OpenSSL's verify code --> the message for people
    9: gettext_noop("The receiver's TLS certificate is not valid yet."),
    10: gettext_noop("The receiver's TLS certificate has expired."),
    18: gettext_noop("The receiver's TLS certificate is signed by itself: nobody vouches for it."),
    19: gettext_noop("The receiver's TLS certificate is signed by itself: nobody vouches for it."),
    20: gettext_noop("The receiver's TLS certificate is signed by nobody that we know, or its chain is not complete."),
    21: gettext_noop("The receiver's TLS certificate is signed by nobody that we know, or its chain is not complete."),
    62: gettext_noop("The receiver's TLS certificate is for another name."),
    64: gettext_noop("The receiver's TLS certificate is for another name."),
}


def _error_message(error: Exception) -> str:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return NOT_CONNECTED_IN_TIME(seconds=CONNECT_TIMEOUT)
        case TimeoutError():
            return NOT_ANSWERED_IN_TIME(seconds=TOTAL_TIMEOUT)
        case aiohttp.ClientConnectorCertificateError():
            return _CERTIFICATES.get(getattr(error.certificate_error, "verify_code", 0), _BAD_CERTIFICATE)
        case aiohttp.ClientSSLError():
            outdated = "PROTOCOL" in str(getattr(error.os_error, "reason", ""))
            return _OUTDATED_TLS if outdated else _TLS_FAILED
        case aiohttp.ClientConnectorDNSError():
            return gettext_noop("The name could not be resolved.")
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, ConnectionResetError):
            return gettext_noop(
                "No secure connection: the receiver broke off the TLS handshake. Does it speak TLS 1.2 or newer?"
            )
        case aiohttp.ClientConnectorError():
            strerror = error.os_error.strerror or ""
            return NOT_CONNECTED(reason=several(CONNECTION_ERRORS.get(strerror, strerror) or REFUSED))
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return gettext_noop("The receiver closed the connection without an answer.")
        case aiohttp.InvalidURL():
            return NO_WEB_ADDRESS
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return gettext_noop("The receiver's answer is not HTTP that can be read.")
        case _:
            return REQUEST_FAILED(error=type(error).__name__)
