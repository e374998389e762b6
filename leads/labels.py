"""Map the statuses and origins of leads to labels and tones, for back office and portal."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import EventType, provider_name
from accounts.core.labels import Label
from accounts.core.markup import badge
from leads.enums import (
    ChangedBy,
    ClockKind,
    EmailState,
    EndReason,
    EnrolmentState,
    HoldReason,
    ImportState,
    LeadStatus,
    LikenessReason,
    MessageAuthor,
    MessageState,
    ProposalDecision,
    RowOutcome,
    RowReason,
    SegmentKind,
    StepKind,
    StepState,
    StopReason,
    TaskKind,
    TemplateChannel,
    TriggerKind,
)
from leads.models import LeadChange, ResponseClock, Task
from leads.pipeline.provenance import ValueOrigin

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATUSES: dict[LeadStatus, Label] = {
    LeadStatus.PENDING: Label(_("New"), "quiet"),
    LeadStatus.CONNECTION_SENT: Label(_("Invitation sent"), "busy"),
    LeadStatus.CONNECTION_ACCEPTED: Label(_("Connected"), "busy"),
    LeadStatus.MESSAGE_SENT: Label(_("Message sent"), "busy"),
    LeadStatus.REPLY_RECEIVED: Label(_("Replied"), "good"),
    LeadStatus.OPPORTUNITY: Label(_("Opportunity"), "good"),
    LeadStatus.MEETING_BOOKED: Label(_("Meeting booked"), "good"),
    LeadStatus.NOT_INTERESTED: Label(_("Not interested"), "quiet"),
    LeadStatus.DONE: Label(_("Done"), "quiet"),
}
TEMPLATE_CHANNELS: "dict[TemplateChannel, _StrPromise]" = {
    TemplateChannel.EMAIL: _("E-mail"),
    TemplateChannel.LINKEDIN: _("LinkedIn"),
}
STEP_KINDS: "dict[StepKind, _StrPromise]" = {
    StepKind.EMAIL: _("E-mail"),
    StepKind.LINKEDIN_CONNECT: _("LinkedIn invitation"),
    StepKind.LINKEDIN_MESSAGE: _("LinkedIn message"),
    StepKind.PHONE_TASK: _("Call"),
    StepKind.WAIT: _("Wait"),
}
TRIGGER_KINDS: "dict[TriggerKind, _StrPromise]" = {
    TriggerKind.HAND: _("By hand"),
    TriggerKind.CREATED: _("When a lead comes"),
    TriggerKind.STATUS: _("When a lead reaches a status"),
    TriggerKind.TAG: _("When a lead gets a tag"),
}
ENROLMENT_STATES: dict[EnrolmentState, Label] = {
    EnrolmentState.ACTIVE: Label(_("Active"), "busy"),
    EnrolmentState.PAUSED: Label(_("Paused"), "warn"),
    EnrolmentState.FINISHED: Label(_("Finished"), "good"),
    EnrolmentState.STOPPED: Label(_("Stopped"), "quiet"),
}
#: Why a sequence ended for a lead: a closed list.
END_REASONS: dict[EndReason, Label] = {
    EndReason.COMPLETED: Label(_("All steps are done."), "good"),
    EndReason.REPLY: Label(_("The lead replied."), "good"),
    EndReason.OPT_OUT: Label(_("The lead wants no more messages."), "bad"),
    EndReason.NOT_INTERESTED: Label(_("The lead is not interested."), "quiet"),
    EndReason.MEETING_BOOKED: Label(_("A meeting is booked."), "good"),
    EndReason.CONVERTED: Label(_("The lead converted or is done."), "good"),
    EndReason.STOPPED: Label(_("A person stopped it."), "quiet"),
    EndReason.BOUNCE: Label(_("The e-mail address does not work."), "bad"),
    EndReason.MERGED: Label(_("The lead was merged with one that is in a sequence."), "quiet"),
    EndReason.LIVE_CAMPAIGN: Label(_("Not enrolled: the lead is in a campaign that goes on."), "warn"),
}
STEP_STATES: dict[StepState, Label] = {
    StepState.WAITING: Label(_("Waiting"), "busy"),
    StepState.DONE: Label(_("Done"), "good"),
    StepState.SKIPPED: Label(_("Skipped"), "quiet"),
    StepState.HELD: Label(_("Held"), "warn"),
    StepState.CANCELLED: Label(_("Cancelled"), "quiet"),
}
EMAIL_STATES: dict[EmailState, Label] = {
    EmailState.WAITING: Label(_("Waiting"), "busy"),
    EmailState.SENDING: Label(_("Being sent"), "busy"),
    EmailState.SENT: Label(_("Sent"), "good"),
    EmailState.HELD: Label(_("Held"), "warn"),
    EmailState.CANCELLED: Label(_("Cancelled"), "quiet"),
}
#: Why an e-mail waits for a person.
HOLD_REASONS: "dict[HoldReason, _StrPromise]" = {
    HoldReason.DOUBTFUL: _("Nobody knows whether it was sent. Look into the mailbox, then decide."),
    HoldReason.REFUSED: _("The mail server did not take it."),
    HoldReason.BOUNCED: _("The address does not work."),
    HoldReason.MISSING_VALUE: _("A field of the template has no value for this lead."),
    HoldReason.NO_ADDRESS: _("The lead has no e-mail address."),
    HoldReason.NO_SENDER: _("The address that your e-mails come from is not confirmed."),
}
CHANGED_BY_LABELS: "dict[ChangedBy, _StrPromise]" = {
    ChangedBy.API: _("the API"),
    ChangedBy.AUTOMATION: _("an automation"),
    ChangedBy.USER: _("a team member"),
    ChangedBy.PROVIDER: _("the provider"),
}
#: What happened to a lead, beside its reports.
HAPPENINGS: dict[str, Label] = {
    EventType.LEAD_DUE_SOON: Label(_("Answer due soon"), "warn"),
    EventType.LEAD_OVERDUE: Label(_("Answer overdue"), "bad"),
    EventType.LEAD_UNROUTED: Label(_("Unrouted"), "warn"),
    EventType.LEAD_HIGH_PRIORITY: Label(_("High priority"), "good"),
    EventType.TASK_CREATED: Label(_("Task created"), "quiet"),
    EventType.TASK_OVERDUE: Label(_("Task overdue"), "bad"),
    EventType.TASK_DONE: Label(_("Task done"), "good"),
    EventType.SEQUENCE_FINISHED: Label(_("Sequence ended"), "quiet"),
}
#: Why a row of a target list's file could not be read.
REFUSED_ROWS: "dict[str, _StrPromise]" = {
    "free_mail": _("a provider of free mail, not a company"),
    "no_domain": _("not a domain"),
    "no_name": _("not a name"),
    "too_long": _("longer than 300 characters"),
}
#: Labels for the origin of a contact field's value.
ORIGIN_LABELS: "dict[ValueOrigin, _StrPromise]" = {
    ValueOrigin.FORM: _("from the form"),
    ValueOrigin.PROVIDER: _("from the provider"),
    ValueOrigin.SCRAPE: _("from the profile"),
    ValueOrigin.ENRICHMENT: _("derived from other fields"),
    ValueOrigin.IMPORT: _("from an import"),
    ValueOrigin.PERSON: _("set via API"),
}
#: What makes two leads look like one person.
LIKENESS: "dict[str, _StrPromise]" = {
    LikenessReason.EMAIL: _("Same e-mail"),
    LikenessReason.PHONE: _("Same telephone"),
    LikenessReason.NAME_AND_COMPANY: _("Same name and company"),
}
PROPOSALS: dict[str, Label] = {
    "": Label(_("Open"), "busy"),
    ProposalDecision.MERGED: Label(_("Merged"), "good"),
    ProposalDecision.DISMISSED: Label(_("Not the same"), "quiet"),
}
IMPORT_STATES: dict[str, Label] = {
    ImportState.UPLOADING: Label(_("Uploading"), "busy"),
    ImportState.MAPPING: Label(_("Choose columns"), "warn"),
    ImportState.CHECKING: Label(_("Checking"), "busy"),
    ImportState.READY: Label(_("Ready to import"), "warn"),
    ImportState.RUNNING: Label(_("Importing"), "busy"),
    ImportState.DONE: Label(_("Imported"), "good"),
    ImportState.UNDOING: Label(_("Undoing"), "busy"),
    ImportState.UNDONE: Label(_("Undone"), "quiet"),
}
ROW_OUTCOMES: dict[str, Label] = {
    RowOutcome.NEW: Label(_("New lead"), "good"),
    RowOutcome.UPDATED: Label(_("Completes a lead"), "busy"),
    RowOutcome.DUPLICATE: Label(_("Duplicate"), "quiet"),
    RowOutcome.REFUSED: Label(_("Refused"), "bad"),
}
ROW_REASONS: "dict[str, _StrPromise]" = {
    RowReason.NO_CONTACT: _("no LinkedIn URL, e-mail address or telephone"),
    RowReason.BAD_EMAIL: _("not an e-mail address"),
    RowReason.BAD_PHONE: _("not a telephone number with its country"),
    RowReason.BAD_URL: _("not the URL of a LinkedIn profile"),
    RowReason.TOO_LONG: _("a value is too long"),
    RowReason.TOO_MANY_COLUMNS: _("more cells than columns"),
    RowReason.IN_FILE: _("an earlier row is about the same person"),
    RowReason.NOTHING_NEW: _("the lead has all of it already"),
}


def status_badge(status: str) -> SafeString:
    return STATUSES[LeadStatus(status)].badge() if status in set(LeadStatus) else badge(status, "busy")


CLOCK_KINDS: "dict[str, _StrPromise]" = {
    ClockKind.FIRST_RESPONSE: _("First response"),
    ClockKind.NEXT_RESPONSE: _("Next response"),
}
STOP_REASONS: "dict[str, _StrPromise]" = {
    StopReason.MESSAGE: _("Message"),
    StopReason.CALL: _("Phone call"),
    StopReason.ELSEWHERE: _("Answered elsewhere"),
    StopReason.MEETING_BOOKED: _("Meeting booked"),
    StopReason.CLOSED: _("Lead closed"),
    StopReason.MERGED: _("Merged with another lead"),
}
SEGMENT_KINDS: "dict[str, _StrPromise]" = {
    SegmentKind.PROVIDER: _("At the provider"),
    SegmentKind.HUB: _("In Leadline"),
    SegmentKind.WAITING: _("Outside working hours"),
    SegmentKind.PERSON: _("Waiting for an answer"),
}
DUE_STATES: dict[str, Label] = {
    "open": Label(_("On time"), "good"),
    "due_soon": Label(_("Due soon"), "warn"),
    "overdue": Label(_("Overdue"), "bad"),
}
TASK_KINDS: "dict[str, _StrPromise]" = {
    TaskKind.CALL: _("Call"),
    TaskKind.MESSAGE: _("Message"),
    TaskKind.OTHER: _("Other"),
}
TASK_OPEN, TASK_OVERDUE, TASK_DONE = Label(_("Open"), "busy"), Label(_("Overdue"), "bad"), Label(_("Done"), "good")
ANSWERED, ANSWERED_LATE = Label(_("Answered in time"), "good"), Label(_("Answered late"), "bad")
CALLED_OFF = Label(_("Ended without an answer"), "quiet")
ANSWERS = frozenset({StopReason.MESSAGE, StopReason.CALL, StopReason.ELSEWHERE})


def due_state(warn_at: datetime, due_at: datetime, now: datetime) -> str:
    """Return whether an answer is `open`, `due_soon` or `overdue`."""
    if now >= due_at:
        return "overdue"
    return "due_soon" if now >= warn_at else "open"


def due_label(warn_at: datetime, due_at: datetime, now: datetime) -> Label:
    """Return how long somebody has for an answer, or how late it is, with the tone of its state.

    Seconds are named below two minutes only.
    """
    left = (due_at - now).total_seconds()
    length = abs(left) if abs(left) < 120 else abs(left) // 60 * 60
    text = gettext("Due in %(time)s") if left > 0 else gettext("Overdue by %(time)s")
    tone = DUE_STATES[due_state(warn_at, due_at, now)].tone
    return Label(text % {"time": duration_text(length)}, tone)


def changed_by_name(change: LeadChange) -> str:
    """Return who changed a lead; a provider by its name."""
    if change.changed_by == ChangedBy.PROVIDER and change.reference is not None:
        return provider_name(change.reference.provider)
    return str(CHANGED_BY_LABELS[ChangedBy(change.changed_by)])


def task_state(task: Task, now: datetime) -> Label:
    if not task.is_open:
        return TASK_DONE
    return TASK_OVERDUE if task.due_at <= now else TASK_OPEN


def clock_state(clock: ResponseClock, now: datetime) -> Label:
    """Return how a clock stands, or how it ended."""
    if clock.is_open:
        return DUE_STATES[due_state(clock.warn_at, clock.due_at, now)]
    if clock.stop_reason not in ANSWERS:
        return CALLED_OFF
    return ANSWERED_LATE if clock.breached else ANSWERED


def duration_text(seconds: float) -> str:
    """Return a length of time in its two greatest units: “3 h 12 min”."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, gettext("d")), (hours, gettext("h")), (minutes, gettext("min")), (rest, gettext("s"))]
    first = next((place for place, (count, _unit) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count or first == len(parts) - 1)


#: Who wrote a message of a conversation.
MESSAGE_AUTHORS: "dict[MessageAuthor, str | _StrPromise]" = {
    MessageAuthor.LEAD: _("Lead"),
    MessageAuthor.MEMBER: _("Your team"),
    MessageAuthor.AUTOMATION: _("Sequence"),
}
#: What became of a message.
MESSAGE_STATES: dict[MessageState, Label] = {
    MessageState.RECEIVED: Label(_("Received"), "quiet"),
    MessageState.HELD: Label(_("Waits for the account"), "warn"),
    MessageState.QUEUED: Label(_("Will be sent"), "busy"),
    MessageState.SENDING: Label(_("Being sent"), "busy"),
    MessageState.SENT: Label(_("Sent"), "good"),
    MessageState.FAILED: Label(_("Not sent"), "bad"),
    MessageState.UNKNOWN: Label(_("Not known whether it was sent"), "bad"),
}
