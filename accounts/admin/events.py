"""Show the event log, heartbeats and retention runs."""

from datetime import timedelta
from typing import ClassVar

from django.contrib import admin
from django.db.models import Model
from django.utils import timezone

from accounts.core.markup import NOTHING, ago, badge, link_to, pretty_json, receipt_link
from accounts.models import Account, Event, Heartbeat, RetentionRun
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.cross_links import list_links, subject_link
from accounts.web.backoffice.filters import ByAgency, BySubject

MAX_HEARTBEAT_AGE = timedelta(seconds=60)


@admin.register(Event)
class EventAdmin(BackOfficeAdmin):
    menu_group = "Outbound"
    menu_position = 30
    list_display = ("event_type", "agency", "subject_link", "when", "state")
    list_filter = (ByAgency, BySubject)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("event_type", "id", "agency", "subject_link", "location_id", "when", "state", "error")}),
        ("Payload", {"fields": ("body",)}),
        ("Origin and deliveries", {"fields": ("receipt", "channel_link", "deliveries_link")}),
    )
    exact_search = ("pk", "subject")
    search_through: ClassVar[dict[str, type[Model]]] = {"subject": Account}
    search_help_text = "the name or e-mail address of the account, or a whole id of the event or its subject."

    @admin.display(description="about")
    def subject_link(self, event: Event) -> str:
        return subject_link(event.subject)

    @admin.display(description="when")
    def when(self, event: Event) -> str:
        return ago(event.occurred_at)

    @admin.display(description="fan-out")
    def state(self, event: Event) -> str:
        if event.fanned_out_at:
            return badge("Done", "good")
        return badge("Retrying", "bad") if event.error else badge("Pending", "busy")

    @admin.display(description="payload")
    def body(self, event: Event) -> str:
        return pretty_json(event.payload)

    @admin.display(description="receipt")
    def receipt(self, event: Event) -> str:
        return receipt_link(event.receipt_id)

    @admin.display(description="only for")
    def channel_link(self, event: Event) -> str:
        if event.channel_id:
            return link_to("notifications_channel", event.channel_id, event.channel_id)
        return event.recipient or "every subscribed channel"

    @admin.display(description="deliveries")
    def deliveries_link(self, event: Event) -> str:
        return list_links(event)


@admin.register(Heartbeat)
class HeartbeatAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("name", "seen", "state")
    fieldsets = ((None, {"fields": ("name", "seen", "state")}),)
    search_help_text = "a name."

    @admin.display(description="last seen")
    def seen(self, heartbeat: Heartbeat) -> str:
        return ago(heartbeat.at) or NOTHING

    @admin.display(description="state")
    def state(self, heartbeat: Heartbeat) -> str:
        return badge("Silent", "bad") if timezone.now() - heartbeat.at > MAX_HEARTBEAT_AGE else badge("Alive", "good")


@admin.register(RetentionRun)
class RetentionRunAdmin(BackOfficeAdmin):
    menu_group = "System"
    menu_position = 40
    list_display = ("begun", "state", "step", "failures")
    fieldsets = ((None, {"fields": ("begun", "state", "step", "counts", "failures", "error")}),)
    search_help_text = "an id."

    @admin.display(description="started")
    def begun(self, run: RetentionRun) -> str:
        return ago(run.started_at)

    @admin.display(description="state")
    def state(self, run: RetentionRun) -> str:
        return badge("Done", "good") if run.finished_at else badge("Running", "busy")

    @admin.display(description="erased")
    def counts(self, run: RetentionRun) -> str:
        return pretty_json(run.erased)
