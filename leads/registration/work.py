"""Register what is done about leads by itself: jobs, reactions to events, and what moves with a lead."""

from collections.abc import Callable

import leads.activities.tasks
import leads.duplicates.proposals
import leads.imports.erasure
import leads.lead_sync.disconnect
import leads.lead_sync.recovery
import leads.routing.removal
import leads.sequences.merging
import leads.sequences.service
import leads.sla.merging  # noqa: F401 (they register what follows a change elsewhere)
from accounts.core.enums import EventType
from accounts.core.job_handlers import register_job
from accounts.events.reactions import subscribe
from leads.activities.digests import send_due as send_digests
from leads.activities.overdue import report_overdue
from leads.analytics import facts, rebuilding
from leads.duplicates import proposals
from leads.enrichment.service import enrich_due
from leads.imports.jobs import work_on_imports
from leads.inbox.dispatch import send_due, use_judge
from leads.inbox.sorting import react_to_messages
from leads.lead_sync.backfill import pull_due
from leads.lead_sync.fetching import announce_overdue, fetch_due
from leads.lead_sync.health_checks import check_due
from leads.lead_sync.labels import label_due
from leads.models import (
    Assignment,
    Enrolment,
    LeadChange,
    LeadReference,
    Message,
    Note,
    OutboundEmail,
    ResponseClock,
    Task,
    Thread,
)
from leads.pipeline.children import register_child
from leads.pipeline.details import subscribe_to_details
from leads.pipeline.history import CLOCKS, FIGURES, SEQUENCES
from leads.pipeline.messages import CONVERSATIONS
from leads.pipeline.timeline import add_lead_streams
from leads.routing import escalation
from leads.routing.rules import KIND as ROUTING
from leads.routing.service import react_to_lead
from leads.routing.waiting import deal_due
from leads.rules.kinds import register_rule_kind
from leads.rules.preview_jobs import preview_due
from leads.scoring.kind import KIND as SCORING
from leads.scoring.learning.jobs import learn_due
from leads.scoring.rescoring import score_due
from leads.scoring.service import react_to_leads
from leads.sequences import outbox, triggers
from leads.sequences.advancing import advance_due, follow_email, judge_email
from leads.sequences.linkedin import judge_message
from leads.sla import reactions as clock_reactions
from leads.sla import replanning
from leads.sla.alerts import alert_due
from leads.sla.target_kind import KIND as TARGETS

Jobs = tuple[tuple[str, int, Callable[[], object]], ...]

#: The name of a job, how often a round does it at most, and its work.
RECEIPTS_JOBS: Jobs = (
    ("response clocks", 4, alert_due),
    ("waiting leads", 5, deal_due),
    ("daily summaries", 1, send_digests),
    ("overdue tasks", 2, report_overdue),
    ("late answers", 5, announce_overdue),
    ("sequences", 8, advance_due),
    ("scores", 2, score_due),
    ("rule previews", 1, preview_due),
)
#: Jobs that take long, or ask a provider.
SYNC_JOBS: Jobs = (
    ("messages", 5, send_due),
    ("lead fetching", 2, fetch_due),
    ("connection checks", 1, check_due),
    ("back-fill", 1, pull_due),
    ("form labels", 1, label_due),
    ("enrichment", 1, enrich_due),
    ("score learning", 1, learn_due),
    ("imports", 1, work_on_imports),
)
#: What is handed over to mail servers.
DELIVERY_JOBS: Jobs = (("e-mails to leads", 8, outbox.send_due),)
CREATED = frozenset({EventType.LEAD_CREATED})
CHANGED = frozenset({EventType.LEAD_CREATED, EventType.LEAD_STATUS_CHANGED})


def register_work() -> None:
    """Register tables, kinds of rules, reactions and jobs."""
    add_lead_streams()
    for model in (
        LeadReference,
        LeadChange,
        ResponseClock,
        Assignment,
        Task,
        Note,
        Thread,
        Message,
        Enrolment,
        OutboundEmail,
    ):
        register_child(model)
    for kind in (ROUTING, SCORING, TARGETS):
        register_rule_kind(kind)
    _register_reactions()
    _register_jobs()


def _register_reactions() -> None:
    subscribe(CONVERSATIONS, (), react_to_messages, is_awaited=False)
    subscribe(CLOCKS, clock_reactions.EVENTS, clock_reactions.react_to_leads)
    subscribe(replanning.SUBSCRIBER, (), replanning.react_to_hours)
    subscribe(proposals.SUBSCRIBER, CREATED, proposals.react_to_leads, after=CLOCKS)
    subscribe("routing", CREATED, react_to_lead, is_awaited=False)
    subscribe(escalation.SUBSCRIBER, {EventType.LEAD_OVERDUE}, escalation.react_to_overdue)
    subscribe("scoring", CHANGED, react_to_leads, after=CLOCKS)
    subscribe(FIGURES, clock_reactions.EVENTS, facts.react_to_leads, after=CLOCKS)
    subscribe(rebuilding.SUBSCRIBER, (), rebuilding.react_to_agencies)
    subscribe(SEQUENCES, {*CHANGED, EventType.TASK_DONE}, triggers.react_to_leads, after=CLOCKS)
    outbox.register_steps(judge_email, follow_email)
    use_judge(judge_message)
    for name in ("routing", proposals.SUBSCRIBER, "scoring", FIGURES, SEQUENCES):
        subscribe_to_details(name)


def _register_jobs() -> None:
    for name, quota, work in RECEIPTS_JOBS:
        register_job(name, queue="receipts", quota=quota, work=work)
    for name, quota, work in SYNC_JOBS:
        register_job(name, queue="sync", quota=quota, work=work)
    for name, quota, work in DELIVERY_JOBS:
        register_job(name, queue="deliveries", quota=quota, work=work)
