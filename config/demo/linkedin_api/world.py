"""Hold the state behind the API: apps, tokens, a member with roles, forms, leads, subscriptions, limits."""

import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.request
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode

from config.demo.linkedin_api.forms import ACCOUNT, FORM, PAGE, SAMPLE_ANSWERS, answer_to, form, versioned

DAY = 86_400
ACCESS_LASTS, REFRESH_LASTS = 60 * DAY - 1, 365 * DAY
YEAR_MS = 365 * DAY * 1000
SCOPES = ("r_marketing_leadgen_automation", "r_ads", "r_organization_admin", "r_events")


@dataclass
class Token:
    scope: tuple[str, ...]
    created_at: float
    expires_at: float
    revoked: bool = False


@dataclass
class Refusal:
    """A refusal set for a resource, for one key of it or for one owner.

    `times` is for how many more responses (None: until it is cleared). `body` replaces the error's body.
    """

    resource: str
    key: str = ""
    owner: str = ""
    status: int = 403
    body: str | None = None
    times: int | None = None

    def matches(self, resource: str, keys: set[str], owner: str) -> bool:
        if self.resource != resource or self.times == 0 or (self.owner and self.owner != owner):
            return False
        if self.key and self.key not in keys:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class World:
    """LinkedIn's state. `offset` moves its clock by seconds; `versions` are the months that LinkedIn still serves."""

    client_id: str = "standin-client"
    client_secret: str = "li-client-secret-example"
    member: str = "urn:li:person:BcLKblgopR"
    may_refresh: bool = True
    offset: float = 0.0
    scopes: tuple[str, ...] = SCOPES
    versions: set[str] = field(default_factory=lambda: {f"2026{month:02}" for month in range(1, 13)})
    codes: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    access: dict[str, Token] = field(default_factory=dict)
    refresh: dict[str, Token] = field(default_factory=dict)
    account_roles: dict[str, str] = field(default_factory=lambda: {ACCOUNT: "ACCOUNT_MANAGER"})
    page_roles: dict[str, str] = field(default_factory=lambda: {PAGE: "ADMINISTRATOR"})
    forms: dict[int, dict[str, Any]] = field(default_factory=dict)
    leads: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[int, dict[str, Any]] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)  # resource --> calls left today
    broken: dict[str, int] = field(default_factory=dict)  # resource --> how many more responses are a 503
    refusals: list[Refusal] = field(default_factory=list)
    hidden_forms: set[int] = field(default_factory=set)  # the member may not see the leads of these forms
    slow: float = 0.0
    held_from: int | None = None  # pages of the back-fill from this start on wait for `released`
    held: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    calls: Counter[str] = field(default_factory=Counter)
    challenges: list[dict[str, Any]] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.forms:
            self.forms[FORM] = form()

    def now(self) -> float:
        return time.time() + self.offset

    # --- OAuth ---------------------------------------------------------------------------------

    def authorize(self, redirect_uri: str, scope: str) -> str:
        code = secrets.token_urlsafe(40)
        self.codes[code] = (redirect_uri, tuple(name for name in scope.split() if name in self.scopes))
        return code

    def exchange(self, code: str, redirect_uri: str) -> dict[str, Any] | None:
        expected, scope = self.codes.pop(code, ("", ()))
        if not expected or expected != redirect_uri:
            return None
        refresh = Token(scope, self.now(), self.now() + REFRESH_LASTS)
        name = secrets.token_urlsafe(300)
        self.refresh[name] = refresh
        return self._issue(name, refresh)

    def renew(self, name: str) -> dict[str, Any] | None:
        refresh = self.refresh.get(name)
        if refresh is None or refresh.revoked or refresh.expires_at <= self.now():
            return None
        return self._issue(name, refresh)

    def _issue(self, name: str, refresh: Token) -> dict[str, Any]:
        """Issue an access token. It never outlives its refresh token, and a refresh extends only the access token."""
        now = self.now()
        ends = min(now + ACCESS_LASTS, refresh.expires_at)
        access = secrets.token_urlsafe(370)
        self.access[access] = Token(refresh.scope, now, ends)
        answer = {"access_token": access, "expires_in": int(ends - now), "scope": ",".join(refresh.scope)}
        if self.may_refresh:
            answer |= {"refresh_token": name, "refresh_token_expires_in": int(refresh.expires_at - now)}
        return answer | {"token_type": "Bearer"}

    def inspect(self, name: str) -> dict[str, Any] | None:
        token = self.access.get(name) or self.refresh.get(name)
        if token is None:
            return None
        status = "revoked" if token.revoked else "expired" if token.expires_at <= self.now() else "active"
        return {
            "active": status == "active", "client_id": self.client_id, "authorized_at": int(token.created_at),
            "created_at": int(token.created_at), "status": status, "expires_at": int(token.expires_at),
            "scope": ",".join(token.scope), "auth_type": "3L",
        }  # fmt: skip

    def refuse(self, resource: str, **what: Any) -> None:
        """Refuse a resource, or a part of it, from now on (see Refusal)."""
        self.refusals.append(Refusal(resource, **what))

    def shows(self, lead: dict[str, Any]) -> bool:
        """Return whether the member has the roles that LinkedIn requires to see a lead."""
        [owner] = lead["owner"].values()
        form = int(lead["versionedLeadGenFormUrn"].rpartition("leadGenForm:")[2].partition(",")[0])
        return self.sees(owner) and form not in self.hidden_forms

    def sees(self, owner: str) -> bool:
        """Return whether the member may see an owner's leads. An ad account's leads also need a role on a page."""
        return bool(self.page_roles) if owner in self.account_roles else owner in self.page_roles

    def revoke(self) -> None:
        for token in (*self.access.values(), *self.refresh.values()):
            token.revoked = True

    # --- leads ---------------------------------------------------------------------------------

    def submit(self, answers: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Submit the form as a member, with an answer by each question's name. Notify nobody yet."""
        filled = dict(SAMPLE_ANSWERS if answers is None else answers)
        content = self.forms[more.pop("form", FORM)]
        response = {
            "owner": more.pop("owner", {"sponsoredAccount": ACCOUNT}),
            "submitter": "urn:li:person:" + secrets.token_urlsafe(8),
            "leadType": more.pop("leadType", "SPONSORED"),
            "leadMetadata": {"sponsoredLeadMetadata": {"campaign": "urn:li:sponsoredCampaign:198356826"}},
            "versionedLeadGenFormUrn": versioned(content),
            "id": more.pop("id", "") or f"{uuid.uuid4()}-6",
            "submittedAt": more.pop("submittedAt", 0) or int(self.now() * 1000),
            "testLead": more.pop("testLead", False),
            "associatedEntity": {"associatedCreative": "urn:li:sponsoredCreative:241257736"},
            "formResponse": {
                "consentResponses": [{"accepted": True, "consentId": 0}],
                "answers": [
                    answer_to(question, filled[question["name"]])
                    for question in content["content"]["questions"]
                    if question["name"] in filled
                ],
            },
            **more,
        }
        self.leads[response["id"]] = response
        return response

    def submit_many(self, count: int, *, prefix: str = "old", until: int = 0, every: int = 60_000, **more: Any) -> None:
        """Submit leads of the past: one a minute, going back from `until` (ms)."""
        last = until or int(self.now() * 1000) - DAY * 1000
        for number in range(count):
            answers = {"First name": f"Ada{number}", "Last name": "Archive", "Work email": f"ada{number}@example.com"}
            self.submit(answers, id=f"{prefix}-{number}-6", submittedAt=last - number * every, **more)

    def notify(self, lead: str, action: str = "CREATED", occurred_at: int = 0) -> list[int]:
        """Notify every subscription with the lead's owner and type. Return the status codes of the responses."""
        response = self.leads[lead]
        body = json.dumps(
            {
                "type": "LEAD_ACTION",
                "leadGenFormResponse": f"urn:li:leadGenFormResponse:{lead}",
                "leadGenForm": response["versionedLeadGenFormUrn"].replace(",", ", "),
                "owner": response["owner"],
                "associatedEntity": {"sponsoredCreative": "urn:li:sponsoredCreative:241257736"},
                "leadType": response["leadType"],
                "leadAction": action,
                "occurredAt": occurred_at or (response["submittedAt"] if action == "CREATED" else self.now_ms()),
            },
            separators=(",", ":"),
        ).encode()
        listening = [row for row in self.subscriptions.values() if (row["owner"], row["leadType"]) == _of(response)]
        statuses = [self._post(row["webhook"], body) for row in listening]
        self.sent += [(action, status) for status in statuses]
        return statuses

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    def _post(self, url: str, body: bytes) -> int:
        signature = hmac.new(self.client_secret.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-LI-Signature": signature}
        return _fetch(urllib.request.Request(url, body, headers))[0]

    def challenge(self, url: str) -> bool:
        """Return whether the webhook answers the challenge correctly within three seconds."""
        code = str(uuid.uuid4())
        expected = hmac.new(self.client_secret.encode(), code.encode(), hashlib.sha256).hexdigest()
        status, headers, body = _fetch(urllib.request.Request(f"{url}?{urlencode({'challengeCode': code})}"), 3)
        passed = status == 200 and headers.startswith("application/json")
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        passed = passed and answer == {"challengeCode": code, "challengeResponse": expected}
        self.challenges.append({"webhook": url, "passed": passed})
        return passed


def _fetch(request: urllib.request.Request, seconds: float = 15) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except URLError as error:
        return getattr(error, "code", 0), "", b""
    except OSError:
        return 0, "", b""


def _of(response: dict[str, Any]) -> tuple[dict[str, str], str]:
    return response["owner"], response["leadType"]
