"""Define what Leadline asks of a CRM. A connector implements `Connector`; names of fields and ids are the CRM's own.

Every call may have been carried out although it failed (`Failure.DOUBTFUL`). So a connector looks for a record before
it creates one, and the same call may be repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.utils.translation import gettext_noop


class Failure(StrEnum):
    """List what a failed call means for the work that waits for it."""

    HELD = "held"  # nothing can succeed until a person acts
    THROTTLED = "throttled"  # to be repeated after `CrmError.retry_after`
    DOUBTFUL = "doubtful"  # it may have been carried out
    REFUSED = "refused"  # this record cannot be written as it is
    MISSING = "missing"  # the record was deleted in the CRM


SENTENCES = {
    Failure.HELD: gettext_noop("The CRM does not accept the connection any more. Connect it again."),
    Failure.THROTTLED: gettext_noop("The CRM wants a pause after so many requests."),
    Failure.DOUBTFUL: gettext_noop("The CRM did not confirm the change."),
    Failure.REFUSED: gettext_noop("The CRM did not accept the values."),
    Failure.MISSING: gettext_noop("The record does not exist in the CRM any more."),
}


class CrmError(Exception):
    """A CRM did not do what was asked. `retry_after` is in seconds, None where the CRM named no wait.

    The message quotes nothing of the request or the response.
    """

    def __init__(self, failure: Failure, *, status: int | None = None, retry_after: int | None = None) -> None:
        super().__init__(SENTENCES[failure])
        self.failure = failure
        self.status = status
        self.retry_after = retry_after


class DealStatus(StrEnum):
    """List the states of a deal."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class ContactWrite:
    """A contact as it shall be. `record_id` and `known` are empty where the lead has no contact yet; `known` holds the
    values that were last read from it or written to it."""

    lead_id: str
    fields: Mapping[str, str]
    email: str = ""
    phone: str = ""
    tags: Sequence[str] = ()
    record_id: str = ""
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SavedContact:
    """A contact that has the wanted values. `sent` holds the fields that were written."""

    record_id: str
    is_new: bool
    sent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DealWrite:
    """A deal of a contact as it shall be. `owner_id` and `lost_reason_id` may be empty."""

    contact_id: str
    name: str
    pipeline_id: str
    stage_id: str
    status: DealStatus = DealStatus.OPEN
    owner_id: str = ""
    lost_reason_id: str = ""
    record_id: str = ""


@dataclass(frozen=True, slots=True)
class TaskWrite:
    """A task about a contact. The same title and due time mean the same task."""

    contact_id: str
    title: str
    due_at: datetime
    text: str = ""
    owner_id: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its stages' names by id, in their order."""

    id: str
    name: str
    stages: Mapping[str, str]


class Connector(Protocol):
    """The calls of a CRM. Each raises CrmError."""

    def save_contacts(self, contacts: Sequence[ContactWrite]) -> dict[str, SavedContact | CrmError]:
        """Write contacts and return the result of each by its lead's id. An error of one does not stop the others.

        Raises CrmError for what stops all of them: held, throttled.
        """
        ...

    def save_deal(self, deal: DealWrite) -> str:
        """Find the contact's deal of the pipeline, or create it, give it these values, and return its id."""
        ...

    def save_task(self, task: TaskWrite) -> str:
        """Create the task unless the contact has it, and return its id."""
        ...

    def save_note(self, contact_id: str, text: str) -> str:
        """Create the note unless the contact has it, and return its id."""
        ...

    def owner_id(self, email: str) -> str:
        """Return the id of the CRM's user with this e-mail address, or an empty text."""
        ...

    def pipelines(self) -> list[Pipeline]:
        """Return the pipelines that deals can be in."""
        ...


def changed_fields(wanted: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the wanted values that a record does not have."""
    return {name: value for name, value in wanted.items() if known.get(name, "") != value}
