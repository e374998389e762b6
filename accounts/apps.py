from functools import partial
from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Agencies and accounts"

    def ready(self) -> None:
        """Register menu entries, searches, back-office links, timeline streams, reactions and jobs of the app."""
        from accounts.core.text_index import keep_text_indexes
        from accounts.events.reactions import subscribe
        from accounts.events.timeline import add_own_streams
        from accounts.linkedin.attention import needing_attention, open_incidents
        from accounts.portal.search import add_own_searchables
        from accounts.services import STATUS_SUBSCRIBER
        from accounts.services.status_reactions import react_to_statuses
        from accounts.web.backoffice.cross_links import add_list_link, add_subject_page
        from accounts.web.backoffice.own_health import add_own_health
        from accounts.web.portal.audited import add_audited
        from accounts.web.portal.navigation import OWNERS, WRITERS, Entry, add_entry

        for entry in (
            Entry(
                "accounts",
                _("Accounts"),
                "portal_accounts",
                "Health",
                icon="brand-linkedin",
                position=10,
                count=needing_attention,
                tone="bad",
            ),
            Entry(
                "incidents",
                _("Incidents"),
                "portal_incidents",
                "Health",
                icon="alert-triangle",
                position=15,
                count=open_incidents,
                tone="bad",
            ),
            Entry("sub_accounts", _("Sub-accounts"), "portal_sub_accounts", "Settings", icon="map-pin", position=20),
            Entry("settings", _("Agency"), "portal_settings", "Settings", icon="building", position=10, roles=WRITERS),
            Entry("team", _("Team"), "portal_team", "Settings", icon="users-group", position=30, roles=OWNERS),
            Entry("hours", _("Working hours"), "portal_hours", "Settings", icon="clock", position=40, roles=WRITERS),
            Entry("keys", _("API keys"), "portal_keys", "Settings", icon="key", position=50, roles=OWNERS),
            Entry("brand", _("Brand"), "portal_brand", "Settings", icon="palette", position=60, roles=WRITERS),
            Entry(
                "audit",
                _("Audit log"),
                "portal_audit",
                "Settings",
                icon="history",
                position=70,
                roles=WRITERS,
            ),
        ):
            add_entry(entry)
        for model, title, view, has_page in (
            ("account", gettext_noop("LinkedIn account"), "portal_account", True),
            ("agency", gettext_noop("Agency"), "portal_settings", False),
            ("calendar", gettext_noop("Working hours"), "portal_calendar", True),
            ("apikey", gettext_noop("API key"), "portal_keys", False),
            ("campaign", gettext_noop("Campaign"), "portal_campaign", True),
            ("invitation", gettext_noop("Invitation"), "portal_team", False),
            ("member", gettext_noop("Member"), "portal_team", False),
            ("source", gettext_noop("Source"), "portal_source", True),
            ("subaccount", gettext_noop("Sub-account"), "portal_sub_accounts", False),
        ):
            add_audited(model, title, view, has_own_page=has_page)
        import_module("accounts.sentences")  # which pages show by their codes
        add_own_health()
        add_own_streams()
        add_own_searchables()
        post_migrate.connect(keep_text_indexes)
        for prefix, page in {"acc": "account", "cmp": "campaign", "src": "source", "sub": "subaccount"}.items():
            add_subject_page(prefix, f"accounts_{page}")
        add_subject_page("inc", "accounts_incident")
        for model, text, position in (
            ("account", "Accounts", 10),
            ("campaign", "Campaigns", 30),
            ("source", "Sources", 40),
            ("event", "Events", 60),
            ("subaccount", "Sub-accounts", 90),
            ("member", "Members", 100),
            ("invitation", "Invitations", 110),
            ("apikey", "API keys", 120),
            ("auditentry", "Audit log", 130),
        ):
            add_list_link("accounts.agency", f"accounts_{model}", text, position=position, agency="pk")
        add_list_link("accounts.account", "accounts_accountreport", "All reports", position=10, account="pk")
        add_list_link("accounts.account", "accounts_event", "Events", position=20, subject="pk")
        add_list_link("accounts.account", "accounts_reauthprompt", "Reconnect requests", position=30, account="pk")
        add_list_link("accounts.campaign", "accounts_event", "Events", position=10, subject="pk")
        add_list_link("leads.lead", "accounts_event", "Events", position=30, subject="pk")
        subscribe(STATUS_SUBSCRIBER, (), react_to_statuses)
        from accounts.campaigns.commands import carry_out_due
        from accounts.core.job_handlers import register_job
        from accounts.reauth.reminders import remind_due

        register_job("re-auth reminders", queue="receipts", quota=2, work=remind_due)
        register_job("campaign commands", queue="sync", quota=2, work=partial(carry_out_due, limit=1))
