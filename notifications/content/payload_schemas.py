"""Define the fields of bodies that agencies receive, as JSON Schema: four are always present, the others if known."""

from collections.abc import Mapping
from typing import Any

from accounts.core.enums import IncidentCause, PausedBy, Role
from leads.enums import ChangedBy, ClockKind, EndReason, LeadStatus, TaskKind

Schema = dict[str, Any]


def _flag(description: str) -> Schema:
    return {"const": True, "description": description}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "minLength": 1, "description": description, **more}


_TIME = {"format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}

ALWAYS: dict[str, Schema] = {
    "event_type": _text("What happened."),
    "event_id": _text("Id of this event: the same however often it is sent, and the `webhook-id` header."),
    "ghl_company_id": _text("Your company id."),
    "timestamp": _text("When it happened, in UTC.", **_TIME),
}
LOCATION = {"ghl_location_id": _text("Id of the sub-account's location.")}
PROVIDER = {"provider": _text("The tool that told us.")}
INSTALLER = {
    "installer_name": _text("Who installed the app."),
    "installer_email": _text("Their e-mail address."),
    "ghl_user_id": _text("Their user id."),
}
ACCOUNT = {
    **LOCATION,
    "linkedin_account_id": _text("Id of the LinkedIn account in Leadline."),
    "linkedin_account_name": _text("Its display name, or else its e-mail address."),
    "linkedin_account_email": _text("Its e-mail address."),
    **PROVIDER,
}
ERROR = {"error_detail": _text("What the provider said went wrong.")}
LIMIT = {
    "limit_type": _text("Which limit, such as `Daily`."),
    "api_name": _text("What was limited, such as `Search People`."),
    "resets_at": _text("When the limit ends, in UTC.", **_TIME),
}
EXPIRY = {"expires_at": _text("When a person must have signed in again, in UTC.", **_TIME)}
CAMPAIGN = {
    "campaign_id": _text("Id of the campaign in Leadline."),
    "campaign_name": _text("Its name."),
}
PAUSE = {
    "paused_by": _text("Who paused it; `system` is Leadline.", enum=[paused_by.value for paused_by in PausedBy]),
    "pause_reason": _text("Why it was paused."),
}
LEAD_IDS = {
    "is_test": _flag("Somebody tried the form out: no real person."),
    "lead_id": _text("Id of the lead in Leadline."),
    "lead_external_id": _text("The provider's id of the lead."),
}
_STATUSES = [status.value for status in LeadStatus]
LEAD = {
    **ACCOUNT,
    **LEAD_IDS,
    "lead_name": _text("The lead's name."),
    "linkedin_url": _text("The lead's LinkedIn profile."),
    **CAMPAIGN,
    "status": _text("The lead's status now.", enum=_STATUSES),
    "status_label": _text("The same for people."),
    "previous_status": _text("The status before.", enum=_STATUSES),
    "changed_by": _text("Who changed it.", enum=[changed_by.value for changed_by in ChangedBy]),
    "details_pending": _flag("The answers have not been fetched yet; the lead's page and the API will have them."),
}
MERGED = {
    "merged_lead_ids": {
        "type": "array",
        "items": _text("Id of a lead that was merged into this one."),
        "description": "Ids of leads that are this lead now. They go on answering.",
    }
}
LEAD |= MERGED
ASSIGNEE = {
    "assigned_to": _text("Id of the member who has it now, as in `leads`."),
    "assigned_to_name": _text("Their name."),
}
CLOCK = {
    "clock": _text("Whether the first answer is due, or the next one.", enum=[kind.value for kind in ClockKind]),
    "due_at": _text("When the answer is due, in UTC.", **_TIME),
}
TASK = {
    "task_id": _text("Id of the task in Leadline."),
    "task_kind": _text("What it asks for.", enum=[kind.value for kind in TaskKind]),
    "task_title": _text("What is to be done."),
    "due_at": _text("When it is due, in UTC.", **_TIME),
}
SEQUENCE = {
    "sequence_id": _text("Id of the sequence in Leadline."),
    "sequence_name": _text("Its name."),
    "enrolment_id": _text("Id of the lead's enrolment."),
    "end_reason": _text("Why it ended.", enum=[reason.value for reason in EndReason]),
}
MESSAGE = {
    "message_id": _text("Id of the message in Leadline."),
    "thread_id": _text("Id of its conversation in Leadline."),
    "text": _text("What was written."),
    "is_preview": _flag("Only the beginning of the text is known."),
}
SENDING = {
    "message_state": _text(
        "`failed` was not sent; of one that is `unknown` nobody knows whether it was.", enum=["failed", "unknown"]
    )
}
OUTCOME = {"outcome": _text("What came of it.")}
ESCALATION = {"escalated_to": _text("Id of the member whom it was escalated to.")}
INVITATION = {"role": _text("What the invited person may do.", enum=[role.value for role in Role])}
SOURCE = {
    **LOCATION,
    "source_id": _text("Id of the source in Leadline."),
    "source_name": _text("Its name."),
    **PROVIDER,
    "error_detail": _text("What is known of the cause."),
}
INCIDENT = {
    "incident_id": _text("Id of the incident in Leadline."),
    "cause": _text("What probably caused it.", enum=[cause.value for cause in IncidentCause]),
    "count": {
        "type": "integer",
        "minimum": 0,
        "description": "How many accounts it had when it was opened; 0 when all of them are back.",
    },
    "account_ids": {
        "type": "array",
        "items": _text("Id of a LinkedIn account in Leadline."),
        "description": "Which accounts, at most 200.",
    },
    **PROVIDER,
}
RULE = {
    "rule_id": _text("Id of the rule."),
    "rule_name": _text("Its name."),
    "rule_kind": _text("What it decides: `routing`, `scoring`, `target` or `sequence`."),
    "error_detail": _text("Why it cannot be followed."),
}
DIGEST = {
    name: {"type": "integer", "minimum": 0, "description": description}
    for name, description in {
        "open_leads": "How many open leads they have.",
        "leads_to_answer": "How many of those wait for an answer.",
        "leads_overdue": "How many of those have waited too long.",
        "tasks_due": "How many of their tasks are due today, or were before.",
        "tasks_overdue": "How many of those are overdue.",
    }.items()
}
CHANNEL = {
    "channel_id": _text("Id of the channel."),
    "channel_name": _text("Its name."),
}

#: Field name --> its place in the documented examples.
_ORDER = {
    name: place
    for place, name in enumerate(
        dict.fromkeys(
            [
                *("event_type", "event_id", "ghl_company_id"),
                *LOCATION,
                *INSTALLER,
                *ACCOUNT,
                *ERROR,
                *LIMIT,
                *EXPIRY,
                *LEAD,
                *ASSIGNEE,
                *CLOCK,
                *ESCALATION,
                *TASK,
                *OUTCOME,
                *SEQUENCE,
                *PAUSE,
                *SOURCE,
                *INCIDENT,
                *RULE,
                *DIGEST,
                *CHANNEL,
            ]
        )
    )
}


def in_documented_order(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body with its fields in the order of the documentation, the time last.

    Databases do not keep the order of fields.
    """
    return dict(sorted(body.items(), key=lambda item: (item[0] == "timestamp", _ORDER.get(item[0], len(_ORDER)))))
