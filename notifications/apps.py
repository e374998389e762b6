from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        import notifications.erasure  # noqa: F401 (registers what this app holds of a person)
        from notifications.receivers import connect

        connect()
