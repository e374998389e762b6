"""Show receipts, rejected requests, registered requests and monitors in the back office."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from accounts.core.labels import Label
from accounts.core.markup import NOTHING, ago, code, link, link_to, pretty_body, pretty_json
from accounts.models import Account, Agency, Source
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency, BySource, ByStatus
from leads.models import Lead
from webhooks.labels import QUARANTINE_REASONS, RECEIPT_LABELS
from webhooks.models import (
    RECEIPT_PREFIX,
    LatencyTally,
    ProviderRequest,
    Receipt,
    ReceiptStatus,
    RejectedRequest,
    SourceMonitor,
)
from webhooks.processing.processor import reprocess_receipt


class ByReceiptStatus(ByStatus):
    labels: ClassVar[dict[ReceiptStatus, Label]] = {
        status: RECEIPT_LABELS[status]
        for status in (ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED, ReceiptStatus.RECEIVED)
    }


@admin.register(Receipt)
class ReceiptAdmin(BackOfficeAdmin):
    menu_position = 30
    list_display = ("label", "provider", "agency", "event_type", "state", "reason", "received")
    list_filter = (ByReceiptStatus, ByAgency, BySource)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("label", "state", "why", "error", "received", "processed", "attempts", "next_try")}),
        ("Origin", {"fields": ("provider", "source_link", "agency", "event_type", "correlation")}),
        ("Subject", {"fields": ("account_link", "lead_link")}),
        ("Payload", {"fields": ("body_text", "header_text")}),
    )
    search_help_text = "the name or e-mail address of the lead it is about, or a whole id, as in rct_123."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead_id": Lead}
    actions = ("process_again",)
    buttons = ("process_again",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Receipt]":
        """Leave the body out of lists: each may be 1 MiB."""
        return super().get_queryset(request).defer("body", "headers", "dedupe_key")

    def search_condition(self, word: str, agency_id: str) -> Q:
        return super().search_condition(word.removeprefix(RECEIPT_PREFIX), agency_id)

    def is_button_applicable(self, button: str, obj: Receipt) -> bool:
        return obj.status != ReceiptStatus.RECEIVED

    @admin.action(description="Process again", permissions=["operate"])
    def process_again(self, request: HttpRequest, receipts: "QuerySet[Receipt]") -> None:
        chosen = list(receipts.defer("body", "headers", "dedupe_key"))
        for receipt in chosen:
            reprocess_receipt(receipt)
            self.log_change(request, receipt, "Sent through processing again.")
        self.message_result(request, len(chosen), "Sent through processing again")

    @admin.display(description="receipt")
    def label(self, receipt: Receipt) -> str:
        return receipt.public_id

    @admin.display(description="status")
    def state(self, receipt: Receipt) -> str:
        return RECEIPT_LABELS[ReceiptStatus(receipt.status)].badge()

    @admin.display(description="reason")
    def why(self, receipt: Receipt) -> str:
        return str(QUARANTINE_REASONS.get(receipt.reason, "")) or receipt.reason.replace("_", " ") or NOTHING

    @admin.display(description="received")
    def received(self, receipt: Receipt) -> str:
        return ago(receipt.received_at)

    @admin.display(description="processed")
    def processed(self, receipt: Receipt) -> str:
        return ago(receipt.processed_at)

    @admin.display(description="next attempt")
    def next_try(self, receipt: Receipt) -> str:
        return ago(receipt.next_attempt_at) if receipt.status == ReceiptStatus.RECEIVED else NOTHING

    @admin.display(description="source")
    def source_link(self, receipt: Receipt) -> str:
        return link_to("accounts_source", receipt.source_id, receipt.source_id)

    @admin.display(description="account")
    def account_link(self, receipt: Receipt) -> str:
        return link_to("accounts_account", receipt.account_id, receipt.account_id)

    @admin.display(description="lead")
    def lead_link(self, receipt: Receipt) -> str:
        return link_to("leads_lead", receipt.lead_id, receipt.lead_id)

    @admin.display(description="body")
    def body_text(self, receipt: Receipt) -> str:
        return pretty_body(receipt.body) if receipt.body else "Empty: it was erased."

    @admin.display(description="headers")
    def header_text(self, receipt: Receipt) -> str:
        return pretty_json(receipt.headers)


@admin.register(RejectedRequest)
class RejectedRequestAdmin(BackOfficeAdmin):
    menu_position = 40
    menu_title = "Refused requests"
    list_display = ("why", "source_link", "agency_link", "diagnosis", "count", "first", "last")
    list_filter = (BySource,)
    list_select_related = ("source", "source__agency")
    fieldsets = ((None, {"fields": ("why", "source", "diagnosis", "count", "first", "last")}),)
    search_help_text = "part of the source's or the agency's name."
    search_through: ClassVar[dict[str, type[Model]]] = {"source": Source, "source__agency": Agency}

    @admin.display(description="reason")
    def why(self, rejected: RejectedRequest) -> str:
        return rejected.words

    @admin.display(description="source")
    def source_link(self, rejected: RejectedRequest) -> str:
        return link(rejected.source)

    @admin.display(description="agency")
    def agency_link(self, rejected: RejectedRequest) -> str:
        return link(rejected.source.agency)

    @admin.display(description="first seen")
    def first(self, rejected: RejectedRequest) -> str:
        return ago(rejected.first_seen)

    @admin.display(description="last seen")
    def last(self, rejected: RejectedRequest) -> str:
        return ago(rejected.last_seen)


@admin.register(ProviderRequest)
class ProviderRequestAdmin(BackOfficeAdmin):
    menu_position = 50
    menu_title = "We-Link requests"
    list_display = ("label", "source_link", "action", "account_link", "lead_link", "made")
    list_filter = (BySource,)
    list_select_related = ("source", "account", "lead")
    fieldsets = ((None, {"fields": ("label", "source", "action", "account", "lead", "made")}),)
    search_help_text = "a whole request id, or part of the name or e-mail address of the account or lead."
    exact_search = ("pk", "request_id")
    search_through: ClassVar[dict[str, type[Model]]] = {"account": Account, "lead": Lead}

    @admin.display(description="request id")
    def label(self, request: ProviderRequest) -> str:
        return code(request.request_id)

    @admin.display(description="source")
    def source_link(self, request: ProviderRequest) -> str:
        return link(request.source)

    @admin.display(description="account")
    def account_link(self, request: ProviderRequest) -> str:
        return link(request.account)

    @admin.display(description="lead")
    def lead_link(self, request: ProviderRequest) -> str:
        return link(request.lead)

    @admin.display(description="registered")
    def made(self, request: ProviderRequest) -> str:
        return ago(request.created_at)


@admin.register(SourceMonitor)
class SourceMonitorAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("source_link", "checked", "last_receipt", "known_hours")
    list_filter = (BySource,)
    list_select_related = ("source",)
    fieldsets = ((None, {"fields": ("source", "checked", "last_receipt", "known_hours", "surprise", "most_natural")}),)
    search_help_text = "part of the source's name, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"source": Source}

    @admin.display(description="source")
    def source_link(self, monitor: SourceMonitor) -> str:
        return str(monitor.source)

    @admin.display(description="last looked at")
    def checked(self, monitor: SourceMonitor) -> str:
        return ago(monitor.checked_at)

    @admin.display(description="last heard")
    def last_receipt(self, monitor: SourceMonitor) -> str:
        return ago(monitor.heard_at)

    @admin.display(description="hours of the week known")
    def known_hours(self, monitor: SourceMonitor) -> str:
        return f"{sum(1 for weeks in monitor.weeks if weeks)} of 168"


@admin.register(LatencyTally)
class LatencyTallyAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("began", "source_link", "requests", "slow")
    list_filter = (BySource,)
    list_select_related = ("source",)
    fieldsets = ((None, {"fields": ("source", "began", "requests", "slow")}),)
    search_help_text = "part of the source's name, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"source": Source}

    @admin.display(description="ten minutes from")
    def began(self, tally: LatencyTally) -> str:
        return ago(tally.began_at)

    @admin.display(description="source")
    def source_link(self, tally: LatencyTally) -> str:
        return link(tally.source)
