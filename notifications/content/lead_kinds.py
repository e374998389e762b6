"""Define the types of events about leads, messages to them, rules, tasks and sequences."""

from django.utils.translation import gettext_noop as _

from accounts.core.enums import EventType
from leads.enums import LeadStatus
from notifications.content import examples, payload_schemas
from notifications.content.event_kinds import EventKind

LEAD_KINDS = (
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
)
