"""Write contacts, opportunities, tasks and notes to a location of HighLevel.

https://highlevel.stoplight.io/docs/integrations. Contacts and opportunities are never written with `upsert`: it drops a
second e-mail address and replaces all tags. HighLevel may answer 422 although it created the contact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from leads.crm.client import CrmClient
from leads.crm.interface import (
    ContactWrite,
    CrmError,
    DealStatus,
    DealWrite,
    Failure,
    Pipeline,
    SavedContact,
    TaskWrite,
    changed_fields,
)

NAME = "HighLevel"
VERSION = "2021-07-28"
#: How a custom field is named in a mapping: this and its id.
CUSTOM = "custom:"


def client(base: str, access_token: str) -> CrmClient:
    """Return the client with the version that contacts, opportunities, users and locations have."""
    return CrmClient(NAME, base, access_token, {"Version": VERSION})


@dataclass(frozen=True, slots=True)
class HighLevel:
    """The connector of one location."""

    api: CrmClient
    location_id: str

    def save_contacts(self, contacts: Sequence[ContactWrite]) -> dict[str, SavedContact | CrmError]:
        """Write contacts one by one: HighLevel has no batches. See `Connector`."""
        results: dict[str, SavedContact | CrmError] = {}
        for contact in contacts:
            try:
                results[contact.lead_id] = self._save_contact(contact)
            except CrmError as error:
                if error.failure in {Failure.HELD, Failure.THROTTLED} and not results:
                    raise
                results[contact.lead_id] = error
                if error.failure in {Failure.HELD, Failure.THROTTLED}:
                    break
        return results

    def save_deal(self, deal: DealWrite) -> str:
        """Move the contact's opportunity of the pipeline, or create it, and close it. See `Connector`."""
        if deal.record_id:
            try:
                return self._change_opportunity({"id": deal.record_id}, deal)
            except CrmError as error:
                if error.failure is not Failure.MISSING:
                    raise
        if found := self._find_opportunity(deal):
            return self._change_opportunity(found, deal)
        new = {"locationId": self.location_id, "contactId": deal.contact_id, "status": DealStatus.OPEN.value}
        created = _part(self.api.call("POST", "/opportunities/", body={**_values(deal), **new}), "opportunity")
        return self._change_opportunity({**_values(deal), **new, "id": created["id"]}, deal)

    def save_task(self, task: TaskWrite) -> str:
        """Create the task unless the contact has it. See `Connector`."""
        path = f"/contacts/{quote(task.contact_id, safe='')}/tasks"
        due = _as_text(task.due_at)
        body: dict[str, Any] = {"title": task.title, "dueDate": due, "completed": False}
        if task.text:
            body["body"] = task.text
        if task.owner_id:
            body["assignedTo"] = task.owner_id
        return self._create_once(
            path, "tasks", "task", body, lambda row: row.get("title") == task.title and _time(row.get("dueDate")) == due
        )

    def save_note(self, contact_id: str, text: str) -> str:
        """Create the note unless the contact has it. See `Connector`."""
        path = f"/contacts/{quote(contact_id, safe='')}/notes"
        return self._create_once(path, "notes", "note", {"body": text}, lambda row: row.get("body") == text)

    def owner_id(self, email: str) -> str:
        """Return the id of the location's user with this address, or an empty text."""
        users = _rows(self.api.call("GET", "/users/", query={"locationId": self.location_id}), "users")
        return next((_id(user) for user in users if str(user.get("email", "")).casefold() == email.casefold()), "")

    def pipelines(self) -> list[Pipeline]:
        """Return the location's pipelines."""
        answer = self.api.call("GET", "/opportunities/pipelines", query={"locationId": self.location_id})
        return [
            Pipeline(_id(row), str(row.get("name", "")), {_id(s): str(s.get("name", "")) for s in _rows(row, "stages")})
            for row in _rows(answer, "pipelines")
        ]

    def _save_contact(self, contact: ContactWrite) -> SavedContact:
        if contact.record_id:
            try:
                saved = self._change_contact(contact.record_id, contact, contact.known)
            except CrmError as error:
                if error.failure is not Failure.MISSING:
                    raise
                saved = self._find_or_create(contact)
        else:
            saved = self._find_or_create(contact)
        if contact.tags:
            self.api.call("POST", f"/contacts/{saved.record_id}/tags", body={"tags": list(contact.tags)})
        return saved

    def _find_or_create(self, contact: ContactWrite) -> SavedContact:
        if not contact.email and not contact.phone:
            raise CrmError(Failure.REFUSED)  # it could not be found again after a doubtful failure
        if found := self._find_contact(contact):
            return self._change_found(found, contact)
        try:
            answer = self.api.call(
                "POST", "/contacts/", body={"locationId": self.location_id, **_as_body(contact.fields)}
            )
        except CrmError as error:
            if error.status != 422 or not (found := self._find_contact(contact)):
                raise
            return self._change_found(found, contact)
        return SavedContact(_id(_part(answer, "contact")), is_new=True, sent=dict(contact.fields))

    def _change_found(self, found: Mapping[str, Any], contact: ContactWrite) -> SavedContact:
        """Change a contact that was searched. One that was found by telephone keeps its own e-mail address."""
        known = _fields_of(found)
        if known.get("email"):
            known["email"] = contact.fields.get("email", "")
        return self._change_contact(_id(found), contact, known)

    def _change_contact(self, record_id: str, contact: ContactWrite, known: Mapping[str, str]) -> SavedContact:
        changed = changed_fields(contact.fields, known)
        if changed:
            self.api.call("PUT", f"/contacts/{quote(record_id, safe='')}", body=_as_body(changed))
        return SavedContact(record_id, is_new=False, sent=changed)

    def _find_contact(self, contact: ContactWrite) -> dict[str, Any] | None:
        """Return the contact with the address, else the one with the telephone number."""
        for name, value in (("email", contact.email), ("number", contact.phone)):
            if value:
                query = {"locationId": self.location_id, name: value}
                answer = self.api.call("GET", "/contacts/search/duplicate", query=query)
                found = answer.get("contact") if isinstance(answer, dict) else None
                if isinstance(found, dict):
                    return found
        return None

    def _find_opportunity(self, deal: DealWrite) -> dict[str, Any] | None:
        query = {"location_id": self.location_id, "contact_id": deal.contact_id, "pipeline_id": deal.pipeline_id}
        rows = _rows(self.api.call("GET", "/opportunities/search", query=query), "opportunities")
        return next(iter(rows), None)

    def _change_opportunity(self, known: Mapping[str, Any], deal: DealWrite) -> str:
        """Move and close the opportunity as far as it is not as it shall be. Return its id."""
        path = f"/opportunities/{quote(_id(known), safe='')}"
        if changed := changed_fields(_values(deal), known):
            self.api.call("PUT", path, body=changed)
        if known.get("status") != deal.status:
            body = {"status": deal.status.value}
            if deal.status is DealStatus.LOST and deal.lost_reason_id:
                body["lostReasonId"] = deal.lost_reason_id
            self.api.call("PUT", f"{path}/status", body=body)
        return _id(known)

    def _create_once(
        self, path: str, many: str, one: str, body: Mapping[str, Any], is_same: Callable[[Mapping[str, Any]], bool]
    ) -> str:
        for row in _rows(self.api.call("GET", path), many):
            if is_same(row):
                return _id(row)
        return _id(_part(self.api.call("POST", path, body=body), one))


