from django.apps import AppConfig
from django.conf import settings

from accounts.core.known_ids import on_known_id
from webhooks.providers import HIGHLEVEL


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "What comes in"

    def ready(self) -> None:
        import webhooks.processing.erasure  # noqa: F401 (registers what this app holds of a person)
        from webhooks.processing.waiting import release_named

        on_known_id(release_named)
        HIGHLEVEL.configure(
            public_key=settings.HIGHLEVEL_PUBLIC_KEY,
            accept_rsa=settings.HIGHLEVEL_ACCEPT_RSA,
            app_id=settings.HIGHLEVEL_APP_ID,
        )
