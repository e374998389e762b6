"""Provider events: what a provider said, in the product's terms and before anything is looked up.

Wire adapters (`webhooks/providers/<slug>.py`) produce them, `webhooks/processing/dispatch.py` applies them. Pure: the
standard library, the vocabularies, and what leads are named by.
Times are aware UTC; without `occurred_at` none was sent.
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
    """What a body says about whose it is. The source decides the agency; a body naming another one is quarantined."""

    company_id: str = ""
    location_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRef:
    """How a body names a LinkedIn account: the provider's id, or (LinkedConnector) location and display name."""

    external_id: str = ""
    tenant: Tenant = Tenant()
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReported:
    """A provider says in which state an account is. `passed_on`: told on even if our state does not change."""

    account: AccountRef
    status: AccountStatus
    occurred_at: datetime | None
    reason: str = ""
    error_detail: str = ""
    passed_on: EventType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRateLimited:
    account: AccountRef
    occurred_at: datetime | None
    resets_at: datetime | None = None
    limit_type: str = ""
    api_name: str = ""
    passed_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInstalled:
    tenant: Tenant
    occurred_at: datetime | None
    installer_name: str = ""
    installer_email: str = ""
    ghl_user_id: str = ""
    company_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUninstalled:
    tenant: Tenant
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """We-Link's answer to a request of the agency's. `action` is None where only the registered request can tell it.

    `stated`: the body names its event itself; else the action was inferred from its shape, and a registered request
    knows better.

    `code` is the error code in capitals (`WRONG_PASSWORD`, `PIN_REQUIRED`, `STATUS_429`, …), empty on success or where
    the failure is free text; `error` is the text as it came. `reply` marks a MESSAGE_REPLY.
    """

    request_id: str
    succeeded: bool
    action: RequestAction | None
    stated: bool = False
    code: str = ""
    error: str = ""
    reply: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStatusReported:
    """A lead's status. `stated`: the provider's own word (may move backwards); else derived (only forward)."""

    lead: Identity
    status: LeadStatus
    stated: bool
    occurred_at: datetime | None
    previous_status: LeadStatus | None = None
    changed_by: ChangedBy = ChangedBy.PROVIDER
    contact: Contact = Contact()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadNoted:
    """Something about a lead that is history only (a withdrawn invitation, a viewed profile, a failure)."""

    lead: Identity
    note: str
    occurred_at: datetime | None
    contact: Contact = Contact()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTagged:
    lead: Identity
    tags: tuple[str, ...]
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSubmitted:
    """LinkedIn LEAD_ACTION CREATED: somebody sent a lead form; the answers are fetched later."""

    external_id: str
    occurred_at: datetime
    lead_type: str = ""
    form: str = ""
    owner: str = ""
    associated_entity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadWithdrawn:
    """LinkedIn LEAD_ACTION DELETED: the lead is to be erased."""

    external_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReported:
    """`changed_by` is what the provider says: `api`, `user` or `system` (its own system, not ours); empty if unsaid."""

    external_id: str
    status: CampaignStatus
    occurred_at: datetime | None
    name: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToDo:
    """Understood, and without effect on accounts or leads."""

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
class Reading:
    """What a body says: its event type in the provider's word, the events, and the paths of fields we do not know."""

    event_type: str
    events: tuple[ProviderEvent, ...]
    unknown_fields: tuple[str, ...] = ()
