"""Every event type in one place: what it is called, what it means, the body agencies receive, an example.

Bodies are the flat JSON of the contract: a field without a value is absent, so everything but the four that each body
has is optional, and nothing else may be in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.vocabulary import EventType, Role
from leads.vocabulary import LeadStatus
from notifications.bodies import (
    ACCOUNT,
    ALWAYS,
    CAMPAIGN,
    CHANNEL,
    ERROR,
    EXPIRY,
    INCIDENT,
    INSTALLER,
    INVITATION,
    LEAD,
    LEAD_IDS,
    LIMIT,
    LOCATION,
    PAUSE,
    PROVIDER,
    SOURCE,
    Schema,
    in_order,
)

_HEADINGS = {  # how an event type's name begins --> under which heading people find it
    "linkedin_": "LinkedIn accounts",
    "reauth_": "LinkedIn accounts",
    "accounts_": "LinkedIn accounts",
    "lead_": "Leads",
    "task_": "Tasks",
    "campaign_": "Campaigns",
    "source_": "Sources",
    "install": "App and sub-accounts",
    "uninstall": "App and sub-accounts",
}
_OTHERS = "These notifications"
#: In the order in which people read them.
HEADINGS = tuple(dict.fromkeys((*_HEADINGS.values(), _OTHERS)))


@dataclass(frozen=True, slots=True)
class EventKind:
    """One event type. `title` and `description` are for people.

    `urgent`: for people too it waits for no digest and no quiet hours. `asks`: somebody has to do something.
    """

    event_type: EventType
    title: str
    description: str
    fields: Mapping[str, Schema]
    example_fields: Mapping[str, Any]
    urgent: bool = False
    asks: bool = False

    @property
    def name(self) -> str:
        return self.event_type.value

    @property
    def heading(self) -> str:
        return next((title for start, title in _HEADINGS.items() if self.name.startswith(start)), _OTHERS)

    @property
    def schema(self) -> Schema:
        """JSON Schema (2020-12) of the body."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.title,
            "description": self.description,
            "type": "object",
            "properties": {**ALWAYS, "event_type": {**ALWAYS["event_type"], "const": self.name}, **self.fields},
            "required": list(ALWAYS),
            "additionalProperties": False,
        }

    @property
    def example(self) -> dict[str, Any]:
        return in_order(
            {
                "event_type": self.name,
                "event_id": "evt_01kqz4m3d8w5v9x2c7b6n1t0rs",
                "ghl_company_id": "fhRhvcLbntMZs3hVo5L4",
                "timestamp": "2026-03-21T00:22:16.000Z",
                **self.example_fields,
            }
        )


_EXAMPLE_LOCATION = {"ghl_location_id": "tdIePnL9kWCtdO7z6Md5"}
_EXAMPLE_ACCOUNT = {**_EXAMPLE_LOCATION, "linkedin_account_name": "John Doe"}
_EXAMPLE_OUR_ACCOUNT = {
    **_EXAMPLE_ACCOUNT,
    "linkedin_account_id": "acc_01kqz4m3d8w5v9x2c7b6n1t0rt",
    "linkedin_account_email": "john.doe@example.com",
    "provider": "salesflow",
}
_EXAMPLE_CAMPAIGN = {"campaign_id": "cmp_01kqz4m3d8w5v9x2c7b6n1t0rv", "campaign_name": "Founders in Berlin"}
_EXAMPLE_LEAD = {
    **_EXAMPLE_LOCATION,
    "lead_id": "lead_01kqz4m3d8w5v9x2c7b6n1t0rw",
    "lead_external_id": "8f14e45f",
    "lead_name": "Ada Lovelace",
    "linkedin_url": "https://www.linkedin.com/in/ada-lovelace",
    **_EXAMPLE_CAMPAIGN,
    "provider": "sendpilot",
}
_EXAMPLE_SOURCE = {
    "source_id": "src_01kqz4m3d8w5v9x2c7b6n1t0ry",
    "source_name": "LinkedIn lead forms",
    "provider": "linkedin",
}
_EXAMPLE_CHANNEL = {"channel_id": "chn_01kqz4m3d8w5v9x2c7b6n1t0rx", "channel_name": "CRM webhook"}


def _status(status: LeadStatus, previous: LeadStatus | None = None) -> dict[str, str]:
    example = {**_EXAMPLE_LEAD, "status": status.value, "status_label": status.label}
    return {**example, "previous_status": previous.value, "changed_by": "provider"} if previous else example


