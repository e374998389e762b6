"""Answer the calls under /rest/: roles, leads, forms and subscriptions."""

import json
from typing import Any

from config.demo.linkedin_api.errors import Refusal, UndocumentedResponse
from config.demo.linkedin_api.world import YEAR_MS, World

MAX_PER_PAGE = 500
LEAD_TYPES = {"SPONSORED", "EVENT", "COMPANY", "ORGANIZATION_PRODUCT"}


class Resources:
    """Answer what a member with a valid token asks of a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(
        self, method: str, resource: str, key: str, query: dict[str, Any], body: bytes, scopes: tuple[str, ...]
    ) -> tuple[int, Any, dict[str, str]]:
        """Return the status, body and headers of one call. Raises Refusal."""
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
        if set(wanted) - allowed or wanted.get("leadType") not in LEAD_TYPES:
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


def _owner_in(query: dict[str, Any]) -> str:
    """Return the owner whose leads or subscriptions are asked for, or an empty text."""
    owner = query.get("owner")
    owner = owner.get("value", owner) if isinstance(owner, dict) else {}
    return next(iter(owner.values()), "") if isinstance(owner, dict) else ""
