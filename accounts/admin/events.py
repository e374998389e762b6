"""Show the event log, heartbeats and retention runs."""

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone

from accounts.core.markup import NOTHING, ago, badge, link_to, pretty_json, receipt_link
from accounts.models import Event, Heartbeat, RetentionRun
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.cross_links import list_links, subject_link
from accounts.web.backoffice.filters import ByAgency, BySubject

MAX_HEARTBEAT_AGE = timedelta(seconds=60)


@admin.register(Event)
class EventAdmin(BackOfficeAdmin):
    list_display = ("event_type", "agency", "subject_link", "when", "state")
    list_filter = (ByAgency, BySubject)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("event_type", "id", "agency", "subject_link", "location_id", "when", "state", "error")}),
        ("What agencies are told", {"fields": ("body",)}),
        ("Where it comes from and goes to", {"fields": ("receipt", "channel_link", "deliveries_link")}),
    )
    exact_search = ("pk", "subject")
    search_help_text = "A whole id of an event, or of the account, lead, campaign, … it is about."

    @admin.display(description="about")
    def subject_link(self, event: Event) -> str:
        return subject_link(event.subject)

    @admin.display(description="when")
    def when(self, event: Event) -> str:
        return ago(event.occurred_at)

    @admin.display(description="passed on")
    def state(self, event: Event) -> str:
        if event.fanned_out_at:
            return badge("yes", "good")
        return badge("failed, will try again", "bad") if event.error else badge("waiting", "busy")

    @admin.display(description="body")
    def body(self, event: Event) -> str:
        return pretty_json(event.payload)

    @admin.display(description="receipt")
    def receipt(self, event: Event) -> str:
        return receipt_link(event.receipt_id)

    @admin.display(description="only for")
    def channel_link(self, event: Event) -> str:
        if event.channel_id:
            return link_to("notifications_channel", event.channel_id, event.channel_id)
        return event.recipient or "everybody who listens"

    @admin.display(description="deliveries")
    def deliveries_link(self, event: Event) -> str:
        return list_links(event)


@admin.register(Heartbeat)
class HeartbeatAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("name", "seen", "state")
    fieldsets = ((None, {"fields": ("name", "seen", "state")}),)
    search_help_text = "A whole name."

    @admin.display(description="last seen")
    def seen(self, heartbeat: Heartbeat) -> str:
        return ago(heartbeat.at) or NOTHING

    @admin.display(description="state")
    def state(self, heartbeat: Heartbeat) -> str:
        return badge("silent", "bad") if timezone.now() - heartbeat.at > MAX_HEARTBEAT_AGE else badge("alive", "good")


@admin.register(RetentionRun)
class RetentionRunAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("begun", "state", "step", "failures")
    fieldsets = ((None, {"fields": ("begun", "state", "step", "counts", "failures", "error")}),)
    search_help_text = "A whole number."

    @admin.display(description="begun")
    def begun(self, run: RetentionRun) -> str:
        return ago(run.started_at)

    @admin.display(description="state")
    def state(self, run: RetentionRun) -> str:
        return badge("done", "good") if run.finished_at else badge("under way", "busy")

    @admin.display(description="erased")
    def counts(self, run: RetentionRun) -> str:
        return pretty_json(run.erased)
