"""Define the closed sets of leads. Pure: wire adapters import this module too."""

import re
from collections.abc import Iterable
from enum import StrEnum

#: The language of a lead form, such as `en_US`.
LOCALE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?", re.ASCII)


class LeadStatus(StrEnum):
    """List the statuses of a lead, in the order in which a lead moves forward."""

    PENDING = "PENDING"
    CONNECTION_SENT = "CONNECTION_SENT"
    CONNECTION_ACCEPTED = "CONNECTION_ACCEPTED"
    MESSAGE_SENT = "MESSAGE_SENT"
    REPLY_RECEIVED = "REPLY_RECEIVED"
    OPPORTUNITY = "OPPORTUNITY"
    MEETING_BOOKED = "MEETING_BOOKED"
    NOT_INTERESTED = "NOT_INTERESTED"
    DONE = "DONE"

    @property
    def rank(self) -> int:
        """Return the status's place in the order of the enum. Derived statuses only move to a higher rank."""
        return list(LeadStatus).index(self)

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    LeadStatus.PENDING: "New",
    LeadStatus.CONNECTION_SENT: "Invitation sent",
    LeadStatus.CONNECTION_ACCEPTED: "Connected",
    LeadStatus.MESSAGE_SENT: "Message sent",
    LeadStatus.REPLY_RECEIVED: "Replied",
    LeadStatus.OPPORTUNITY: "Opportunity",
    LeadStatus.MEETING_BOOKED: "Meeting booked",
    LeadStatus.NOT_INTERESTED: "Not interested",
    LeadStatus.DONE: "Done",
}

STATUS_CHOICES = [(status, status.label) for status in LeadStatus]


#: Statuses of leads that answered and wait for the agency's answer.
AWAITING_REPLY = (LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY)
#: What an agency counts as a conversion unless it chooses otherwise, and what it may choose from.
DEFAULT_CONVERSIONS = (LeadStatus.OPPORTUNITY, LeadStatus.MEETING_BOOKED, LeadStatus.DONE)
#: Furthest statuses of leads that answered.
REPLIED = (LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY, LeadStatus.MEETING_BOOKED)
#: Statuses that say what became of a lead, not how far it came.
CLOSING = frozenset({LeadStatus.DONE})


#: Statuses that say that somebody or something wrote to the lead.
OUTBOUND = frozenset({LeadStatus.CONNECTION_SENT, LeadStatus.MESSAGE_SENT})
#: Statuses that end the pursuit of a lead: nobody waits for an answer any more.
ENDED = (LeadStatus.NOT_INTERESTED, LeadStatus.DONE)


class ClockKind(StrEnum):
    """List what a response clock measures: the time to the first response, or to the next one."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"


class Direction(StrEnum):
    """List who wrote a message: the lead, a person of the agency, or an automation."""

    FROM_LEAD = "from_lead"
    FROM_PERSON = "from_person"
    FROM_AUTOMATION = "from_automation"


class MessageAuthor(StrEnum):
    """List who wrote a message of a conversation."""

    LEAD = "lead"
    MEMBER = "member"
    AUTOMATION = "automation"


class MessageDirection(StrEnum):
    """List which way a message went, as the agency sees it."""

    IN = "in"
    OUT = "out"


class MessageState(StrEnum):
    """List what became of a message. `unknown`: the provider may have sent it, and a person has to decide."""

    RECEIVED = "received"
    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class SendingKind(StrEnum):
    """List what a provider is asked to send. An invitation has a note, or no text."""

    MESSAGE = "message"
    INVITATION = "invitation"


class SendingChannel(StrEnum):
    """List over which channels a message to a lead is sent."""

    LINKEDIN = "linkedin"


class StopReason(StrEnum):
    """List why a response clock stopped."""

    MESSAGE = "message"
    CALL = "call"
    ELSEWHERE = "elsewhere"
    MEETING_BOOKED = "meeting_booked"
    CLOSED = "closed"
    MERGED = "merged"


class LossCause(StrEnum):
    """List the causes of a loss that history proves, the first that holds counts."""

    ACCOUNT_DOWN = "account_down"
    NO_OWNER = "no_owner"
    NEVER_ANSWERED = "never_answered"
    LATE = "late"
    OTHER = "other"


class TaskKind(StrEnum):
    """List what a task asks for."""

    CALL = "call"
    MESSAGE = "message"
    OTHER = "other"


class TaskMaker(StrEnum):
    """List who made a task: a person, a rule, or a step of a sequence."""

    PERSON = "person"
    RULE = "rule"
    STEP = "step"


class TemplateChannel(StrEnum):
    """List what a template is sent by."""

    EMAIL = "email"
    LINKEDIN = "linkedin"


class SmtpSecurity(StrEnum):
    """List how a connection to a mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailKind(StrEnum):
    """List what an e-mail of the outbox is: a step of a sequence, or the request to confirm the sender's address."""

    STEP = "step"
    VERIFICATION = "verification"


