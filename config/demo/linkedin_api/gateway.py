"""Answer every call to the stand-in: OAuth, the checks before each resource, and what a test lets happen."""

import json
import time
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from config.demo.linkedin_api import restli
from config.demo.linkedin_api.errors import Refusal, UndocumentedResponse
from config.demo.linkedin_api.resources import Resources
from config.demo.linkedin_api.world import World


class Gateway:
    """The API, independent of its transport."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.resources = Resources(world)

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
        return self.resources.answer(method, resource, unquote(rest), restli.query(query), body, scopes)

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