def _values(deal: DealWrite) -> dict[str, str]:
    values = {"pipelineId": deal.pipeline_id, "pipelineStageId": deal.stage_id, "name": deal.name}
    return {**values, "assignedTo": deal.owner_id} if deal.owner_id else values


def _as_body(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields as HighLevel takes them, custom ones in their list."""
    body: dict[str, Any] = {name: value for name, value in fields.items() if not name.startswith(CUSTOM)}
    custom = [(name.removeprefix(CUSTOM), value) for name, value in fields.items() if name.startswith(CUSTOM)]
    if custom:
        body["customFields"] = [{"id": field_id, "field_value": value} for field_id, value in custom]
    return body


def _fields_of(contact: Mapping[str, Any]) -> dict[str, str]:
    """Return a contact's values by the names that a mapping has for them."""
    fields = {name: value for name, value in contact.items() if isinstance(value, str)}
    for row in _rows(contact, "customFields"):
        fields[f"{CUSTOM}{row.get('id')}"] = str(row.get("value", ""))
    return fields


def _rows(answer: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects of a list. Stages come as a list in a list, as the specification has it, or without."""
    rows = answer.get(name) if isinstance(answer, dict) else None
    flat = [each for row in rows or [] for each in (row if isinstance(row, list) else [row])]
    return [row for row in flat if isinstance(row, dict)]


def _part(answer: Any, name: str) -> dict[str, Any]:
    """Return the created record. Raises CrmError if the response has none: nobody knows whether it was created."""
    part = answer.get(name, answer) if isinstance(answer, dict) else None
    if not isinstance(part, dict) or not part.get("id"):
        raise CrmError(Failure.DOUBTFUL)
    return part


def _id(row: Mapping[str, Any]) -> str:
    return str(row.get("id", ""))


def _as_text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(text: Any) -> str:
    try:
        return _as_text(datetime.fromisoformat(str(text)))
    except ValueError:
        return ""
