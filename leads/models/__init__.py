from leads.models.activities import MemberDigest, Note, Task
from leads.models.changes import LeadChange
from leads.models.clocks import ClockSegment, ResponseClock
from leads.models.duplicates import DuplicateProposal
from leads.models.enrichment import Enrichment
from leads.models.figures import FigureSettings, LeadFact, LeadStep
from leads.models.imports import ImportMapping, ImportRow, LeadImport
from leads.models.inbox import Message, Sending, Thread, ThreadRead
from leads.models.lead import Lead, LeadQuerySet
from leads.models.lead_sync import (
    LeadFetch,
    LeadForm,
    LeadSync,
    OwnerAccess,
    Pull,
    RefusedForm,
    Subscription,
    UnlabelledAnswers,
)
from leads.models.mailing import EmailSender, OptOut, OutboundEmail
from leads.models.merges import LeadMerge, OwnValues
from leads.models.references import CurrentStatus, LeadReference
from leads.models.routing import Assignment, Credit, Pool, PoolMember, RoutingSettings, WaitingLead
from leads.models.routing_rules import RoutingRule
from leads.models.rules import RulePreview, RuleSet, RuleSetVersion
from leads.models.saved_filter import SavedFilter
from leads.models.scoring import LeadScore, ScoreLearning, ScoringRule, ScoringRun, ScoringSettings
from leads.models.sequences import Enrolment, Sequence, SequenceVersion, StepRun
from leads.models.target_list import TargetList, TargetListEntry
from leads.models.target_rules import TargetRule
from leads.models.templates import MessageTemplate
from leads.models.tombstones import Tombstone

__all__ = [
    "Assignment",
    "ClockSegment",
    "Credit",
    "CurrentStatus",
    "DuplicateProposal",
    "EmailSender",
    "Enrichment",
    "Enrolment",
    "FigureSettings",
    "ImportMapping",
    "ImportRow",
    "Lead",
    "LeadChange",
    "LeadFact",
    "LeadFetch",
    "LeadForm",
    "LeadImport",
    "LeadMerge",
    "LeadQuerySet",
    "LeadReference",
    "LeadScore",
    "LeadStep",
    "LeadSync",
    "MemberDigest",
    "Message",
    "MessageTemplate",
    "Note",
    "OptOut",
    "OutboundEmail",
    "OwnValues",
    "OwnerAccess",
    "Pool",
    "PoolMember",
    "Pull",
    "RefusedForm",
    "ResponseClock",
    "RoutingRule",
    "RoutingSettings",
    "RulePreview",
    "RuleSet",
    "RuleSetVersion",
    "SavedFilter",
    "ScoreLearning",
    "ScoringRule",
    "ScoringRun",
    "ScoringSettings",
    "Sending",
    "Sequence",
    "SequenceVersion",
    "StepRun",
    "Subscription",
    "TargetList",
    "TargetListEntry",
    "TargetRule",
    "Task",
    "Thread",
    "ThreadRead",
    "Tombstone",
    "UnlabelledAnswers",
    "WaitingLead",
]
