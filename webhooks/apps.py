from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_noop as _

from accounts.core.known_ids import on_known_id
from webhooks.providers import HIGHLEVEL


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Inbound"

    def ready(self) -> None:
        """Register this app's erasure, navigation, links and handlers, and configure HighLevel's adapter."""
        import webhooks.processing.erasure  # noqa: F401 (registers this app's erasure)
        from accounts.core.job_handlers import register_job
        from accounts.reauth.provider_requests import use_request_log
        from accounts.web.backoffice.agency_health import HealthRow, add_health_row
        from accounts.web.backoffice.cross_links import add_list_link
        from accounts.web.portal.navigation import Entry, add_entry
        from accounts.web.source_sections import add_page_section
        from leads.pipeline.provider_requests import use_register
        from webhooks.processing.quarantine import release_waiting_for_ids, unrecognised
        from webhooks.processing.sign_ins import SIGN_INS, register_sending
        from webhooks.processing.word_mappings import release_mapped
        from webhooks.source_sections import latency_of_last_hour, mappings_of_source, refused_requests

        add_entry(Entry("sources", _("Sources"), "portal_sources", "Health", icon="plug-connected", position=30))
        add_entry(
            Entry(
                "received",
                _("Received"),
                "portal_received",
                "Health",
                icon="webhook",
                position=40,
                count=unrecognised,
                tone="warn",
            )
        )
        add_page_section("Source issues", refused_requests)
        add_page_section("Source issues", latency_of_last_hour)
        add_page_section("Data quality", mappings_of_source)
        quarantined = {"status": "quarantined"}
        add_health_row(HealthRow("Unrecognised events", unrecognised, "webhooks_receipt", 50, quarantined, tone="warn"))
        add_list_link("accounts.agency", "webhooks_receipt", "Receipts", position=50, agency="pk")
        add_list_link("accounts.source", "webhooks_receipt", "Receipts", position=10, source="pk")
        add_list_link("accounts.source", "webhooks_rejectedrequest", "Refused requests", position=20, source="pk")
        add_list_link("accounts.source", "webhooks_wordmapping", "Word mappings", position=40, source="pk")
        add_list_link("accounts.source", "webhooks_providerrequest", "We-Link requests", position=30, source="pk")
        register_job("word mappings", queue="receipts", quota=2, work=release_mapped)
        on_known_id(release_waiting_for_ids)
        use_request_log(SIGN_INS)
        use_register(register_sending)
        import_module("webhooks.diagnostics.known_mistakes")  # whose sentences pages show by their codes
        self.configure_providers()

    def configure_providers(self) -> None:
        """Hand the settings to the adapters that have some."""
        HIGHLEVEL.configure(
            public_key=settings.HIGHLEVEL_PUBLIC_KEY,
            accept_rsa=settings.HIGHLEVEL_ACCEPT_RSA,
            app_id=settings.HIGHLEVEL_APP_ID,
        )
