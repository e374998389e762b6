from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"
    verbose_name = "Leads and Lead Sync"

    def ready(self) -> None:
        import leads.assignments
        import leads.lead_sync.disconnect
        import leads.lead_sync.recovery  # noqa: F401 (registers how a blocked source is got going again)
