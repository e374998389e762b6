"""Play HubSpot's API: contacts, deals, tasks, notes, owners and pipelines."""

import re
from typing import Any

from config.demo.crm_api.server import Request, World

OBJECT = re.compile(r"/crm/v3/objects/(deals|tasks|notes)(?:/([^/]+))?")
MAX_BATCH = 100


class HubSpotWorld(World):
    """One account. An address without an @ fails the batch that it is in, as HubSpot's do."""

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("authorization") != "Bearer pat-1":
            return 401, {"message": "Authentication credentials not found."}
        if request.path == "/crm/v3/objects/contacts/batch/upsert":
            return self._upsert(request.body["inputs"])
        if request.path == "/crm/v3/objects/contacts/batch/update":
            return self._update(request.body["inputs"])
        if request.path == "/crm/v3/owners":
            return 200, {"results": [{"id": "71"}] if request.query["email"] == "owner@example.com" else []}
        if request.path == "/crm/v3/pipelines/deals":
            stages = [{"id": "new", "label": "New"}, {"id": "engaged", "label": "Engaged"}]
            return 200, {"results": [{"id": "default", "label": "Sales", "stages": stages}]}
        if found := OBJECT.fullmatch(request.path):
            return self._object(request, found[1], found[2])
        return 404, {"message": "unknown"}

    def _upsert(self, inputs: list[dict[str, Any]]) -> tuple[int, Any]:
        emails = [each["id"] for each in inputs]
        if len(inputs) > MAX_BATCH or len({*emails}) < len(emails) or any("@" not in email for email in emails):
            return 400, {"status": "error", "category": "VALIDATION_ERROR"}
        results = []
        for each in inputs:
            same = [row for row in self.of("contact") if row["properties"]["email"] == each["id"]]
            row = same[0] if same else self.add("contact", {"properties": {}})
            row["properties"].update(each["properties"])
            results.append({**row, "new": not same, "objectWriteTraceId": each["objectWriteTraceId"]})
        return 200, {"results": results}

    def _update(self, inputs: list[dict[str, Any]]) -> tuple[int, Any]:
        contacts = self.records.get("contact", {})
        if len(inputs) > MAX_BATCH or any(each["id"] not in contacts for each in inputs):
            return 400, {"status": "error", "category": "VALIDATION_ERROR"}
        for each in inputs:
            contacts[each["id"]]["properties"].update(each["properties"])
        return 200, {"results": [contacts[each["id"]] for each in inputs]}

    def _object(self, request: Request, kind: str, part: str | None) -> tuple[int, Any]:
        if part == "search":
            filters = request.body["filterGroups"][0]["filters"]
            return 200, {"results": [row for row in self.of(kind) if all(_fits(row, each) for each in filters)]}
        if part:
            row = self.records.get(kind, {}).get(part)
            if row is None:
                return 404, {"message": "unknown"}
            row["properties"].update(request.body["properties"])
            return 200, row
        return 201, self.add(kind, request.body)


def _fits(row: dict[str, Any], condition: dict[str, str]) -> bool:
    if condition["propertyName"] == "associations.contact":
        return any(each["to"]["id"] == condition["value"] for each in row["associations"])
    return bool(row["properties"].get(condition["propertyName"]) == condition["value"])
