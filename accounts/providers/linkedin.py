"""Call LinkedIn's API: OAuth, introspection and Rest.li calls. Sort its errors by what people can do about them.

https://learn.microsoft.com/en-us/linkedin/shared/authentication/authentication,
https://learn.microsoft.com/en-us/linkedin/marketing/lead-sync/leadsync

In a Rest.li query parentheses and commas are structure and stay as they are; values inside are percent-encoded. No
response carries Retry-After: daily counters end at 00:00 UTC.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

import structlog
from django.conf import settings
from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.models import Source
from accounts.providers.client import ApiResponse, ProviderError, send_request

log = structlog.get_logger(__name__)

NAME = "LinkedIn"
RECONNECT_SALT = "accounts.linkedin.again"
MAX_RESPONSE_BYTES = 16 * 1024 * 1024


class ErrorKind(StrEnum):
    """The kinds of errors that call for different actions."""

    UNREACHABLE = "unreachable"
    BROKEN = "broken"
    UNREADABLE = "unreadable"
    THROTTLED = "throttled"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 (a kind of error)
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    SUNSET = "sunset"
    REFUSED = "refused"

    @property
    def passes(self) -> bool:
        """Return whether the same call may succeed a little later."""
        return self in {ErrorKind.UNREACHABLE, ErrorKind.BROKEN, ErrorKind.UNREADABLE}


TOKEN_ERRORS = frozenset({ErrorKind.REVOKED, ErrorKind.EXPIRED, ErrorKind.INVALID_TOKEN})
_SERVICE_CODES = {65600: ErrorKind.INVALID_TOKEN, 65601: ErrorKind.REVOKED, 65602: ErrorKind.EXPIRED}
_STATUSES = {
    401: ErrorKind.INVALID_TOKEN,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.NOT_FOUND,
    426: ErrorKind.SUNSET,
    429: ErrorKind.THROTTLED,
}
_MESSAGES = {
    ErrorKind.UNREACHABLE: gettext_noop("LinkedIn cannot be reached at the moment."),
    ErrorKind.BROKEN: gettext_noop("LinkedIn has a problem at the moment."),
    ErrorKind.UNREADABLE: gettext_noop("LinkedIn's answer cannot be read."),
    ErrorKind.THROTTLED: gettext_noop("LinkedIn's daily limit for this is used up. It starts anew at 00:00 UTC."),
    ErrorKind.REVOKED: gettext_noop(
        "The person who connected LinkedIn took the permission back. Somebody has to connect it again."
    ),
    ErrorKind.EXPIRED: gettext_noop(
        "The permission to read from LinkedIn has run out. Somebody has to connect it again."
    ),
    ErrorKind.INVALID_TOKEN: gettext_noop(
        "LinkedIn does not know our permission any more. Somebody has to connect it again."
    ),
    ErrorKind.FORBIDDEN: gettext_noop("LinkedIn says that the person who connected it may not see this."),
    ErrorKind.NOT_FOUND: gettext_noop("LinkedIn has nothing there, or does not show it to us."),
    ErrorKind.SUNSET: gettext_noop(
        "LinkedIn no longer serves the API version in the setting LINKEDIN_VERSION. Set it to a newer month (YYYYMM) "
        "from LinkedIn's list of versions."
    ),
    ErrorKind.REFUSED: gettext_noop("LinkedIn did not accept the request."),
}


class LinkedInError(ProviderError):
    """LinkedIn did not do what was asked. The message is for people; `api` is the resource that was called."""

    def __init__(self, kind: ErrorKind, *, status: int | None = None, api: str = "", detail: str = "") -> None:
        super().__init__(_MESSAGES[kind], status=status, code=kind)
        self.kind = kind
        self.api = api
        self.detail = detail[:300]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A developer app of LinkedIn, and the addresses of its API."""

    client_id: str
    client_secret: str
    api_base: str
    oauth_base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A person's permission. `refresh_token` is empty if LinkedIn gave none; the person then signs in every 60 days."""

    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """LinkedIn's status of a token: `active`, `expired` or `revoked`."""

    status: str
    expires_at: datetime | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a finder: its records, its number of elements (some may be no records), the total number where
    LinkedIn gives one, and whether it names a next page."""

    rows: list[dict[str, Any]]
    length: int
    total: int | None
    names_next: bool

    def is_last(self, seen: int, count: int) -> bool:
        """Return whether this page of at most `count`, which ends after `seen` elements, is the last one."""
        if not self.length or self.total is not None:
            return not self.length or seen >= (self.total or 0)
        return self.length < count and not self.names_next


def authorize_url(app: App, *, redirect_uri: str, state: str, scopes: tuple[str, ...]) -> str:
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": " ".join(scopes),
    }
    return f"{app.oauth_base}/authorization?{urlencode(query, quote_via=quote)}"


def exchange_code(app: App, *, code: str, redirect_uri: str) -> Grant:
    """Exchange an authorization code for a grant. Raises LinkedInError."""
    return _grant(app, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})


def refresh_grant(app: App, refresh_token: str) -> Grant:
    """Return a grant with a new access token. The refresh token keeps its end. Raises LinkedInError."""
    return _grant(app, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def introspect_token(app: App, token: str) -> Inspection:
    """Return LinkedIn's status of a token. The call needs no scope and costs no quota. Raises LinkedInError."""
    answer = _post_form(app, "introspectToken", {"token": token})
    ends = answer.get("expires_at")
    return Inspection(
        status=str(answer.get("status") or ("active" if answer.get("active") else "expired")),
        expires_at=_from_now(float(ends) - timezone.now().timestamp()) if isinstance(ends, int | float) else None,
        scopes=parse_scopes(answer.get("scope")),
    )


