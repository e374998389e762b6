"""Call a CRM's API with a token, and sort its errors by what they mean for the work."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from accounts.providers.client import ApiResponse, ProviderError, send_request
from leads.crm.interface import CrmError, Failure

MAX_RESPONSE_BYTES = 4 * 1024 * 1024
MAX_RETRY_AFTER = 24 * 60 * 60  # seconds
INACTIVE = "location is not active"


@dataclass(frozen=True, slots=True)
class CrmClient:
    """The API of one connection. `headers` go with every request, beside the token."""

    name: str
    base: str
    access_token: str
    headers: Mapping[str, str]

    def call(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None) -> Any:
        """Make one call and return the JSON of its 2xx response. Raises CrmError."""
        return self.call_with_status(method, path, query=query, body=body)[1]

    def call_with_status(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> tuple[int, Any]:
        """Make one call and return the 2xx status and the JSON of its response. Raises CrmError."""
        headers = {"Authorization": f"Bearer {self.access_token}", "Accept": "application/json", **self.headers}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        return send(self.name, method, _url(self.base, path, query), headers, content)


def post_form(name: str, base: str, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Any:
    """POST a form, as OAuth does, and return the JSON of its 2xx response. Raises CrmError."""
    kinds = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return send(name, "POST", _url(base, path, None), {**kinds, **headers}, urlencode(form).encode())[1]


def send(name: str, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> tuple[int, Any]:
    """Make one request and return the 2xx status and JSON. Raises CrmError."""
    try:
        answer = send_request(name, method, url, headers=headers, body=content, max_bytes=MAX_RESPONSE_BYTES)
    except ProviderError:
        raise CrmError(Failure.DOUBTFUL) from None
    if not 200 <= answer.status < 300:
        raise CrmError(_failure(answer), status=answer.status, retry_after=_retry_after(answer))
    if answer.json is None and answer.status != 204:
        raise CrmError(Failure.DOUBTFUL, status=answer.status)
    return answer.status, answer.json


def _url(base: str, path: str, query: Mapping[str, str] | None) -> str:
    return f"{base.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")


def _failure(answer: ApiResponse) -> Failure:
    if answer.status in {401, 403} or (answer.status == 400 and INACTIVE in _message(answer)):
        return Failure.HELD
    if answer.status == 429:
        return Failure.THROTTLED
    if answer.status == 404:
        return Failure.MISSING
    return Failure.REFUSED if 400 <= answer.status < 500 else Failure.DOUBTFUL


def _message(answer: ApiResponse) -> str:
    body = answer.json
    return json.dumps(body.get("message", "")).casefold() if isinstance(body, dict) else ""


def _retry_after(answer: ApiResponse) -> int | None:
    text = answer.headers.get("retry-after", "")
    return min(int(text), MAX_RETRY_AFTER) if text.isascii() and text.isdigit() and len(text) < 10 else None
