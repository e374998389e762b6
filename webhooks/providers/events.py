"""Define provider events: what a provider reports, in the product's terms, before any row is looked up.

Wire adapters (`webhooks/providers/<slug>.py`) make these events, `webhooks/processing/dispatch.py` applies them. Pure:
standard library, enums, and the DTOs of leads. Times are aware UTC; `occurred_at` is None if the provider sent no time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.core.enums import AccountStatus, CampaignStatus, EventType, RequestAction
from leads.enums import ChangedBy, LeadStatus
from leads.pipeline.dto import Contact, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Hold the company and location that a body names. A company that is not the source's is quarantined."""

    company_id: str = ""
    location_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRef:
    """Identify a LinkedIn account by the provider's id, or (LinkedConnector) by location and display name."""

    external_id: str = ""
    tenant: Tenant = Tenant()
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReported:
    """Report an account's status. `passed_on`: recorded as this event type even if no status changes."""

    account: AccountRef
    status: AccountStatus
    occurred_at: datetime | None
    reason: str = ""
    error_detail: str = ""
    passed_on: EventType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRateLimited:
    """Report that LinkedIn limits an account's rate. `passed_on`: recorded even if no state changes."""

    account: AccountRef
    occurred_at: datetime | None
    resets_at: datetime | None = None
    limit_type: str = ""
    api_name: str = ""
    passed_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInstalled:
    """Report that the agency's app was installed."""

    tenant: Tenant
    occurred_at: datetime | None
    installer_name: str = ""
    installer_email: str = ""
    ghl_user_id: str = ""
    company_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUninstalled:
    """Report that the agency's app was removed."""

    tenant: Tenant
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """Report the result of a We-Link request.

    `action` is None if only the registered request knows it. With `stated` the body names its event itself; otherwise
    `action` was inferred, and a registered request takes precedence. `code` is the error code in capitals
    (`WRONG_PASSWORD`, `PIN_REQUIRED`, `STATUS_429`, …), empty on success or for a failure in free text. `error` is the
    text as received. `reply` marks a MESSAGE_REPLY, and `text` is what the lead answered.
    """

    request_id: str
    succeeded: bool
    action: RequestAction | None
    stated: bool = False
    code: str = ""
    error: str = ""
    reply: bool = False
    text: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStatusReported:
    """Report a lead's status: `stated` by the provider (may move backwards), or derived (only forward).

    `text` is the message that was received or sent, or "". With `is_preview` it is only the beginning of the message.
    `by_person` says that a person, no sequence, wrote the message.
    """

    lead: Identity
    status: LeadStatus
    stated: bool
    occurred_at: datetime | None
    previous_status: LeadStatus | None = None
    changed_by: ChangedBy = ChangedBy.PROVIDER
    contact: Contact = Contact()
    text: str = ""
    is_preview: bool = False
    by_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadNoted:
    """Report something about a lead for its history only (a withdrawn invitation, a viewed profile, a failure)."""

    lead: Identity
    note: str
    occurred_at: datetime | None
    contact: Contact = Contact()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTagged:
    """Report all tags of a lead."""

    lead: Identity
    tags: tuple[str, ...]
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSubmitted:
    """Report a sent lead form (LinkedIn LEAD_ACTION CREATED). Its answers are fetched later."""

    external_id: str
    occurred_at: datetime
    lead_type: str = ""
    form: str = ""
    owner: str = ""
    associated_entity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadWithdrawn:
    """Report that a lead must be erased (LinkedIn LEAD_ACTION DELETED)."""

    external_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReported:
    """Report a campaign's status.

    `changed_by` is the provider's word: `api`, `user` or `system` (the provider's system, not ours), or "".
    """

    external_id: str
    status: CampaignStatus
    occurred_at: datetime | None
    name: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToDo:
    """Report something without effect on accounts or leads."""

    about: str


ProviderEvent = (
    AccountReported
    | AccountRateLimited
    | AppInstalled
    | AppUninstalled
    | RequestOutcome
    | LeadStatusReported
    | LeadNoted
    | LeadTagged
    | LeadSubmitted
    | LeadWithdrawn
    | CampaignReported
    | NothingToDo
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest:
    """Hold a body's event type in the provider's word, its events, and the paths of unknown fields."""

    event_type: str
    events: tuple[ProviderEvent, ...]
    unknown_fields: tuple[str, ...] = ()
