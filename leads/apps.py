from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"
    verbose_name = "Leads and Lead Sync"

    def ready(self) -> None:
        """Register this app's pages, links, jobs and reactions with the apps below it."""
        from leads.registration.backoffice import register_backoffice
        from leads.registration.menu import register_menu
        from leads.registration.work import register_work

        register_menu()
        register_backoffice()
        register_work()
