"""Register the links between pages of the back office, and what an agency's page says of its leads."""

from accounts.web.backoffice.agency_health import HealthRow, add_health_row
from accounts.web.backoffice.cross_links import add_list_link, add_subject_page
from leads.portal.waiting import awaiting_reply

#: List, its title and its position, on a lead's page.
LISTS_OF_A_LEAD = (
    ("leads_leadchange", "All changes", 10),
    ("leads_thread", "Conversations", 14),
    ("leads_responseclock", "Response clocks", 15),
    ("leads_assignment", "Assignments", 15),
    ("leads_task", "Tasks", 16),
    ("leads_note", "Notes", 17),
    ("leads_enrolment", "Sequences", 18),
    ("leads_outboundemail", "E-mails", 19),
    ("leads_duplicateproposal", "Duplicates", 21),
)


def register_backoffice() -> None:
    """Register the links and the row of an agency's health."""
    add_subject_page("lead", "leads_lead")
    add_list_link("accounts.agency", "leads_lead", "Leads", position=20, agency="pk")
    add_list_link("accounts.agency", "leads_pool", "Pools", position=24, agency="pk")
    add_list_link("accounts.agency", "leads_leadimport", "Imports", position=26, agency="pk")
    add_list_link("accounts.account", "leads_lead", "Leads", position=40, account="pk", agency="agency_id")
    for view, title, position in LISTS_OF_A_LEAD:
        add_list_link("leads.lead", view, title, position=position, lead="pk")
    add_list_link("leads.lead", "leads_leadmerge", "Merged leads", position=20, into="pk")
    add_list_link("leads.thread", "leads_message", "Messages", position=10, thread="pk")
    waiting = {"waiting": "yes"}
    add_health_row(HealthRow("Leads awaiting reply", awaiting_reply, "leads_lead", 40, waiting, tone="busy"))
