"""Register the portal's pages about leads: the menu, the search, sources' cards and names in the audit log."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.web.portal.audited import add_audited
from accounts.web.portal.navigation import Entry, add_entry
from accounts.web.portal.place_figures import add_place_figure
from accounts.web.source_sections import add_card_section
from leads.duplicates.proposals import open_proposals
from leads.lead_sync.source_card import connection_link
from leads.portal.inbox import waiting_conversations
from leads.portal.places import leads_at
from leads.portal.routing import add_routing_pages
from leads.portal.scoring import add_scoring_pages
from leads.portal.search import add_leads
from leads.portal.sequences.mailing import held_emails
from leads.portal.targets import add_target_pages
from leads.portal.tasks import open_tasks
from leads.portal.waiting import awaiting_reply
from leads.routing.waiting_list import unrouted_leads

WORK, AUTOMATION, INSIGHT = "Work", "Automation", "Insight"
ENTRIES = (
    Entry(
        *("inbox", _("Inbox"), "portal_inbox", WORK),
        icon="inbox", position=20, count=waiting_conversations, tone="good",
    ),
    Entry(
        *("leads", _("Leads"), "portal_leads", WORK),
        icon="address-book", position=30, count=awaiting_reply, tone="good",
    ),
    Entry(
        *("unrouted", _("Unrouted"), "portal_unrouted", WORK),
        icon="help-circle", position=35, count=unrouted_leads, tone="warn",
    ),
    Entry(
        *("duplicates", _("Duplicates"), "portal_duplicates", WORK),
        icon="copy", position=37, count=open_proposals, tone="busy",
    ),
    Entry(
        *("tasks", _("Tasks"), "portal_tasks", WORK),
        icon="list-check", position=40, count=open_tasks, tone="warn",
    ),
    Entry("campaigns", _("Campaigns"), "portal_campaigns", WORK, icon="speakerphone", position=50),
    Entry("imports", _("Imports"), "portal_imports", WORK, icon="download", position=60),
    Entry("routing", _("Routing"), "portal_routing", AUTOMATION, icon="route", position=10),
    Entry("pools", _("Pools"), "portal_pools", AUTOMATION, icon="users-group", position=15),
    Entry("scoring", _("Scoring"), "portal_scoring", AUTOMATION, icon="gauge", position=20),
    Entry("target_lists", _("Target lists"), "portal_target_lists", AUTOMATION, icon="target-arrow", position=25),
    Entry("sequences", _("Sequences"), "portal_sequences", AUTOMATION, icon="send", position=40),
    Entry(
        *("mailing", _("E-mails to leads"), "portal_mailing", AUTOMATION),
        icon="mail", position=50, count=held_emails, tone="warn",
    ),
    Entry("templates", _("Templates"), "portal_templates", AUTOMATION, icon="edit", position=45),
    Entry("targets", _("Targets"), "portal_targets", AUTOMATION, icon="clock", position=30),
    Entry("reports", _("Reports"), "portal_reports", INSIGHT, icon="chart-bar", position=10),
)  # fmt: skip
#: What the audit log calls an object, and the page that shows it.
AUDITED = (
    ("lead", gettext_noop("Lead"), "portal_lead"),
    ("leadimport", gettext_noop("Import"), "portal_import"),
    ("messagetemplate", gettext_noop("Template"), "portal_template"),
    ("pool", gettext_noop("Pool"), "portal_pool"),
    ("sequence", gettext_noop("Sequence"), "portal_sequence"),
    ("targetlist", gettext_noop("Target list"), "portal_target_list"),
    ("routingrule", gettext_noop("Routing rule"), ""),
    ("scoringrule", gettext_noop("Scoring rule"), ""),
    ("targetrule", gettext_noop("Target rule"), ""),
)


def register_menu() -> None:
    """Register the portal's entries, pages of rules, searches and figures."""
    for entry in ENTRIES:
        add_entry(entry)
    for model, title, page in AUDITED:
        add_audited(model, title, page)
    add_routing_pages()
    add_scoring_pages()
    add_target_pages()
    add_place_figure("leads", leads_at)
    add_card_section(connection_link)
    add_leads()
