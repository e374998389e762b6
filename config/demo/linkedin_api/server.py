"""Serve the stand-in's HTTP API."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from config.demo.linkedin_api import restli
from config.demo.linkedin_api.world import YEAR_MS, World

MAX_PER_PAGE = 500
LEAD_TYPES = {"SPONSORED", "EVENT", "COMPANY", "ORGANIZATION_PRODUCT"}


@dataclass
class StandIn:
    world: World
    base: str

    @property
    def oauth_base(self) -> str:
        return f"{self.base}/oauth/v2"


class Refusal(Exception):
    """An error in LinkedIn's words."""

    def __init__(self, status: int, message: str, *, service: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "status": status}
        self.body |= {"serviceErrorCode": service} if service else {}
        self.body |= {"code": code} if code else {}


class UndocumentedResponse(Exception):
    """A response in a form that LinkedIn does not document."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.status, self.body = status, body


@contextmanager
def serving(world: World | None = None, *, port: int = 0) -> Iterator[StandIn]:
    state = world or World()

    class Handler(_Handler):
        gateway = Gateway(state)

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield StandIn(state, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    gateway: "Gateway"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise the body waits 40 ms for the acknowledgement of the headers

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def log_message(self, *_: Any) -> None:
        """Log nothing, to keep the output clean."""

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0) or 0))
        status, headers, content = self.gateway.answer(method, self.path, self.headers, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Gateway:
    """The API, independent of its transport."""

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        try:
            status, answer, more = self._route(method, parts.path, parts.query, headers, body)
        except Refusal as refusal:
            status, answer, more = refusal.status, refusal.body, {}
        except UndocumentedResponse as odd:
            return odd.status, {"Content-Type": "text/html", "X-LI-UUID": "stand-in"}, odd.body.encode()
        except restli.Malformed as error:
            status, answer, more = 400, {"message": str(error), "status": 400, "code": "ILLEGAL_ARGUMENT"}, {}
        content = b"" if answer is None else json.dumps(answer).encode()
        return status, {"Content-Type": "application/json", "X-LI-UUID": "stand-in", **more}, content

    def _route(
        self, method: str, path: str, query: str, headers: Message, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        if path.startswith("/_stand_in/"):
            return 200, self._control(path.removeprefix("/_stand_in/"), json.loads(body or b"{}")), {}
        if path.startswith("/oauth/v2/"):
            return self._oauth(method, path.removeprefix("/oauth/v2/"), query, headers, body)
        if path.startswith("/v2/"):
            self._authorized(headers)
            if path in {"/v2/me", "/v2/userinfo"}:
                raise Refusal(
                    403, "Not enough permissions to access: me.GET.NO_VERSION", service=100, code="ACCESS_DENIED"
                )
        if not path.startswith("/rest/"):
            raise Refusal(404, "No virtual resource found", code="RESOURCE_NOT_FOUND")
        resource, _, rest = path.removeprefix("/rest/").partition("/")
        scopes = self._check_access(method, resource, headers)
        return self._rest(method, resource, unquote(rest), restli.query(query), body, scopes)

    # --- OAuth ------------------------------------------------------------------------------------

    def _oauth(
        self, method: str, what: str, query: str, headers: Message, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        world = self.world
        if (method, what) == ("GET", "authorization"):
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            if asked.get("response_type") != "code" or asked.get("client_id") != world.client_id:
                raise Refusal(400, "Bad request")
            code = world.authorize(asked["redirect_uri"], asked.get("scope", ""))
            back = urlencode({"code": code, "state": asked["state"]})
            return 302, None, {"Location": f"{asked['redirect_uri']}?{back}"}
        if method != "POST" or headers.get_content_type() != "application/x-www-form-urlencoded":
            raise Refusal(400, "invalid_request")
        form = dict(parse_qsl(body.decode()))
        if form.get("client_id") != world.client_id:
            return 400 if what == "introspectToken" else 401, {"error": "invalid_client"}, {}
        if form.get("client_secret") != world.client_secret:
            return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}, {}
        if what == "introspectToken":
            found = world.inspect(form.get("token", ""))
            return (200, found, {}) if found else (400, {"error": "invalid_request"}, {})
        granted = None
        if what == "accessToken" and form.get("grant_type") == "authorization_code":
            granted = world.exchange(form.get("code", ""), form.get("redirect_uri", ""))
        if what == "accessToken" and form.get("grant_type") == "refresh_token" and world.may_refresh:
            granted = world.renew(form.get("refresh_token", ""))
        if granted is None:
            return 400, {"error": "invalid_grant", "error_description": "The provided grant is invalid"}, {}
        return 200, granted, {}

    def _authorized(self, headers: Message) -> tuple[str, ...]:
        scheme, _, name = headers.get("Authorization", "").partition(" ")
        token = self.world.access.get(name) if scheme == "Bearer" else None
        if token is None:
            raise Refusal(401, "Invalid access token", service=65600, code="INVALID_ACCESS_TOKEN")
        if token.revoked:
            raise Refusal(
                401, "The token used in the request has been revoked by the user", service=65601,
                code="REVOKED_ACCESS_TOKEN",
            )  # fmt: skip
        if token.expires_at <= self.world.now():
            raise Refusal(401, "The token used in the request has expired", service=65602, code="EXPIRED_ACCESS_TOKEN")
        return token.scope

    def _check_access(self, method: str, resource: str, headers: Message) -> tuple[str, ...]:
        """Check what every call under /rest/ must pass: token, version, protocol, set failures and daily limits."""
        scopes = self._authorized(headers)
        version = headers.get("LinkedIn-Version", "")
        if version not in self.world.versions:
            raise Refusal(426, f"Requested version {version} is not active", code="NONEXISTENT_VERSION")
        if headers.get("X-Restli-Protocol-Version") != "2.0.0":
            raise Refusal(400, "Invalid query parameters passed to request", code="ILLEGAL_ARGUMENT")
        if method == "POST" and headers.get_content_type() != "application/json":
            raise Refusal(415, "Unsupported content type")
        self.world.calls[f"{method} {resource}"] += 1
        if self.world.slow:
            time.sleep(self.world.slow)
        if self.world.broken.get(resource, 0) > 0:
            self.world.broken[resource] -= 1
            raise Refusal(503, "Service unavailable")
        left = self.world.limits.get(resource)
        if left is not None:
            if left <= 0:
                raise Refusal(
                    429, "Resource level throttle limit for calls to this resource is reached.", service=101,
                    code="TOO_MANY_REQUESTS",
                )  # fmt: skip
            self.world.limits[resource] = left - 1
        return scopes

    # --- /rest/ -----------------------------------------------------------------------------------

    def _rest(
        self, method: str, resource: str, key: str, query: dict[str, Any], body: bytes, scopes: tuple[str, ...]
    ) -> tuple[int, Any, dict[str, str]]:
        needed = {"organizationAcls": "r_organization_admin", "adAccountUsers": "r_ads"}.get(
            resource, "r_marketing_leadgen_automation"
        )
        if needed not in scopes:
            raise Refusal(403, f"Not enough permissions to access: {resource}", service=100, code="ACCESS_DENIED")
        self._refuse(resource, {key}, _owner_in(query))
        match method, resource, bool(key):
            case "GET", "organizationAcls", False:
                return 200, self._acls(query), {}
            case "GET", "adAccountUsers", False:
                return 200, self._account_users(query), {}
            case "GET", "leadFormResponses", True:
                return 200, self._one_lead(key, query), {}
            case "GET", "leadFormResponses", False:
                return 200, self._leads(query), {}
            case "GET", "leadForms", True:
                return 200, self._form(int(key)), {}
            case "POST", "leadNotifications", False:
                return 201, None, {"x-restli-id": str(self._subscribe(json.loads(body)))}
            case "GET", "leadNotifications", False:
                return 200, self._subscriptions(query), {}
            case "DELETE", "leadNotifications", True:
                if self.world.subscriptions.pop(int(key), None) is None:
                    raise Refusal(404, "Subscription not found", code="NOT_FOUND")
                return 204, None, {}
        raise Refusal(404, f"Could not find entity {resource}", code="NOT_FOUND")

    def _refuse(self, resource: str, keys: set[str], owner: str) -> None:
        """Raise the refusal that was set for a resource, if one matches."""
        for refusal in self.world.refusals:
            if refusal.matches(resource, keys, owner):
                if refusal.body is not None:
                    raise UndocumentedResponse(refusal.status, refusal.body)
                raise Refusal(refusal.status, f"Not for you: {resource}", code="ACCESS_DENIED")

    def _owned(self, owner: dict[str, str]) -> None:
        roles = {**self.world.account_roles, **self.world.page_roles}
        if len(owner) != 1 or next(iter(owner.values())) not in roles:
            raise Refusal(403, "Not enough permissions to access: the owner", service=100, code="ACCESS_DENIED")

    def _page(self, rows: list[Any], query: dict[str, Any]) -> dict[str, Any]:
        start, count = int(query.get("start", 0)), int(query.get("count", 10))
        if start < 0 or not 0 < count <= MAX_PER_PAGE:
            raise Refusal(400, "Invalid paging", code="ILLEGAL_ARGUMENT")
        paging = {"start": start, "count": count, "links": [], "total": len(rows)}
        return {"paging": paging, "elements": rows[start : start + count]}

    def _acls(self, query: dict[str, Any]) -> dict[str, Any]:
        if query.get("q") != "roleAssignee":
            raise Refusal(400, "Finder not found", code="ILLEGAL_ARGUMENT")
        rows = [
            {"role": role, "organization": page, "roleAssignee": self.world.member, "state": "APPROVED"}
            for page, role in self.world.page_roles.items()
        ]
        return self._page(rows, query)

    def _account_users(self, query: dict[str, Any]) -> dict[str, Any]:
        if query.get("q") != "authenticatedUser":
            raise Refusal(400, "Finder not found", code="ILLEGAL_ARGUMENT")
        rows = [
            {"account": account, "user": self.world.member, "role": role}
            for account, role in self.world.account_roles.items()
        ]
        return self._page(rows, query)

    def _one_lead(self, key: str, query: dict[str, Any]) -> dict[str, Any]:
        lead = self.world.leads.get(key)
        if lead is None:
            raise Refusal(404, "Could not find entity", code="NOT_FOUND")
        if not self.world.shows(lead):
            raise Refusal(403, "Not enough permissions to access: the lead", service=100, code="ACCESS_DENIED")
        asked = {name.split(":")[0] for name in str(query.get("fields", "")).split(",")}
        return {name: value for name, value in lead.items() if not asked - {""} or name in asked}

    def _leads(self, query: dict[str, Any]) -> dict[str, Any]:
        if query.get("q") != "owner" or not isinstance(query.get("owner"), dict):
            raise Refusal(400, "Finder not found", code="ILLEGAL_ARGUMENT")
        unknown = set(query) - {
            *("q", "owner", "leadType", "limitedToTestLeads", "submittedAtTimeRange", "count", "start"),
            *("versionedLeadGenFormUrn", "associatedEntity", "fields"),
        }
        if unknown:
            raise Refusal(400, f"Query parameter '{unknown.pop()}' is undefined", code="QUERY_PARAM_NOT_ALLOWED")
        [owner] = query["owner"].values()
        if not self.world.sees(owner):  # no error, and no total
            return {"paging": {"start": int(query.get("start", 0)), "count": 10, "links": []}, "elements": []}
        window = query.get("submittedAtTimeRange") or {}
        first = max(int(window.get("start", 0)), self.world.now_ms() - YEAR_MS)
        last = int(window.get("end", self.world.now_ms()))
        rows = [
            lead
            for lead in list(self.world.leads.values())
            if lead["owner"] == query["owner"]
            and lead["leadType"] == query["leadType"]["leadType"]
            and first <= lead["submittedAt"] <= last
            and (query.get("limitedToTestLeads") != "true" or lead["testLead"])
            and query.get("versionedLeadGenFormUrn") in {None, lead["versionedLeadGenFormUrn"]}
            and self.world.shows(lead)
        ]
        page = self._page(sorted(rows, key=lambda lead: (-lead["submittedAt"], lead["id"])), query)
        self._refuse("leadFormResponses", {f"page of {lead['id']}" for lead in page["elements"]}, owner)
        if self.world.held_from is not None and page["paging"]["start"] >= self.world.held_from:
            self.world.held.set()
            self.world.released.wait(30)
        return page

    def _form(self, key: int) -> dict[str, Any]:
        if key not in self.world.forms:
            raise Refusal(404, "Could not find entity", code="NOT_FOUND")
        return self.world.forms[key]

    def _subscribe(self, wanted: dict[str, Any]) -> int:
        self._owned(wanted["owner"])
        allowed = {"webhook", "owner", "leadType", "associatedEntity", "versionedForm"}
        if set(wanted) - allowed or wanted.get("leadType") not in {
            "SPONSORED",
            "EVENT",
            "COMPANY",
            "ORGANIZATION_PRODUCT",
        }:
            raise Refusal(400, "Invalid subscription", code="ILLEGAL_ARGUMENT")
        if wanted in [{k: v for k, v in row.items() if k != "id"} for row in self.world.subscriptions.values()]:
            raise Refusal(409, "A subscription with these parameters exists", code="CONFLICT")
        if not self.world.challenge(wanted["webhook"]):
            raise Refusal(400, "This URL did not pass the security challenge check", code="ILLEGAL_ARGUMENT")
        number = max(self.world.subscriptions, default=100) + 1
        self.world.subscriptions[number] = {"id": number, **wanted}
        return number

    def _subscriptions(self, query: dict[str, Any]) -> dict[str, Any]:
        if query.get("q") != "criteria":
            raise Refusal(400, "Finder not found", code="ILLEGAL_ARGUMENT")
        owner, kind = query["owner"]["value"], query["leadType"]["leadType"]
        self._owned(owner)
        rows = [row for row in self.world.subscriptions.values() if (row["owner"], row["leadType"]) == (owner, kind)]
        return self._page(rows, query)

    # --- what happens on LinkedIn's side ------------------------------------------------------------

    def _control(self, what: str, body: dict[str, Any]) -> Any:
        world = self.world
        match what:
            case "submit":
                answers = body.pop("answers", None)
                return world.submit(answers, **body)
            case "submit_many":
                world.submit_many(**body)
                return {"leads": len(world.leads)}
            case "notify":
                return {"statuses": world.notify(**body)}
            case "remove":
                return {"removed": world.leads.pop(body["lead"], None) is not None}
            case "refuse":
                world.refuse(**body)
                return {"refusals": len(world.refusals)}
            case "allow":
                world.refusals.clear()
                return {"refusals": 0}
            case "roles":
                world.account_roles, world.page_roles = body["accounts"], body["pages"]
                return {"accounts": world.account_roles, "pages": world.page_roles}
            case "state":
                return {"calls": world.calls, "challenges": world.challenges, "subscriptions": world.subscriptions}
        raise Refusal(404, "No such thing to happen")


def _owner_in(query: dict[str, Any]) -> str:
    """Return the owner whose leads or subscriptions are asked for, or an empty text."""
    owner = query.get("owner")
    owner = owner.get("value", owner) if isinstance(owner, dict) else {}
    return next(iter(owner.values()), "") if isinstance(owner, dict) else ""
