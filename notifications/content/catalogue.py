"""Define every event type in one place: its title, its meaning, the body that agencies receive, an example.

Bodies are the flat JSON of the contract. A field without a value is absent, so all but the four common fields are
optional, and no other field is allowed.
"""

from django.utils.translation import gettext_noop as _

from accounts.core.enums import EventType, Role
from leads.enums import LeadStatus
from notifications.content import examples, payload_schemas
from notifications.content.event_kinds import EventKind

_KINDS = (
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
    EventKind(
        EventType.LEAD_CREATED,
        _("New lead"),
        _("A lead was seen for the first time."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.PENDING),
    ),
    EventKind(
        EventType.LEAD_STATUS_CHANGED,
        _("Lead status changed"),
        _("A lead moved to another status."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.CONNECTION_ACCEPTED, LeadStatus.CONNECTION_SENT),
    ),
    EventKind(
        EventType.LEAD_REPLIED,
        _("Lead replied"),
        _("A lead answered; sent beside `lead_status_changed`."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.REPLY_RECEIVED, LeadStatus.MESSAGE_SENT),
        needs_action=True,
    ),
    EventKind(
        EventType.LEAD_OPPORTUNITY,
        _("New opportunity"),
        _("A lead became an opportunity; sent beside `lead_status_changed`."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.OPPORTUNITY, LeadStatus.REPLY_RECEIVED),
        urgent=True,
        needs_action=True,
    ),
    EventKind(
        EventType.LEAD_LOST,
        _("Lead not interested"),
        _("A lead is not interested."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.NOT_INTERESTED, LeadStatus.REPLY_RECEIVED),
    ),
    EventKind(
        EventType.LEAD_CONVERTED,
        _("Lead converted"),
        _("A lead reached what you count as a conversion for the first time. Sent once for each lead."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.MEETING_BOOKED, LeadStatus.OPPORTUNITY),
    ),
    EventKind(
        EventType.LEAD_HIGH_PRIORITY,
        _("Lead of high priority"),
        _("A lead's priority was raised to high."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.REPLY_RECEIVED),
        urgent=True,
        needs_action=True,
    ),
    EventKind(
        EventType.LEAD_ASSIGNED,
        _("Lead assigned"),
        _("A lead was given to a member of your team."),
        {**payload_schemas.LEAD, **payload_schemas.ASSIGNEE},
        {
            **examples.lead_in(LeadStatus.REPLY_RECEIVED),
            **examples.ASSIGNEE,
        },
        needs_action=True,
    ),
    EventKind(
        EventType.LEAD_DUE_SOON,
        _("Answer due soon"),
        _("A lead waits for an answer, and two thirds of the time for it have passed."),
        {**payload_schemas.LEAD, **payload_schemas.ASSIGNEE, **payload_schemas.CLOCK},
        {**examples.lead_in(LeadStatus.REPLY_RECEIVED), **examples.ASSIGNEE, **examples.CLOCK},
        needs_action=True,
    ),
    EventKind(
        EventType.LEAD_OVERDUE,
        _("Answer overdue"),
        _("A lead still waits for an answer, and the time for it has passed."),
        {**payload_schemas.LEAD, **payload_schemas.ASSIGNEE, **payload_schemas.CLOCK, **payload_schemas.ESCALATION},
        {**examples.lead_in(LeadStatus.REPLY_RECEIVED), **examples.ASSIGNEE, **examples.CLOCK},
        needs_action=True,
    ),
    EventKind(
        EventType.LEAD_UNROUTED,
        _("Lead without an owner"),
        _("No routing rule and no pool found an owner for a new lead. It stands on the list of unrouted leads."),
        payload_schemas.LEAD,
        examples.lead_in(LeadStatus.PENDING),
        needs_action=True,
    ),
    EventKind(
        EventType.LEAD_MERGED,
        _("Leads merged"),
        _("Two leads proved to be one person, or were merged by hand. The body has the id that stays."),
        payload_schemas.LEAD,
        {**examples.lead_in(LeadStatus.REPLY_RECEIVED), **examples.MERGED},
    ),
    EventKind(
        EventType.LEAD_ERASED,
        _("Lead erased"),
        _("A lead asked to be forgotten and was erased. The body has ids only: erase your copies too."),
        {**payload_schemas.LOCATION, **payload_schemas.LEAD_IDS, **payload_schemas.PROVIDER},
        {
            name: value
            for name, value in examples.LEAD.items()
            if name in {"ghl_location_id", "lead_id", "lead_external_id", "provider"}
        },
    ),
    EventKind(
        EventType.MESSAGE_RECEIVED,
        _("Message received"),
        _("A lead wrote a message. `lead_replied` comes beside it if the message changes the lead's status."),
        {**payload_schemas.LEAD, **payload_schemas.MESSAGE},
        {**examples.lead_in(LeadStatus.REPLY_RECEIVED), **examples.MESSAGE},
    ),
    EventKind(
        EventType.MESSAGE_FAILED,
        _("Message not sent"),
        _("A message to a lead could not be sent, or nobody knows whether it was sent. `error_detail` says why."),
        {**payload_schemas.LEAD, **payload_schemas.MESSAGE, **payload_schemas.SENDING, **payload_schemas.ERROR},
        {
            **examples.lead_in(LeadStatus.REPLY_RECEIVED),
            **examples.MESSAGE,
            "message_state": "failed",
            "text": "Does Tuesday suit you?",
            "error_detail": "SendPilot did not accept the message.",
        },
        needs_action=True,
    ),
    EventKind(
        EventType.RULE_DISABLED,
        _("Rule switched off"),
        _("A rule can no longer be followed, mostly because something that it names is gone. It was switched off."),
        payload_schemas.RULE,
        examples.RULE,
        needs_action=True,
    ),
    EventKind(
        EventType.TASK_CREATED,
        _("New task"),
        _("Somebody is to do something about a lead."),
        {**payload_schemas.LEAD, **payload_schemas.ASSIGNEE, **payload_schemas.TASK},
        {**examples.lead_in(LeadStatus.REPLY_RECEIVED), **examples.ASSIGNEE, **examples.TASK},
    ),
    EventKind(
        EventType.TASK_OVERDUE,
        _("Task overdue"),
        _("What was to be done about a lead is not done, and its time has passed."),
        {**payload_schemas.LEAD, **payload_schemas.ASSIGNEE, **payload_schemas.TASK},
        {**examples.lead_in(LeadStatus.REPLY_RECEIVED), **examples.ASSIGNEE, **examples.TASK},
        needs_action=True,
    ),
    EventKind(
        EventType.TASK_DONE,
        _("Task done"),
        _("What was to be done about a lead is done; `outcome` says what came of it."),
        {**payload_schemas.LEAD, **payload_schemas.ASSIGNEE, **payload_schemas.TASK, **payload_schemas.OUTCOME},
        {
            **examples.lead_in(LeadStatus.REPLY_RECEIVED),
            **examples.ASSIGNEE,
            **examples.TASK,
            "outcome": "Reached her: call again on Monday.",
        },
    ),
    EventKind(
        EventType.SEQUENCE_FINISHED,
        _("Sequence finished"),
        _("A sequence ended for a lead: all steps are done, or it was stopped. `end_reason` says why."),
        {**payload_schemas.LEAD, **payload_schemas.SEQUENCE},
        {**examples.lead_in(LeadStatus.CONNECTION_ACCEPTED), **examples.SEQUENCE},
    ),
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