def parse_scopes(text: Any) -> tuple[str, ...]:
    """Split scopes. LinkedIn separates scopes by commas, the standard by spaces."""
    return tuple(sorted({scope for scope in str(text or "").replace(",", " ").split() if len(scope) <= 100}))


def reconnect_url(source: Source) -> str:
    """Return the address of Leadline's page that redirects to LinkedIn's consent page, for an owner who has to
    reconnect."""
    return f"{settings.PUBLIC_URL}/oauth/linkedin/again/{signing.dumps(source.pk, salt=RECONNECT_SALT)}"


class Api:
    """Calls under `/rest/` with one person's permission. Every method raises LinkedInError."""

    def __init__(self, app: App, access_token: str) -> None:
        self._app, self._base = app, f"{app.api_base}/rest"
        self._token = access_token

    def get(self, path: str, query: str = "") -> dict[str, Any]:
        """Return the record at `path`. `query` is an encoded Rest.li query."""
        record = self._call("GET", path, query).json
        if not isinstance(record, dict):
            raise LinkedInError(ErrorKind.UNREADABLE, api=path.partition("/")[0])
        return record

    def page(self, path: str, query: str) -> Page:
        """Return one page of a finder."""
        answer = self.get(path, query)
        rows, paging = answer.get("elements"), answer.get("paging")
        if not isinstance(rows, list):
            raise LinkedInError(ErrorKind.UNREADABLE, api=path)
        paging = paging if isinstance(paging, dict) else {}
        total = paging.get("total")
        links = paging["links"] if isinstance(paging.get("links"), list) else []
        return Page(
            rows=[row for row in rows if isinstance(row, dict)],
            length=len(rows),
            total=total if type(total) is int and total >= 0 else None,
            names_next=any(isinstance(link, dict) and link.get("rel") == "next" for link in links),
        )

    def profile(self, path: str) -> Any:
        """Return the person's data from `/v2/me` or `/v2/userinfo`. Each needs a scope of its own."""
        headers = {"Authorization": f"Bearer {self._token}", "X-Restli-Protocol-Version": "2.0.0"}
        return _request("GET", f"{self._app.api_base}/v2/{path}", headers, None, api=path).json

    def create(self, path: str, body: Mapping[str, Any]) -> str:
        """Create a record by POST and return its id."""
        return self._call("POST", path, body=body).headers.get("x-restli-id", "")

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def _call(self, method: str, path: str, query: str = "", body: Mapping[str, Any] | None = None) -> ApiResponse:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "LinkedIn-Version": settings.LINKEDIN_VERSION,
            "X-Restli-Protocol-Version": "2.0.0",
            "Content-Type": "application/json",
        }
        url = f"{self._base}/{path}" + (f"?{query}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        return _request(method, url, headers, content, api=path.partition("/")[0])


def encode_value(value: str) -> str:
    """Encode a value for a Rest.li query or path."""
    return quote(value, safe="")


def _grant(app: App, form: Mapping[str, str]) -> Grant:
    answer = _post_form(app, "accessToken", form)
    token, lifetime = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not 0 < len(token) <= 4000 or not isinstance(lifetime, int | float):
        raise LinkedInError(ErrorKind.REFUSED, api="accessToken")
    refresh_token, refresh_lifetime = answer.get("refresh_token"), answer.get("refresh_token_expires_in")
    return Grant(
        access_token=token,
        access_expires_at=_from_now(lifetime),
        refresh_token=refresh_token if isinstance(refresh_token, str) else "",
        refresh_expires_at=_from_now(refresh_lifetime) if isinstance(refresh_lifetime, int | float) else None,
        scopes=parse_scopes(answer.get("scope")),
    )


def _post_form(app: App, what: str, form: Mapping[str, str]) -> dict[str, Any]:
    body = urlencode({**form, "client_id": app.client_id, "client_secret": app.client_secret}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = _request("POST", f"{app.oauth_base}/{what}", headers, body, api=what).json
    return answer if isinstance(answer, dict) else {}


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, api: str) -> ApiResponse:
    try:
        answer = send_request(NAME, method, url, headers=headers, body=body, max_bytes=MAX_RESPONSE_BYTES)
    except ProviderError:
        raise LinkedInError(ErrorKind.UNREACHABLE, api=api) from None
    if 200 <= answer.status < 300:
        return answer
    kind = _kind_of(answer)
    support = {name: answer.headers[name] for name in ("x-li-uuid", "x-li-request-id") if name in answer.headers}
    log.warning("LinkedIn refused.", api=api, status=answer.status, kind=str(kind), **support)
    details = answer.json
    raise LinkedInError(
        kind, status=answer.status, api=api, detail=str(details.get("message", "")) if isinstance(details, dict) else ""
    )


def _kind_of(answer: ApiResponse) -> ErrorKind:
    details = answer.json
    code = details.get("serviceErrorCode") if isinstance(details, dict) else None
    if answer.status == 401 and code in _SERVICE_CODES:
        return _SERVICE_CODES[code]
    if answer.status >= 500:
        return ErrorKind.BROKEN
    return _STATUSES.get(answer.status, ErrorKind.REFUSED)


def _from_now(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=max(-1e9, min(float(seconds), 1e9)))
