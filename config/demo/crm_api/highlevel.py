"""Play HighLevel's API: OAuth, contacts, opportunities, tasks, notes and users of a location."""

import re
from typing import Any

from config.demo.crm_api.server import Request, World

VERSION = "2021-07-28"
PIPELINE = {
    "id": "pipeline",
    "name": "LinkedIn",
    "stages": [{"id": "stage-new", "name": "New"}, {"id": "stage-engaged", "name": "Engaged"}],
}
CONTACT_PART = re.compile(r"/contacts/([^/]+)/(tasks|notes|tags)")
OPPORTUNITY = re.compile(r"/opportunities/([^/]+)(/status)?")
UNKNOWN = (404, {"message": "Not found"})


class HighLevelWorld(World):
    """One agency with one location. A refresh token is valid once."""

    refresh = "refresh-0"
    grants = 0

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.path.startswith("/oauth/"):
            return self._grant(request)
        if not request.headers.get("authorization", "").startswith("Bearer access-"):
            return 401, {"message": "Invalid JWT"}
        if request.headers.get("version") != VERSION:
            return 400, {"message": "version header is invalid"}
        if request.path.startswith("/contacts/"):
            return self._contacts(request)
        if request.path.startswith("/opportunities/"):
            return self._opportunities(request)
        if request.path == "/users/":
            return 200, {"users": [{"id": "user-1", "email": "Owner@example.com"}]}
        return UNKNOWN

    def _grant(self, request: Request) -> tuple[int, Any]:
        form = request.body
        if form.get("grant_type") == "refresh_token" and form["refresh_token"] != self.refresh:
            return 400, {"error": "invalid_grant"}
        self.grants += 1
        grant = {"access_token": f"access-{self.grants}", "expires_in": 86399, "companyId": "company"}
        if request.path == "/oauth/locationToken":
            if form["locationId"] == "inactive":
                return 400, {"message": "Location is not active"}
            return 200, {**grant, "locationId": form["locationId"]}
        self.refresh = f"refresh-{self.grants}"
        return 200, {**grant, "refresh_token": self.refresh}

    def _contacts(self, request: Request) -> tuple[int, Any]:
        if request.path == "/contacts/search/duplicate":
            wanted = {"email": request.query.get("email"), "phone": request.query.get("number")}
            same = [c for c in self.of("contact") if any(v and c.get(k) == v for k, v in wanted.items())]
            return 200, {"contact": same[0] if same else None}
        if request.path == "/contacts/":
            return 201, {"contact": self.add("contact", request.body)}
        if part := CONTACT_PART.fullmatch(request.path):
            return self._part(request, *part.groups())
        contact = self.records.get("contact", {}).get(request.path.removeprefix("/contacts/"))
        if contact is None:
            return UNKNOWN
        contact.update(request.body or {})
        return 200, {"contact": contact}

    def _part(self, request: Request, contact_id: str, kind: str) -> tuple[int, Any]:
        contact = self.records.get("contact", {}).get(contact_id)
        if contact is None:
            return UNKNOWN
        if kind == "tags":
            contact["tags"] = sorted({*contact.get("tags", []), *request.body["tags"]})
            return 201, {"tags": contact["tags"]}
        if request.method == "GET":
            return 200, {kind: [row for row in self.of(kind[:-1]) if row["contactId"] == contact_id]}
        return 201, {kind[:-1]: self.add(kind[:-1], {**request.body, "contactId": contact_id})}

    def _opportunities(self, request: Request) -> tuple[int, Any]:
        if request.path == "/opportunities/pipelines":
            return 200, {"pipelines": [PIPELINE]}
        if request.path == "/opportunities/search":
            wanted = {"contactId": request.query["contact_id"], "pipelineId": request.query["pipeline_id"]}
            return 200, {"opportunities": [o for o in self.of("opportunity") if wanted.items() <= o.items()]}
        if request.path == "/opportunities/":
            return 201, {"opportunity": self.add("opportunity", request.body)}
        found = OPPORTUNITY.fullmatch(request.path)
        opportunity = self.records.get("opportunity", {}).get(found[1]) if found else None
        if opportunity is None:
            return UNKNOWN
        opportunity.update(request.body)
        return 200, {"opportunity": opportunity}
