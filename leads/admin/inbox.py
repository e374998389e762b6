"""Show conversations with leads in the back office."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.core.enums import provider_name
from accounts.core.markup import NOTHING, ago, link
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency, ByParent
from leads.admin.filters import ByLead
from leads.labels import MESSAGE_AUTHORS, MESSAGE_STATES
from leads.models import Lead, Message, Sending, Thread, ThreadRead


class ByThread(ByParent):
    """A filter for the messages of one conversation."""

    title, parameter_name, model = "conversation", "thread", Thread


@admin.register(Thread)
class ThreadAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 25
    menu_title = "Conversations"
    list_display = ("last_message", "lead_link", "agency", "account", "provider", "waits", "label")
    list_filter = (ByAgency, ByLead)
    list_select_related = ("lead", "agency", "account")
    fieldsets = (
        (None, {"fields": ("lead_link", "agency", "account", "provider", "label")}),
        ("Times", {"fields": ("last_message_at", "last_received_at", "waiting_since", "read_at")}),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    empty_list = "No provider has reported a message yet."

    @admin.display(description="lead")
    def lead_link(self, thread: Thread) -> str:
        return link(thread.lead)

    @admin.display(description="last message")
    def last_message(self, thread: Thread) -> str:
        return ago(thread.last_message_at)

    @admin.display(description="waits since")
    def waits(self, thread: Thread) -> str:
        return ago(thread.waiting_since) if thread.waiting_since else NOTHING


@admin.register(Message)
class MessageAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("written", "author_label", "state_badge", "lead_link", "text")
    list_filter = (ByThread, ByLead)
    list_select_related = ("lead",)
    fieldsets = (
        (None, {"fields": ("lead_link", "author_label", "state_badge", "user", "text", "is_preview")}),
        ("Where it came from", {"fields": ("provider", "account", "occurred_at", "receipt_id")}),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}

    @admin.display(description="written")
    def written(self, message: Message) -> str:
        return ago(message.occurred_at)

    @admin.display(description="state")
    def state_badge(self, message: Message) -> str:
        return MESSAGE_STATES[message.state].badge()

    @admin.display(description="by")
    def author_label(self, message: Message) -> str:
        return str(MESSAGE_AUTHORS[message.author])  # type: ignore[index]

    @admin.display(description="lead")
    def lead_link(self, message: Message) -> str:
        return link(message.lead)


@admin.register(Sending)
class SendingAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 26
    menu_title = "Sent messages"
    list_display = ("asked", "kind", "state_badge", "lead_link", "provider", "error")
    list_select_related = ("message__lead",)
    fieldsets = (
        (None, {"fields": ("message", "kind", "lead_link", "state_badge", "error", "held_codes")}),
        ("Calls", {"fields": ("source", "external_id", "called_at", "echoed_at", "attempts", "next_attempt_at")}),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"message__lead": Lead}
    empty_list = "Nobody has sent a message from Leadline yet."

    @admin.display(description="asked")
    def asked(self, sending: Sending) -> str:
        return ago(sending.called_at) if sending.called_at else NOTHING

    @admin.display(description="state")
    def state_badge(self, sending: Sending) -> str:
        return MESSAGE_STATES[sending.message.state].badge()

    @admin.display(description="lead")
    def lead_link(self, sending: Sending) -> str:
        return link(sending.message.lead)

    @admin.display(description="provider")
    def provider(self, sending: Sending) -> str:
        return provider_name(sending.message.provider)


@admin.register(ThreadRead)
class ThreadReadAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("member", "read")
    list_filter = (ByThread,)
    list_select_related = ("member__user",)
    fieldsets = ((None, {"fields": ("thread", "member", "read_at")}),)
    search_help_text = "the id of a conversation."
    search_through: ClassVar[dict[str, type[Model]]] = {"thread__lead": Lead}

    @admin.display(description="read")
    def read(self, read: ThreadRead) -> str:
        return ago(read.read_at)