_KINDS = (
    EventKind(
        EventType.INSTALL,
        "App installed",
        "The app was installed on a sub-account.",
        {**LOCATION, **INSTALLER, **PROVIDER},
        {
            **_EXAMPLE_LOCATION,
            "installer_name": "Daniel Marr",
            "installer_email": "daniel@example.com",
            "ghl_user_id": "bHclZxQvtmD5wT7SYwsc",
        },
    ),
    EventKind(
        EventType.UNINSTALL,
        "App uninstalled",
        "The app was removed from a sub-account; its LinkedIn accounts are disconnected.",
        {**LOCATION, **INSTALLER, **PROVIDER},
        _EXAMPLE_LOCATION,
    ),
    EventKind(
        EventType.LINKEDIN_DISCONNECTED,
        "LinkedIn account disconnected",
        "A LinkedIn account is no longer connected; its outreach stands still.",
        ACCOUNT,
        _EXAMPLE_ACCOUNT,
        asks=True,
    ),
    EventKind(
        EventType.LINKEDIN_DELETED,
        "LinkedIn account deleted",
        "A LinkedIn account was removed from its tool.",
        ACCOUNT,
        _EXAMPLE_ACCOUNT,
    ),
    EventKind(
        EventType.LINKEDIN_BLOCKED,
        "LinkedIn account blocked",
        "LinkedIn restricted an account.",
        ACCOUNT,
        _EXAMPLE_ACCOUNT,
        urgent=True,
        asks=True,
    ),
    EventKind(
        EventType.LINKEDIN_AUTH_ERROR,
        "LinkedIn sign-in failed",
        "A LinkedIn account has to sign in again.",
        {**ACCOUNT, **ERROR},
        {**_EXAMPLE_ACCOUNT, "error_detail": "Token expired"},
        asks=True,
    ),
    EventKind(
        EventType.LINKEDIN_RECONNECTED,
        "LinkedIn account reconnected",
        "A LinkedIn account works again.",
        ACCOUNT,
        _EXAMPLE_ACCOUNT,
    ),
    EventKind(
        EventType.LINKEDIN_RATE_LIMIT,
        "LinkedIn limit reached",
        "A LinkedIn account reached a limit and has to pause.",
        {**ACCOUNT, **LIMIT},
        {
            **_EXAMPLE_ACCOUNT,
            "limit_type": "Daily",
            "api_name": "Search People",
            "resets_at": "2026-03-22T00:00:00.000Z",
        },
    ),
    EventKind(
        EventType.LINKEDIN_CONNECTED,
        "LinkedIn account connected",
        "A LinkedIn account was connected for the first time, or again after it had been deleted.",
        ACCOUNT,
        _EXAMPLE_OUR_ACCOUNT,
    ),
    EventKind(
        EventType.LINKEDIN_INCOMPLETE,
        "LinkedIn account needs a step",
        "A LinkedIn account waits for somebody to finish connecting it, such as by entering a code.",
        ACCOUNT,
        _EXAMPLE_OUR_ACCOUNT,
        asks=True,
    ),
    EventKind(
        EventType.LINKEDIN_TOKEN_EXPIRING,
        "LinkedIn connection runs out",
        "The permission to fetch leads from LinkedIn ends soon; somebody has to sign in again before. Told 14, 7, 3 "
        "and 1 days ahead.",
        {**ACCOUNT, **EXPIRY},
        {**_EXAMPLE_OUR_ACCOUNT, "provider": "linkedin", "expires_at": "2026-04-04T00:22:16.000Z"},
        asks=True,
    ),
    EventKind(
        EventType.LINKEDIN_FLAPPING,
        "LinkedIn account unstable",
        "A LinkedIn account lost its connection three times within an hour. People hear of it again when it has "
        "settled for half an hour, programs of every change.",
        ACCOUNT,
        _EXAMPLE_OUR_ACCOUNT,
        asks=True,
    ),
    EventKind(
        EventType.REAUTH_REQUESTED,
        "LinkedIn account waits for its owner",
        "A LinkedIn account has to be reconnected by its owner, who was sent a link for that. It is not in the body.",
        ACCOUNT,
        _EXAMPLE_OUR_ACCOUNT,
        asks=True,
    ),
    EventKind(
        EventType.LEAD_CREATED,
        "New lead",
        "A lead was seen for the first time.",
        LEAD,
        _status(LeadStatus.PENDING),
    ),
    EventKind(
        EventType.LEAD_STATUS_CHANGED,
        "Lead status changed",
        "A lead moved to another status.",
        LEAD,
        _status(LeadStatus.CONNECTION_ACCEPTED, LeadStatus.CONNECTION_SENT),
    ),
    EventKind(
        EventType.LEAD_REPLIED,
        "Lead replied",
        "A lead answered; sent beside `lead_status_changed`.",
        LEAD,
        _status(LeadStatus.REPLY_RECEIVED, LeadStatus.MESSAGE_SENT),
        asks=True,
    ),
    EventKind(
        EventType.LEAD_OPPORTUNITY,
        "New opportunity",
        "A lead became an opportunity; sent beside `lead_status_changed`.",
        LEAD,
        _status(LeadStatus.OPPORTUNITY, LeadStatus.REPLY_RECEIVED),
        urgent=True,
        asks=True,
    ),
    EventKind(
        EventType.LEAD_LOST,
        "Lead not interested",
        "A lead is not interested.",
        LEAD,
        _status(LeadStatus.NOT_INTERESTED, LeadStatus.REPLY_RECEIVED),
    ),
    EventKind(
        EventType.LEAD_HIGH_PRIORITY,
        "Lead of high priority",
        "A lead's priority was raised to high.",
        LEAD,
        _status(LeadStatus.REPLY_RECEIVED),
        urgent=True,
        asks=True,
    ),
    EventKind(
        EventType.LEAD_ERASED,
        "Lead erased",
        "A lead asked to be forgotten and was erased. The body has ids only: erase your copies too.",
        {**LOCATION, **LEAD_IDS, **PROVIDER},
        {
            name: value
            for name, value in _EXAMPLE_LEAD.items()
            if name in {"ghl_location_id", "lead_id", "lead_external_id", "provider"}
        },
    ),
    EventKind(
        EventType.CAMPAIGN_PAUSED,
        "Campaign paused",
        "A campaign was paused.",
        {**ACCOUNT, **CAMPAIGN, **PAUSE},
        {**_EXAMPLE_ACCOUNT, **_EXAMPLE_CAMPAIGN, "paused_by": "user", "provider": "sendpilot"},
    ),
    EventKind(
        EventType.CAMPAIGN_RESUMED,
        "Campaign resumed",
        "A campaign runs again.",
        {**ACCOUNT, **CAMPAIGN, **PAUSE},
        {**_EXAMPLE_ACCOUNT, **_EXAMPLE_CAMPAIGN, "provider": "sendpilot"},
    ),
    EventKind(
        EventType.SOURCE_SILENT,
        "Source gone quiet",
        "A source that usually reports by now has sent nothing for longer than it ever does.",
        SOURCE,
        {**_EXAMPLE_SOURCE, "error_detail": "Nothing has come for 3 hours."},
        asks=True,
    ),
    EventKind(
        EventType.SOURCE_REJECTED,
        "Source refused",
        "Requests to a source are refused, mostly because its secret was changed on one side only.",
        SOURCE,
        {**_EXAMPLE_SOURCE, "error_detail": "5 requests were refused."},
        asks=True,
    ),
    EventKind(
        EventType.SOURCE_AT_RISK,
        "Source at risk",
        "LinkedIn's check of a source's address was missed; after three missed checks LinkedIn blocks it.",
        SOURCE,
        {**_EXAMPLE_SOURCE, "error_detail": "1 of 3 checks was missed."},
        asks=True,
    ),
    EventKind(
        EventType.SOURCE_BLOCKED,
        "Source blocked",
        "Three checks of a source's address were missed: LinkedIn blocks it and sends nothing more.",
        SOURCE,
        {**_EXAMPLE_SOURCE, "error_detail": "3 of 3 checks were missed."},
        asks=True,
    ),
    EventKind(
        EventType.SOURCE_RECOVERED,
        "Source works again",
        "A source that was silent, refused, at risk or blocked works again.",
        SOURCE,
        _EXAMPLE_SOURCE,
    ),
    EventKind(
        EventType.ACCOUNTS_INCIDENT,
        "Several LinkedIn accounts dropped",
        "Several LinkedIn accounts stopped working at once; for people it takes the place of a message about each. "
        "Sent again, with `count` 0, when all of them are back.",
        INCIDENT,
        {
            "incident_id": "inc_01kqz4m3d8w5v9x2c7b6n1t0ry",
            "cause": "provider",
            "count": 3,
            "account_ids": [f"acc_01kqz4m3d8w5v9x2c7b6n1t0{end}" for end in ("rt", "ru", "rv")],
            "provider": "salesflow",
        },
        asks=True,
    ),
    EventKind(
        EventType.CHANNEL_VERIFICATION,
        "Confirm your e-mail address",
        "An e-mail address was added; it gets nothing else until its owner confirms.",
        CHANNEL,
        {**_EXAMPLE_CHANNEL, "channel_name": "Team inbox"},
        urgent=True,
    ),
    EventKind(
        EventType.CHANNEL_FAILING,
        "Channel failing",
        "Four attempts in a row to reach one of your channels failed.",
        CHANNEL,
        _EXAMPLE_CHANNEL,
        asks=True,
    ),
    EventKind(
        EventType.CHANNEL_DISABLED,
        "Channel switched off",
        "One of your channels was switched off and gets nothing more until it is switched on again.",
        CHANNEL,
        _EXAMPLE_CHANNEL,
        asks=True,
    ),
    EventKind(
        EventType.CHANNEL_RECOVERED,
        "Channel works again",
        "One of your channels that had been failing works again.",
        CHANNEL,
        _EXAMPLE_CHANNEL,
    ),
    EventKind(
        EventType.TEST,
        "Test",
        "Somebody pressed the test button of a channel. Only that channel gets it.",
        CHANNEL,
        _EXAMPLE_CHANNEL,
        urgent=True,
    ),
    EventKind(
        EventType.MEMBER_INVITED,
        "Invitation",
        "Somebody was invited to the agency. Only they get it.",
        INVITATION,
        {"role": Role.MANAGER.value},
        urgent=True,
    ),
    EventKind(
        EventType.STAFF_ALERT,
        "Alert for the staff",
        "An account dropped, or many did, or answers are slow. Only Leadline's staff gets it.",
        {**ACCOUNT, **INCIDENT, **SOURCE},
        _EXAMPLE_OUR_ACCOUNT,
        urgent=True,
    ),
)

CATALOGUE: dict[EventType, EventKind] = {kind.event_type: kind for kind in _KINDS}
