from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_noop as _


class ConfigConfig(AppConfig):
    name = "config"
    default = True

    def ready(self) -> None:
        """Register checks and the menu entry, and make the Celery application the default of tasks and wake-ups in any
        thread."""
        from accounts.web.portal.navigation import Entry, add_entry
        from accounts.web.recent_sign_in import record_sign_in
        from config.celery import app
        from config.ops import checks  # noqa: F401

        app.set_default()
        add_entry(Entry("overview", _("Overview"), "home", "Work", icon="layout-dashboard", position=10))
        user_logged_in.connect(record_sign_in, dispatch_uid="record_sign_in")
        apps.get_app_config("auth").verbose_name = "People"  # as the back office says it


class BackOfficeConfig(admin_apps.AdminConfig):
    """Django's admin with the site of `config.backoffice.site`."""

    default = False
    default_site = "config.backoffice.site.BackOffice"
