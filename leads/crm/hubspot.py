"""Write contacts, deals, tasks and notes to HubSpot: https://developers.hubspot.com/docs/reference/api/crm

Contacts are upserted by e-mail address in batches. One bad record fails a batch, so the records of a refused batch are
written in halves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.utils import timezone

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

NAME = "HubSpot"
BATCH = 100
OBJECTS = "/crm/v3/objects"
#: HubSpot's own kinds of associations with a contact.
DEAL_TO_CONTACT, TASK_TO_CONTACT, NOTE_TO_CONTACT = 3, 204, 202


def client(base: str, access_token: str) -> CrmClient:
    """Return the client of a HubSpot account, for a private app's token or one of OAuth."""
    return CrmClient(NAME, base, access_token, {})


@dataclass(frozen=True, slots=True)
class HubSpot:
    """The connector of one HubSpot account."""

    api: CrmClient

    def save_contacts(self, contacts: Sequence[ContactWrite]) -> dict[str, SavedContact | CrmError]:
        """Change known contacts by id, and upsert the others by e-mail address, 100 in a call. See `Connector`.

        A contact without id and address is refused. Of unknown contacts with one address only the last is written.
        """
        results: dict[str, SavedContact | CrmError] = {}
        known: list[ContactWrite] = []
        by_email: dict[str, list[ContactWrite]] = {}
        for contact in contacts:
            if contact.record_id and not changed_fields(contact.fields, contact.known):
                results[contact.lead_id] = SavedContact(contact.record_id, is_new=False, sent={})
            elif contact.record_id:
                known.append(contact)
            elif contact.email:
                by_email.setdefault(contact.email.casefold(), []).append(contact)
            else:
                results[contact.lead_id] = CrmError(Failure.REFUSED)
        for start in range(0, len(known), BATCH):
            results.update(self._write("update", known[start : start + BATCH]))
        unknown = [same[-1] for same in by_email.values()]
        for start in range(0, len(unknown), BATCH):
            results.update(self._write("upsert", unknown[start : start + BATCH]))
        for same in by_email.values():
            results.update({contact.lead_id: results[same[-1].lead_id] for contact in same})
        return results

    def save_deal(self, deal: DealWrite) -> str:
        """Move the contact's deal of the pipeline, or create it. See `Connector`. A stage of HubSpot says itself
        whether a deal is won or lost."""
        properties = {"dealname": deal.name, "pipeline": deal.pipeline_id, "dealstage": deal.stage_id}
        if deal.owner_id:
            properties["hubspot_owner_id"] = deal.owner_id
        if deal.status is DealStatus.LOST and deal.lost_reason_id:
            properties["closed_lost_reason"] = deal.lost_reason_id
        if deal.record_id:
            try:
                return self._change_deal(deal.record_id, properties)
            except CrmError as error:
                if error.failure is not Failure.MISSING:
                    raise
        if found := self._find("deals", deal.contact_id, {"pipeline": deal.pipeline_id}):
            return self._change_deal(found, properties)
        return self._create("deals", properties, deal.contact_id, DEAL_TO_CONTACT)

    def save_task(self, task: TaskWrite) -> str:
        """Create the task unless the contact has it. See `Connector`."""
        wanted = {"hs_task_subject": task.title, "hs_timestamp": _milliseconds(task.due_at)}
        found = self._find("tasks", task.contact_id, wanted)
        properties = {**wanted, "hs_task_status": "NOT_STARTED", "hs_task_body": task.text}
        if task.owner_id:
            properties["hubspot_owner_id"] = task.owner_id
        return found or self._create("tasks", properties, task.contact_id, TASK_TO_CONTACT)

    def save_note(self, contact_id: str, text: str) -> str:
        """Create the note unless the contact has it. See `Connector`."""
        found = self._find("notes", contact_id, {"hs_note_body": text})
        properties = {"hs_note_body": text, "hs_timestamp": _milliseconds(timezone.now())}
        return found or self._create("notes", properties, contact_id, NOTE_TO_CONTACT)

    def owner_id(self, email: str) -> str:
        """Return the id of the account's owner with this address, or an empty text."""
        rows = _rows(self.api.call("GET", "/crm/v3/owners", query={"email": email, "limit": "1"}))
        return _id(rows[0]) if rows else ""

    def pipelines(self) -> list[Pipeline]:
        """Return the pipelines of deals."""
        return [
            Pipeline(
                _id(row), str(row.get("label", "")), {_id(s): str(s.get("label", "")) for s in row.get("stages", [])}
            )
            for row in _rows(self.api.call("GET", "/crm/v3/pipelines/deals"))
        ]

    def _write(self, operation: str, contacts: Sequence[ContactWrite]) -> dict[str, SavedContact | CrmError]:
        """Write contacts in one call, those of a refused call in halves. Return each result by its lead's id."""
        sent = {contact.lead_id: changed_fields(contact.fields, contact.known) for contact in contacts}
        inputs = [_input(contact, sent[contact.lead_id]) for contact in contacts]
        try:
            answer = self.api.call("POST", f"{OBJECTS}/contacts/batch/{operation}", body={"inputs": inputs})
        except CrmError as error:
            if error.failure not in {Failure.REFUSED, Failure.MISSING}:
                raise
            if len(contacts) == 1:
                return {contacts[0].lead_id: error}
            middle = len(contacts) // 2
            return {**self._write(operation, contacts[:middle]), **self._write(operation, contacts[middle:])}
        rows = {key: row for row in _rows(answer) for key in _keys(row)}
        results: dict[str, SavedContact | CrmError] = {}
        for contact in contacts:
            row = rows.get(contact.lead_id) or rows.get(contact.record_id or contact.email.casefold())
            results[contact.lead_id] = (
                SavedContact(_id(row), is_new=bool(row.get("new")), sent=sent[contact.lead_id])
                if row
                else CrmError(Failure.REFUSED)
            )
        return results

    def _change_deal(self, record_id: str, properties: Mapping[str, str]) -> str:
        self.api.call("PATCH", f"{OBJECTS}/deals/{quote(record_id, safe='')}", body={"properties": properties})
        return record_id

    def _find(self, kind: str, contact_id: str, properties: Mapping[str, str]) -> str:
        """Return the id of the contact's record with these properties, or an empty text."""
        filters = [{"propertyName": name, "operator": "EQ", "value": value} for name, value in properties.items()]
        filters.append({"propertyName": "associations.contact", "operator": "EQ", "value": contact_id})
        body = {"filterGroups": [{"filters": filters}], "limit": 1}
        rows = _rows(self.api.call("POST", f"{OBJECTS}/{kind}/search", body=body))
        return _id(rows[0]) if rows else ""

    def _create(self, kind: str, properties: Mapping[str, str], contact_id: str, association: int) -> str:
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": association}]
        body = {"properties": properties, "associations": [{"to": {"id": contact_id}, "types": types}]}
        record_id = _id(self.api.call("POST", f"{OBJECTS}/{kind}", body=body))
        if not record_id:
            raise CrmError(Failure.DOUBTFUL)
        return record_id


def _rows(answer: Any) -> list[dict[str, Any]]:
    rows = answer.get("results") if isinstance(answer, dict) else None
    return [row for row in rows or [] if isinstance(row, dict)]


def _id(row: Any) -> str:
    return str(row.get("id", "")) if isinstance(row, dict) else ""


def _input(contact: ContactWrite, properties: Mapping[str, str]) -> dict[str, Any]:
    """Return a contact as the batches take it: by its id, or by its address."""
    if contact.record_id:
        return {"id": contact.record_id, "properties": properties, "objectWriteTraceId": contact.lead_id}
    with_address = {**properties, "email": contact.email}
    ours = {"properties": with_address, "objectWriteTraceId": contact.lead_id}
    return {"id": contact.email, "idProperty": "email", **ours}


def _keys(row: Mapping[str, Any]) -> set[str]:
    """Return by what a result can be told: our lead's id, its own id and its address. Results need not have all."""
    properties = row.get("properties")
    email = properties.get("email") if isinstance(properties, dict) else ""
    return {str(key) for key in (row.get("objectWriteTraceId"), row.get("id"), str(email or "").casefold()) if key}


def _milliseconds(time: datetime) -> str:
    return str(int(time.timestamp() * 1000))
