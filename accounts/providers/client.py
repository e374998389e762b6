"""One way to call a provider's API: short, bounded, without redirects, and with errors that people can read."""

import json
from collections.abc import Mapping
from typing import Any

import structlog
import urllib3
from urllib3.exceptions import HTTPError

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5
READ_SECONDS = 15
LONGEST_ANSWER = 256 * 1024

_pool = urllib3.PoolManager(
    num_pools=8, maxsize=4, retries=False, timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
)


class ProviderError(Exception):
    """The provider did not do what it was asked. The message is for the person who waits; it quotes nothing.

    `status` is its HTTP status, None if there was no answer; `code` its own word for the error, if it has one.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def post(provider: str, url: str, *, headers: Mapping[str, str], body: Mapping[str, Any] | None = None) -> Any:
    """POST JSON, answer the JSON of a 2xx. Raises ProviderError. Neither body nor answer is logged."""
    try:
        response = _pool.request(
            "POST",
            url,
            body=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json", **headers},
            redirect=False,
            preload_content=False,
            decode_content=True,
        )
        try:
            content = response.read(LONGEST_ANSWER, decode_content=True)
        finally:
            response.close()
    except HTTPError as error:
        log.warning("A provider's API did not answer.", provider=provider, error=type(error).__name__)
        raise ProviderError(f"{provider} cannot be reached at the moment. Try again in a few minutes.") from None
    return _judge(provider, response.status, content)


def _judge(provider: str, status: int, content: bytes) -> Any:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if 200 <= status < 300 and answer is not None:
        return answer
    code = str(answer.get("status", ""))[:64] if isinstance(answer, dict) else ""
    log.warning("A provider's API refused.", provider=provider, status=status)
    raise ProviderError(_message(provider, status), status=status, code=code)


def _message(provider: str, status: int) -> str:
    if status in {401, 403}:
        return f"{provider} did not accept the keys that are stored for it. Please tell the agency that sent you here."
    if status == 429:
        return f"{provider} wants a pause after so many tries. Try again in a few minutes."
    if 400 <= status < 500:
        return f"{provider} did not accept this. Check what you entered and try again."
    return f"{provider} has trouble at the moment. Try again in a few minutes."
