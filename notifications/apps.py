from django.apps import AppConfig
from django.utils.translation import gettext_noop
from django.utils.translation import gettext_noop as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Outbound"

    def ready(self) -> None:
        """Register this app's erasure, timeline, navigation, links and the handler of recorded events."""
        import notifications.erasure  # registers this app's erasure
        import notifications.sentences  # which pages show by their codes
        import notifications.timeline  # noqa: F401 (registers deliveries in timelines)
        from accounts.web.backoffice.agency_health import HealthRow, add_health_row
        from accounts.web.backoffice.cross_links import add_list_link, add_subject_page
        from accounts.web.portal.audited import add_audited
        from accounts.web.portal.navigation import Entry, add_entry
        from leads.conditions.target_lists import register_condition_holders
        from notifications.channels.conditions import conditions_of_channels
        from notifications.channels.failing import failed_lately, failing
        from notifications.receivers import connect_wake_up

        add_entry(
            Entry(
                "notifications",
                _("Notifications"),
                "portal_notifications",
                "Outgoing",
                icon="bell",
                position=10,
                count=failing,
                tone="bad",
            )
        )
        add_entry(Entry("deliveries", _("Delivery log"), "portal_deliveries", "Outgoing", icon="send", position=20))
        add_audited("channel", gettext_noop("Channel"), "portal_notifications", has_own_page=False)
        add_audited("delivery", gettext_noop("Delivery"), "portal_delivery")
        add_health_row(HealthRow("Failing channels", failing, "notifications_channel", 60, {}))
        failed = {"status": "failed", "made": "day"}
        add_health_row(HealthRow("Failed deliveries (24 h)", failed_lately, "notifications_delivery", 70, failed))
        add_subject_page("chn", "notifications_channel")
        add_list_link("accounts.agency", "notifications_channel", "Channels", position=70, agency="pk")
        add_list_link("accounts.agency", "notifications_delivery", "Deliveries", position=80, agency="pk")
        add_list_link("accounts.event", "notifications_delivery", "Deliveries", position=10, event="pk")
        add_list_link("notifications.channel", "notifications_delivery", "All deliveries", position=10, channel="pk")
        register_condition_holders(conditions_of_channels)
        connect_wake_up()
