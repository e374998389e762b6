"""Define the closed sets of values that the whole product uses. Pure, because wire adapters import this module too."""

from enum import StrEnum


class ProviderSlug(StrEnum):
    SALESFLOW = "salesflow"
    WELINK = "welink"
    SENDPILOT = "sendpilot"
    LINKEDIN = "linkedin"
    LINKEDCONNECTOR = "linkedconnector"
    HIGHLEVEL = "highlevel"


#: The display names of the providers.
PROVIDERS: dict[ProviderSlug, str] = {
    ProviderSlug.SALESFLOW: "Salesflow",
    ProviderSlug.WELINK: "We-Link",
    ProviderSlug.SENDPILOT: "SendPilot",
    ProviderSlug.LINKEDIN: "LinkedIn",
    ProviderSlug.LINKEDCONNECTOR: "LinkedConnector",
    ProviderSlug.HIGHLEVEL: "HighLevel",
}


def provider_choices() -> list[tuple[str, str]]:
    """Return the choices for columns. Migrations name this function instead of its result, so a new provider needs
    none."""
    return [(slug.value, name) for slug, name in PROVIDERS.items()]


def provider_name(slug: str) -> str:
    return PROVIDERS[ProviderSlug(slug)] if slug in set(ProviderSlug) else slug


class AccountStatus(StrEnum):
    ACTIVE = "active"
    INCOMPLETE = "incomplete"
    DISCONNECTED = "disconnected"
    AUTH_ERROR = "auth_error"
    BLOCKED = "blocked"
    DELETED = "deleted"


class SuggestedAction(StrEnum):
    NONE = "none"
    COMPLETE_ONBOARDING = "complete_onboarding"
    SOLVE_CHALLENGE = "solve_challenge"
    SIGN_IN_AGAIN = "sign_in_again"
    CONTACT_LINKEDIN = "contact_linkedin"
    WAIT = "wait"
    ARCHIVE = "archive"


class StatusReason(StrEnum):
    """Values of `status_reason` that change what Leadline does. Every other reason is the provider's text."""

    USER_ACTION = "user_action"
    UNINSTALLED = "uninstalled"


class ReauthContact(StrEnum):
    """Whom to ask to reconnect an account when neither the account nor its location has an address."""

    OWNER = "owner"
    TEAM = "team"
    NOBODY = "nobody"


class CampaignStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"


class PausedBy(StrEnum):
    """Who paused a campaign. `system` is Leadline; `provider` is the provider's own system."""

    SYSTEM = "system"
    USER = "user"
    API = "api"
    PROVIDER = "provider"


class IssueKind(StrEnum):
    """The kinds of issues that a source can have."""

    SILENT = "silent"
    REJECTING = "rejecting"
    AT_RISK = "at_risk"
    BLOCKED = "blocked"
    SLOW = "slow"
    LEAD_SYNC = "lead_sync"


def issue_choices() -> list[tuple[str, str]]:
    """Return the choices for columns, as `provider_choices` does."""
    return [(kind.value, kind.replace("_", " ")) for kind in IssueKind]


class IncidentCause(StrEnum):
    """The probable cause of many outages at once."""

    PROXY = "proxy"
    PROVIDER = "provider"
    PASSWORD = "password"  # noqa: S105 (a cause)
    UNKNOWN = "unknown"


class WordKind(StrEnum):
    """The kinds of words that a provider chooses freely and that Leadline has to know."""

    EVENT = "event"
    STATUS = "status"


def word_kind_choices() -> list[tuple[str, str]]:
    """Return the choices for columns, as `provider_choices` does."""
    return [(kind.value, kind.value) for kind in WordKind]


class RequestAction(StrEnum):
    """What a registered We-Link request was for (contract: `sources/{id}/requests`)."""

    LOGIN = "login"
    CONNECT = "connect"
    MESSAGE = "message"
    PROFILE = "profile"
    SEARCH = "search"


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    READ_ONLY = "read_only"


class EventType(StrEnum):
    """The types of events, by the names that agencies receive (contract: "What agencies receive")."""

    INSTALL = "install"
    UNINSTALL = "uninstall"
    LINKEDIN_DISCONNECTED = "linkedin_disconnected"
    LINKEDIN_DELETED = "linkedin_deleted"
    LINKEDIN_BLOCKED = "linkedin_blocked"
    LINKEDIN_AUTH_ERROR = "linkedin_auth_error"
    LINKEDIN_RECONNECTED = "linkedin_reconnected"
    LINKEDIN_RATE_LIMIT = "linkedin_rate_limit"
    LINKEDIN_CONNECTED = "linkedin_connected"
    LINKEDIN_INCOMPLETE = "linkedin_incomplete"
    LINKEDIN_TOKEN_EXPIRING = "linkedin_token_expiring"  # noqa: S105 (what happened, no secret)
    LINKEDIN_FLAPPING = "linkedin_flapping"
    REAUTH_REQUESTED = "reauth_requested"
    LEAD_CREATED = "lead_created"
    LEAD_STATUS_CHANGED = "lead_status_changed"
    LEAD_REPLIED = "lead_replied"
    LEAD_OPPORTUNITY = "lead_opportunity"
    LEAD_LOST = "lead_lost"
    LEAD_CONVERTED = "lead_converted"
    LEAD_HIGH_PRIORITY = "lead_high_priority"
    LEAD_ASSIGNED = "lead_assigned"
    LEAD_DUE_SOON = "lead_due_soon"
    LEAD_OVERDUE = "lead_overdue"
    LEAD_UNROUTED = "lead_unrouted"
    LEAD_MERGED = "lead_merged"
    LEAD_ERASED = "lead_erased"
    MESSAGE_RECEIVED = "message_received"
    MESSAGE_FAILED = "message_failed"
    RULE_DISABLED = "rule_disabled"
    TASK_CREATED = "task_created"
    TASK_OVERDUE = "task_overdue"
    TASK_DONE = "task_done"
    SEQUENCE_FINISHED = "sequence_finished"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_RESUMED = "campaign_resumed"
    SOURCE_SILENT = "source_silent"
    SOURCE_REJECTED = "source_rejected"
    SOURCE_AT_RISK = "source_at_risk"
    SOURCE_BLOCKED = "source_blocked"
    SOURCE_RECOVERED = "source_recovered"
    ACCOUNTS_INCIDENT = "accounts_incident"
    CHANNEL_VERIFICATION = "channel_verification"
    CHANNEL_FAILING = "channel_failing"
    CHANNEL_DISABLED = "channel_disabled"
    CHANNEL_RECOVERED = "channel_recovered"
    TEST = "test"
    MEMBER_INVITED = "member_invited"
    LEAD_ASSIGNED_TO_YOU = "lead_assigned_to_you"
    MEMBER_DIGEST = "member_digest"
    STAFF_ALERT = "staff_alert"


def event_type_choices() -> list[tuple[str, str]]:
    """Return the choices for columns, as `provider_choices` does."""
    return [(event_type.value, event_type.value) for event_type in EventType]


#: Events for Leadline's own staff. No agency sees them.
STAFF_EVENTS = frozenset({EventType.STAFF_ALERT})
#: Events that are mailed to one person. Neither channels nor the API show them.
PERSONAL_EVENTS = frozenset(
    {EventType.MEMBER_INVITED, EventType.LEAD_ASSIGNED_TO_YOU, EventType.MEMBER_DIGEST, *STAFF_EVENTS}
)
#: Events that agencies receive.
AGENCY_EVENTS = tuple(event_type.value for event_type in EventType if event_type not in PERSONAL_EVENTS)
