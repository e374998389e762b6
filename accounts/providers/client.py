"""Call a provider's API: with short time-outs, bounded answers, no redirects, and errors that people can read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import structlog
import urllib3
from django.utils import timezone
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 15
MAX_RESPONSE_BYTES = 256 * 1024
MAX_RETRY_AFTER = timedelta(hours=24)
#: Errors after which the provider has got nothing of the request.
NOT_CONNECTED = (NewConnectionError, ConnectTimeoutError)

_pool = urllib3.PoolManager(
    num_pools=8, maxsize=4, retries=False, timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
)


class ProviderError(Exception):
    """The provider did not do what was asked. The message is for the person who waits; it quotes nothing.

    `status` is the HTTP status, None without a response. `code` is the provider's own word for the error, if it has
    one. `was_sent` is False if no connection was made. `retry_after` is the wait that the provider asks for.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        was_sent: bool = True,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.was_sent = was_sent
        self.retry_after = retry_after

    @property
    def is_doubtful(self) -> bool:
        """Return whether the provider may have done what was asked, although it did not say so."""
        if self.status is None:
            return self.was_sent
        return not 400 <= self.status < 500 or self.status == HTTPStatus.REQUEST_TIMEOUT


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A provider's response of any status. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """Return the JSON of the body, or None if it is not JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


def send_request(
    provider: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    max_bytes: int = MAX_RESPONSE_BYTES,
) -> ApiResponse:
    """Make one request and return the response of any status. Raises ProviderError if there is none.

    Neither the request's nor the response's content is logged.
    """
    try:
        response = _pool.request(
            method, url, body=body, headers=headers, redirect=False, preload_content=False, decode_content=True
        )
        try:
            content = response.read(max_bytes, decode_content=True)
        finally:
            response.close()
    except HTTPError as error:
        log.warning("A provider's API did not answer.", provider=provider, error=type(error).__name__)
        raise ProviderError(
            f"{provider} cannot be reached at the moment. Try again in a few minutes.",
            was_sent=not isinstance(error, NOT_CONNECTED),
        ) from None
    return ApiResponse(response.status, {name.lower(): value for name, value in response.headers.items()}, content)


def post_json(provider: str, url: str, *, headers: Mapping[str, str], body: Mapping[str, Any] | None = None) -> Any:
    """POST JSON and return the JSON of a 2xx response. Raises ProviderError. Neither body is logged."""
    kinds = {"Content-Type": "application/json", "Accept": "application/json"}
    answer = send_request(provider, "POST", url, headers={**kinds, **headers}, body=json.dumps(body or {}).encode())
    return _json_of(provider, answer)


def _json_of(provider: str, answer: ApiResponse) -> Any:
    body = answer.json
    if 200 <= answer.status < 300 and body is not None:
        return body
    code = str(body.get("status", ""))[:64] if isinstance(body, dict) else ""
    log.warning("A provider's API refused.", provider=provider, status=answer.status)
    raise ProviderError(
        _message(provider, answer.status), status=answer.status, code=code, retry_after=retry_after(answer)
    )


def retry_after(answer: ApiResponse) -> timedelta | None:
    """Return the wait of a response's `Retry-After`, in seconds or as a date, at most MAX_RETRY_AFTER."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(timedelta(seconds=int(value)), MAX_RETRY_AFTER)
    try:
        wait = parsedate_to_datetime(value) - timezone.now()
    except (ValueError, TypeError):
        return None
    return max(timedelta(0), min(wait, MAX_RETRY_AFTER))


def _message(provider: str, status: int) -> str:
    if status in {401, 403}:
        return f"{provider} did not accept the keys that are stored for it. Please tell the agency that sent you here."
    if status == 429:
        return f"{provider} wants a pause after so many tries. Try again in a few minutes."
    if 400 <= status < 500:
        return f"{provider} did not accept this. Check what you entered and try again."
    return f"{provider} has a problem at the moment. Try again in a few minutes."
