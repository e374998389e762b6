"""Define every event type in one place: its title, its meaning, the body that agencies receive, an example.

Bodies are the flat JSON of the contract. A field without a value is absent, so all but the four common fields are
optional, and no other field is allowed.
"""

from django.utils.translation import gettext_noop as _

from accounts.core.enums import EventType, Role
from notifications.content import examples, payload_schemas
from notifications.content.account_kinds import ACCOUNT_KINDS
from notifications.content.event_kinds import EventKind
from notifications.content.lead_kinds import LEAD_KINDS

_KINDS = (
    *ACCOUNT_KINDS,
    *LEAD_KINDS,
    EventKind(
        EventType.CAMPAIGN_PAUSED,
        _("Campaign paused"),
        _("A campaign was paused."),
        {**payload_schemas.ACCOUNT, **payload_schemas.CAMPAIGN, **payload_schemas.PAUSE},
        {**examples.ACCOUNT, **examples.CAMPAIGN, "paused_by": "user", "provider": "sendpilot"},
    ),
    EventKind(
        EventType.CAMPAIGN_RESUMED,
        _("Campaign resumed"),
        _("A campaign runs again."),
        {**payload_schemas.ACCOUNT, **payload_schemas.CAMPAIGN, **payload_schemas.PAUSE},
        {**examples.ACCOUNT, **examples.CAMPAIGN, "provider": "sendpilot"},
    ),
    EventKind(
        EventType.SOURCE_SILENT,
        _("Source gone quiet"),
        _("A source that usually reports by now has sent nothing for longer than it ever does."),
        payload_schemas.SOURCE,
        {**examples.SOURCE, "error_detail": "Nothing has come for 3 hours."},
        needs_action=True,
    ),
    EventKind(
        EventType.SOURCE_REJECTED,
        _("Source refused"),
        _("Requests to a source are refused, mostly because its secret was changed on one side only."),
        payload_schemas.SOURCE,
        {**examples.SOURCE, "error_detail": "5 requests were refused."},
        needs_action=True,
    ),
    EventKind(
        EventType.SOURCE_AT_RISK,
        _("Source at risk"),
        _("LinkedIn's check of a source's address was missed; after three missed checks LinkedIn blocks it."),
        payload_schemas.SOURCE,
        {**examples.SOURCE, "error_detail": "1 of 3 checks was missed."},
        needs_action=True,
    ),
    EventKind(
        EventType.SOURCE_BLOCKED,
        _("Source blocked"),
        _("Three checks of a source's address were missed: LinkedIn blocks it and sends nothing more."),
        payload_schemas.SOURCE,
        {**examples.SOURCE, "error_detail": "3 of 3 checks were missed."},
        needs_action=True,
    ),
    EventKind(
        EventType.SOURCE_RECOVERED,
        _("Source works again"),
        _("A source that was silent, refused, at risk or blocked works again."),
        payload_schemas.SOURCE,
        examples.SOURCE,
    ),
    EventKind(
        EventType.ACCOUNTS_INCIDENT,
        _("Several LinkedIn accounts dropped"),
        _(
            "Several LinkedIn accounts stopped working at once; for people it takes the place of a message about each. "
            "Sent again, with `count` 0, when all of them are back."
        ),
        payload_schemas.INCIDENT,
        {
            "incident_id": "inc_01kqz4m3d8w5v9x2c7b6n1t0ry",
            "cause": "provider",
            "count": 3,
            "account_ids": [f"acc_01kqz4m3d8w5v9x2c7b6n1t0{end}" for end in ("rt", "ru", "rv")],
            "provider": "salesflow",
        },
        needs_action=True,
    ),
    EventKind(
        EventType.CHANNEL_VERIFICATION,
        _("Confirm your e-mail address"),
        _("An e-mail address was added; it gets nothing else until its owner confirms."),
        payload_schemas.CHANNEL,
        {**examples.CHANNEL, "channel_name": "Team inbox"},
        urgent=True,
    ),
    EventKind(
        EventType.CHANNEL_FAILING,
        _("Channel failing"),
        _("Four attempts in a row to reach one of your channels failed."),
        payload_schemas.CHANNEL,
        examples.CHANNEL,
        needs_action=True,
    ),
    EventKind(
        EventType.CHANNEL_DISABLED,
        _("Channel switched off"),
        _("One of your channels was switched off and gets nothing more until it is switched on again."),
        payload_schemas.CHANNEL,
        examples.CHANNEL,
        needs_action=True,
    ),
    EventKind(
        EventType.CHANNEL_RECOVERED,
        _("Channel works again"),
        _("One of your channels that had been failing works again."),
        payload_schemas.CHANNEL,
        examples.CHANNEL,
    ),
    EventKind(
        EventType.TEST,
        _("Test"),
        _("Somebody pressed the test button of a channel. Only that channel gets it."),
        payload_schemas.CHANNEL,
        examples.CHANNEL,
        urgent=True,
    ),
    EventKind(
        EventType.MEMBER_INVITED,
        _("Invitation"),
        _("Somebody was invited to the agency. Only they get it."),
        payload_schemas.INVITATION,
        {"role": Role.MANAGER.value},
        urgent=True,
    ),
    EventKind(
        EventType.LEAD_ASSIGNED_TO_YOU,
        _("Lead assigned to you"),
        _("A lead, or several, were assigned to a member. Only they get it."),
        {**payload_schemas.LEAD, **payload_schemas.ASSIGNEE, "count": payload_schemas.INCIDENT["count"]},
        {"lead_name": "Ada Lovelace", "assigned_to": "mem_01kqz4m3d8w5v9x2c7b6n1t0rz"},
        urgent=True,
    ),
    EventKind(
        EventType.MEMBER_DIGEST,
        _("Daily summary"),
        _("How many leads and tasks wait for a member, once a day. Only they get it."),
        payload_schemas.DIGEST,
        {"open_leads": 12, "leads_to_answer": 3, "leads_overdue": 1, "tasks_due": 4, "tasks_overdue": 2},
    ),
    EventKind(
        EventType.STAFF_ALERT,
        _("Alert for the staff"),
        _("An account dropped, or many did, or answers are slow. Only Leadline's staff gets it."),
        {**payload_schemas.ACCOUNT, **payload_schemas.INCIDENT, **payload_schemas.SOURCE},
        examples.OUR_ACCOUNT,
        urgent=True,
    ),
)

CATALOGUE: dict[EventType, EventKind] = {kind.event_type: kind for kind in _KINDS}