class EmailState(StrEnum):
    """List where an e-mail of the outbox stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"
    CANCELLED = "cancelled"


class HoldReason(StrEnum):
    """List why an e-mail waits for a person."""

    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    BOUNCED = "bounced"
    MISSING_VALUE = "missing_value"
    NO_ADDRESS = "no_address"
    NO_SENDER = "no_sender"


class StepKind(StrEnum):
    """List what a step of a sequence does."""

    EMAIL = "email"
    LINKEDIN_CONNECT = "linkedin_connect"
    LINKEDIN_MESSAGE = "linkedin_message"
    PHONE_TASK = "phone_task"
    WAIT = "wait"


class TriggerKind(StrEnum):
    """List what enrols leads in a sequence by itself."""

    HAND = "hand"
    CREATED = "lead_created"
    STATUS = "status_reached"
    TAG = "tag"


class EnrolmentState(StrEnum):
    """List where a lead stands in a sequence."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"


class EndReason(StrEnum):
    """List why a sequence ended for a lead. All but `COMPLETED` stop it."""

    COMPLETED = "completed"
    REPLY = "reply"
    OPT_OUT = "opt_out"
    NOT_INTERESTED = "not_interested"
    MEETING_BOOKED = "meeting_booked"
    CONVERTED = "converted"
    STOPPED = "stopped_by_person"
    BOUNCE = "bounce"
    MERGED = "merged"
    LIVE_CAMPAIGN = "live_campaign"


class StepState(StrEnum):
    """List what became of a step for a lead."""

    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    HELD = "held"
    CANCELLED = "cancelled"


class SegmentKind(StrEnum):
    """List where the time of a response clock went."""

    PROVIDER = "provider"
    HUB = "hub"
    WAITING = "waiting"
    PERSON = "person"


def furthest(statuses: Iterable[str]) -> str:
    """Return the furthest of these statuses, "" if none says how far a lead came.

    Who is not interested has replied. A lead that is done may have come any distance.
    """
    reached = (LeadStatus.REPLY_RECEIVED if status == LeadStatus.NOT_INTERESTED else status for status in statuses)
    known = [LeadStatus(status) for status in reached if status and status not in CLOSING]
    return max(known, key=lambda status: status.rank).value if known else ""


class ChangedBy(StrEnum):
    API = "api"
    AUTOMATION = "automation"
    USER = "user"
    PROVIDER = "provider"


class ScoreGroup(StrEnum):
    """What a scoring rule judges: who a lead is, or what the lead did."""

    FIT = "fit"
    ENGAGEMENT = "engagement"


class PoolKind(StrEnum):
    """How a pool deals its leads."""

    ROUND_ROBIN = "round_robin"
    LEAST_OPEN = "least_open"


class AssignmentReason(StrEnum):
    """Why a member has a lead."""

    PERSON = "person"
    API = "api"
    SAME_COMPANY = "same_company"
    RULE = "rule"
    CATCH_ALL = "catch_all"
    OVERFLOW = "overflow"
    POOL = "pool"
    OWNER_REMOVED = "owner_removed"
    ESCALATED = "escalated"


class PassedOver(StrEnum):
    """Why a member of a pool did not get a lead."""

    INACTIVE = "inactive"
    READ_ONLY = "read_only"
    PAUSED = "paused"
    OFF_HOURS = "off_hours"
    DAILY_CAP = "daily_cap"
    OPEN_CAP = "open_cap"
    GAVE_BACK = "gave_back"
    IN_A_ROW = "in_a_row"
    TURN = "turn"


class RuleAction(StrEnum):
    """What made a version of a set of rules."""

    CREATED = "created"
    CHANGED = "changed"
    MOVED = "moved"
    DELETED = "deleted"
    DISABLED = "disabled"
    ROLLED_BACK = "rolled_back"
    LEARNED = "learned"


class LikenessReason(StrEnum):
    """List what makes two leads look like one person."""

    EMAIL = "email"
    PHONE = "phone"
    NAME_AND_COMPANY = "name_and_company"


class ProposalDecision(StrEnum):
    """List what became of the proposal that two leads are one person."""

    MERGED = "merged"
    DISMISSED = "dismissed"


class ImportState(StrEnum):
    """List where an import of leads stands."""

    UPLOADING = "uploading"
    MAPPING = "mapping"
    CHECKING = "checking"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class RowOutcome(StrEnum):
    """List what becomes of a row of a file of leads."""

    NEW = "new"
    UPDATED = "updated"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class RowReason(StrEnum):
    """List why a row of a file of leads is refused or changes nothing, and what undoing its import did."""

    NO_CONTACT = "no_contact"
    BAD_EMAIL = "bad_email"
    BAD_PHONE = "bad_phone"
    BAD_URL = "bad_url"
    TOO_LONG = "too_long"
    TOO_MANY_COLUMNS = "too_many_columns"
    IN_FILE = "in_file"
    NOTHING_NEW = "nothing_new"
    REMOVED = "removed"
    RESTORED = "restored"
    KEPT = "kept"
