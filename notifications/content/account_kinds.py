"""Define the types of events about apps and LinkedIn accounts."""

from django.utils.translation import gettext_noop as _

from accounts.core.enums import EventType
from notifications.content import examples, payload_schemas
from notifications.content.event_kinds import EventKind

ACCOUNT_KINDS = (
    EventKind(
        EventType.INSTALL,
        _("App installed"),
        _("The app was installed on a sub-account."),
        {**payload_schemas.LOCATION, **payload_schemas.INSTALLER, **payload_schemas.PROVIDER},
        {
            **examples.LOCATION,
            "installer_name": "Daniel Marr",
            "installer_email": "daniel@example.com",
            "ghl_user_id": "bHclZxQvtmD5wT7SYwsc",
        },
    ),
    EventKind(
        EventType.UNINSTALL,
        _("App uninstalled"),
        _("The app was removed from a sub-account; its LinkedIn accounts are disconnected."),
        {**payload_schemas.LOCATION, **payload_schemas.INSTALLER, **payload_schemas.PROVIDER},
        examples.LOCATION,
    ),
    EventKind(
        EventType.LINKEDIN_DISCONNECTED,
        _("LinkedIn account disconnected"),
        _("A LinkedIn account is no longer connected; its outreach stands still."),
        payload_schemas.ACCOUNT,
        examples.ACCOUNT,
        needs_action=True,
    ),
    EventKind(
        EventType.LINKEDIN_DELETED,
        _("LinkedIn account deleted"),
        _("A LinkedIn account was removed from its tool."),
        payload_schemas.ACCOUNT,
        examples.ACCOUNT,
    ),
    EventKind(
        EventType.LINKEDIN_BLOCKED,
        _("LinkedIn account blocked"),
        _("LinkedIn restricted an account."),
        payload_schemas.ACCOUNT,
        examples.ACCOUNT,
        urgent=True,
        needs_action=True,
    ),
    EventKind(
        EventType.LINKEDIN_AUTH_ERROR,
        _("LinkedIn sign-in failed"),
        _("A LinkedIn account has to sign in again."),
        {**payload_schemas.ACCOUNT, **payload_schemas.ERROR},
        {**examples.ACCOUNT, "error_detail": "Token expired"},
        needs_action=True,
    ),
    EventKind(
        EventType.LINKEDIN_RECONNECTED,
        _("LinkedIn account reconnected"),
        _("A LinkedIn account works again."),
        payload_schemas.ACCOUNT,
        examples.ACCOUNT,
    ),
    EventKind(
        EventType.LINKEDIN_RATE_LIMIT,
        _("LinkedIn limit reached"),
        _("A LinkedIn account reached a limit and has to pause."),
        {**payload_schemas.ACCOUNT, **payload_schemas.LIMIT},
        {
            **examples.ACCOUNT,
            "limit_type": "Daily",
            "api_name": "Search People",
            "resets_at": "2026-03-22T00:00:00.000Z",
        },
    ),
    EventKind(
        EventType.LINKEDIN_CONNECTED,
        _("LinkedIn account connected"),
        _("A LinkedIn account was connected for the first time, or again after it had been deleted."),
        payload_schemas.ACCOUNT,
        examples.OUR_ACCOUNT,
    ),
    EventKind(
        EventType.LINKEDIN_INCOMPLETE,
        _("LinkedIn account needs a step"),
        _("A LinkedIn account waits for somebody to finish connecting it, such as by entering a code."),
        payload_schemas.ACCOUNT,
        examples.OUR_ACCOUNT,
        needs_action=True,
    ),
    EventKind(
        EventType.LINKEDIN_TOKEN_EXPIRING,
        _("LinkedIn connection runs out"),
        _(
            "The permission to fetch leads from LinkedIn ends soon; somebody has to sign in again before. Told 14, 7, "
            "3 and 1 days ahead."
        ),
        {**payload_schemas.ACCOUNT, **payload_schemas.EXPIRY},
        {**examples.OUR_ACCOUNT, "provider": "linkedin", "expires_at": "2026-04-04T00:22:16.000Z"},
        needs_action=True,
    ),
    EventKind(
        EventType.LINKEDIN_FLAPPING,
        _("LinkedIn account unstable"),
        _(
            "A LinkedIn account lost its connection three times within an hour. People hear of it again when it has "
            "settled for half an hour, programs of every change."
        ),
        payload_schemas.ACCOUNT,
        examples.OUR_ACCOUNT,
        needs_action=True,
    ),
    EventKind(
        EventType.REAUTH_REQUESTED,
        _("LinkedIn account waits for its owner"),
        _(
            "A LinkedIn account has to be reconnected by its owner, who was sent a link for that. It is not in the "
            "body."
        ),
        payload_schemas.ACCOUNT,
        examples.OUR_ACCOUNT,
        needs_action=True,
    ),
)
