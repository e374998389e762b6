from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class LeadsConfig(AppConfig):
    name = "leads"
    verbose_name = "Leads and Lead Sync"

    def ready(self) -> None:
        """Register this app's navigation, links, sections, jobs and handlers with the apps below it."""
        import leads.activities.tasks
        import leads.duplicates.proposals
        import leads.imports.erasure
        import leads.lead_sync.disconnect
        import leads.lead_sync.recovery
        import leads.routing.removal
        import leads.sla.merging
        import leads.sla.replanning  # noqa: F401 (they register what follows a change elsewhere)
        from accounts.web.backoffice.agency_health import HealthRow, add_health_row
        from accounts.web.backoffice.cross_links import add_list_link, add_subject_page
        from accounts.web.portal.audited import add_audited
        from accounts.web.portal.navigation import Entry, add_entry
        from accounts.web.portal.place_figures import add_place_figure
        from accounts.web.source_sections import add_card_section
        from leads.duplicates.proposals import open_proposals
        from leads.lead_sync.source_card import connection_link
        from leads.models import Assignment, LeadChange, LeadReference, Message, Note, ResponseClock, Task, Thread
        from leads.pipeline.children import register_child
        from leads.pipeline.timeline import add_lead_streams
        from leads.portal.inbox import waiting_conversations
        from leads.portal.places import leads_at
        from leads.portal.scoring import add_scoring_pages
        from leads.portal.search import add_leads
        from leads.portal.targets import add_target_pages
        from leads.portal.tasks import open_tasks
        from leads.portal.waiting import awaiting_reply
        from leads.routing.waiting_list import unrouted_leads

        add_lead_streams()
        register_child(LeadReference)
        register_child(LeadChange)
        register_child(ResponseClock)
        register_child(Assignment)
        register_child(Task)
        register_child(Note)
        register_child(Thread)
        register_child(Message)
        add_entry(
            Entry(
                "inbox",
                _("Inbox"),
                "portal_inbox",
                "Work",
                icon="inbox",
                position=20,
                count=waiting_conversations,
                tone="good",
            )
        )
        add_entry(
            Entry(
                "leads",
                _("Leads"),
                "portal_leads",
                "Work",
                icon="address-book",
                position=30,
                count=awaiting_reply,
                tone="good",
            )
        )
        add_entry(
            Entry(
                "unrouted",
                _("Unrouted"),
                "portal_unrouted",
                "Work",
                icon="help-circle",
                position=35,
                count=unrouted_leads,
                tone="warn",
            )
        )
        add_entry(Entry("routing", _("Routing"), "portal_routing", "Automation", icon="route", position=10))
        add_entry(
            Entry(
                "duplicates",
                _("Duplicates"),
                "portal_duplicates",
                "Work",
                icon="copy",
                position=37,
                count=open_proposals,
                tone="busy",
            )
        )
        add_entry(Entry("imports", _("Imports"), "portal_imports", "Work", icon="download", position=60))
        add_audited("leadimport", gettext_noop("Import"), "portal_import")
        add_list_link("accounts.agency", "leads_leadimport", "Imports", position=26, agency="pk")
        add_entry(Entry("routing", _("Routing"), "portal_routing", "Automation", icon="plug-connected", position=10))
        add_audited("routingrule", gettext_noop("Routing rule"))
        add_entry(Entry("pools", _("Pools"), "portal_pools", "Automation", icon="users-group", position=15))
        add_audited("pool", gettext_noop("Pool"), "portal_pool")
        add_entry(
            Entry(
                "tasks",
                _("Tasks"),
                "portal_tasks",
                "Work",
                icon="list-check",
                position=40,
                count=open_tasks,
                tone="warn",
            )
        )
        add_entry(Entry("campaigns", _("Campaigns"), "portal_campaigns", "Work", icon="speakerphone", position=50))
        add_audited("lead", gettext_noop("Lead"), "portal_lead")
        add_audited("scoringrule", gettext_noop("Scoring rule"))
        add_audited("targetrule", gettext_noop("Target rule"))
        add_place_figure("leads", leads_at)
        add_entry(Entry("scoring", _("Scoring"), "portal_scoring", "Automation", icon="gauge", position=20))
        add_scoring_pages()
        add_audited("targetlist", gettext_noop("Target list"), "portal_target_list")
        add_entry(
            Entry(
                "target_lists", _("Target lists"), "portal_target_lists", "Automation", icon="target-arrow", position=25
            )
        )
        add_entry(Entry("targets", _("Targets"), "portal_targets", "Automation", icon="clock", position=30))
        add_target_pages()
        add_entry(Entry("reports", _("Reports"), "portal_reports", "Insight", icon="chart-bar", position=10))
        add_leads()
        add_card_section(connection_link)
        waiting = {"waiting": "yes"}
        add_health_row(HealthRow("Leads awaiting reply", awaiting_reply, "leads_lead", 40, waiting, tone="busy"))
        add_subject_page("lead", "leads_lead")
        add_list_link("accounts.agency", "leads_lead", "Leads", position=20, agency="pk")
        add_list_link("accounts.account", "leads_lead", "Leads", position=40, account="pk", agency="agency_id")
        add_list_link("leads.lead", "leads_responseclock", "Response clocks", position=15, lead="pk")
        add_list_link("leads.lead", "leads_task", "Tasks", position=16, lead="pk")
        add_list_link("leads.lead", "leads_thread", "Conversations", position=14, lead="pk")
        add_list_link("leads.thread", "leads_message", "Messages", position=10, thread="pk")
        add_list_link("leads.lead", "leads_note", "Notes", position=17, lead="pk")
        add_list_link("leads.lead", "leads_leadchange", "All changes", position=10, lead="pk")
        add_list_link("leads.lead", "leads_leadmerge", "Merged leads", position=20, into="pk")
        from accounts.core.enums import EventType

        add_list_link("leads.lead", "leads_duplicateproposal", "Duplicates", position=21, lead="pk")
        add_list_link("leads.lead", "leads_assignment", "Assignments", position=15, lead="pk")
        add_list_link("accounts.agency", "leads_pool", "Pools", position=24, agency="pk")
        from accounts.core.job_handlers import register_job
        from accounts.events.reactions import subscribe
        from leads.activities.digests import send_due as send_digests
        from leads.activities.overdue import report_overdue
        from leads.duplicates import proposals
        from leads.enrichment.service import enrich_due
        from leads.imports.jobs import work_on_imports
        from leads.inbox.sorting import react_to_messages
        from leads.lead_sync.backfill import pull_due
        from leads.lead_sync.fetching import announce_overdue, fetch_due
        from leads.lead_sync.health_checks import check_due
        from leads.lead_sync.labels import label_due
        from leads.pipeline.details import subscribe_to_details
        from leads.pipeline.history import CLOCKS
        from leads.pipeline.messages import CONVERSATIONS
        from leads.portal.routing import add_routing_pages
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
        from leads.sla import reactions as clock_reactions
        from leads.sla import replanning
        from leads.sla.alerts import alert_due
        from leads.sla.target_kind import KIND as TARGETS

        subscribe(CONVERSATIONS, (), react_to_messages, is_awaited=False)
        subscribe(CLOCKS, clock_reactions.EVENTS, clock_reactions.react_to_leads)
        subscribe(replanning.SUBSCRIBER, (), replanning.react_to_hours)
        register_job("response clocks", queue="receipts", quota=4, work=alert_due)
        register_rule_kind(ROUTING)
        add_routing_pages()
        subscribe_to_details("routing")
        subscribe_to_details(proposals.SUBSCRIBER)
        subscribe(proposals.SUBSCRIBER, {EventType.LEAD_CREATED}, proposals.react_to_leads, after=CLOCKS)
        subscribe("routing", {EventType.LEAD_CREATED}, react_to_lead, is_awaited=False)
        register_job("waiting leads", queue="receipts", quota=5, work=deal_due)
        register_job("daily summaries", queue="receipts", quota=1, work=send_digests)
        register_job("overdue tasks", queue="receipts", quota=2, work=report_overdue)
        register_job("late answers", queue="receipts", quota=5, work=announce_overdue)
        register_job("lead fetching", queue="sync", quota=2, work=fetch_due)
        register_job("connection checks", queue="sync", quota=1, work=check_due)
        register_job("back-fill", queue="sync", quota=1, work=pull_due)
        register_job("form labels", queue="sync", quota=1, work=label_due)
        register_job("enrichment", queue="sync", quota=1, work=enrich_due)
        register_job("scores", queue="receipts", quota=2, work=score_due)
        register_job("score learning", queue="sync", quota=1, work=learn_due)
        register_job("imports", queue="sync", quota=1, work=work_on_imports)
        register_job("rule previews", queue="receipts", quota=1, work=preview_due)
        from accounts.core.enums import EventType
        from accounts.events.reactions import subscribe

        register_rule_kind(SCORING)
        register_rule_kind(TARGETS)
        subscribe(escalation.SUBSCRIBER, {EventType.LEAD_OVERDUE}, escalation.react_to_overdue)
        subscribe("scoring", {EventType.LEAD_CREATED, EventType.LEAD_STATUS_CHANGED}, react_to_leads, after=CLOCKS)
        subscribe_to_details("scoring")
