from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "What goes out"

    def ready(self) -> None:
        import notifications.erasure  # registers what this app holds of a person
        import notifications.timeline  # noqa: F401 (registers what it says in an account's timeline)
        from notifications.receivers import connect

        connect()
