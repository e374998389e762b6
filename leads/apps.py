from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"
    verbose_name = "Leads and Lead Sync"

    def ready(self) -> None:
        """Register what this app does when others change something, and what it shows in portal and back office."""
        import leads.assignments
        import leads.lead_sync.disconnect
        import leads.lead_sync.recovery  # noqa: F401 (registers how a blocked source is got going again)
        from accounts.web.backoffice.cross_links import add_list_link, add_subject_page
        from accounts.web.portal.navigation import Entry, add_entry
        from accounts.web.source_sections import add_card_section
        from leads.lead_sync.source_card import connection_link

        add_entry(Entry("leads", "Leads", "portal_leads", position=30))
        add_card_section(connection_link)
        add_subject_page("lead", "leads_lead")
        add_list_link("accounts.agency", "leads_lead", "Leads", position=20, agency="pk")
        add_list_link("accounts.account", "leads_lead", "Leads", position=40, account="pk", agency="agency_id")
        add_list_link("leads.lead", "leads_leadchange", "All changes", position=10, lead="pk")
        add_list_link("leads.lead", "leads_leadmerge", "Leads that were merged into it", position=20, into="pk")
