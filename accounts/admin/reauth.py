"""Show re-authentication: prompts to owners and each of their steps. Links and tokens are never shown."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from accounts.core.email_addresses import email_key
from accounts.core.markup import NOTHING, ago, link, table
from accounts.labels import PROMPT_ENDS, PROMPT_OPEN
from accounts.models import Account, MailCount
from accounts.models.reauth import AccountToken, BouncedAddress, ReauthPrompt, ReauthStep
from accounts.reauth.recipients import unblock_address
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAccount, ByParent

MAX_ROWS = 50


class ByPrompt(ByParent):
    title, parameter_name, model = "prompt", "prompt", ReauthPrompt

    def label(self, key: str) -> str:
        return key


@admin.register(ReauthPrompt)
class ReauthPromptAdmin(BackOfficeAdmin):
    menu_position = 30
    menu_title = "Reconnect requests"
    list_display = ("account_link", "state", "opened_by", "opened", "expires", "viewed")
    list_filter = (ByAccount,)
    list_select_related = ("account",)
    fieldsets = (
        (None, {"fields": ("account", "state", "opened_by", "sent_to", "opened", "expires", "reminder", "viewed")}),
        ("History", {"fields": ("step_table",)}),
    )
    search_help_text = "part of the account's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"account": Account}

    @admin.display(description="account")
    def account_link(self, prompt: ReauthPrompt) -> str:
        return str(prompt.account)

    @admin.display(description="state")
    def state(self, prompt: ReauthPrompt) -> str:
        return PROMPT_ENDS[prompt.end].badge() if prompt.end else PROMPT_OPEN.badge()

    @admin.display(description="sent to")
    def sent_to(self, prompt: ReauthPrompt) -> str:
        return ", ".join(map(str, prompt.recipients)) or "no e-mail: the link was handed over"

    @admin.display(description="opened")
    def opened(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.opened_at)

    @admin.display(description="expires")
    def expires(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.expires_at)

    @admin.display(description="next reminder")
    def reminder(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.next_reminder_at)

    @admin.display(description="last opened by the owner")
    def viewed(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.viewed_at) if prompt.viewed_at else "never"

    @admin.display(description="steps")
    def step_table(self, prompt: ReauthPrompt) -> str:
        rows = prompt.steps.order_by("-pk")[:MAX_ROWS]
        return table(
            ("When", "Step", "To", "Note"),
            ((ago(row.at), row.get_kind_display(), row.recipient or NOTHING, row.note or NOTHING) for row in rows),
            empty="Nothing yet.",
        )


@admin.register(ReauthStep)
class ReauthStepAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "kind", "prompt_link", "recipient", "note")
    list_filter = (ByPrompt,)
    list_select_related = ("prompt",)
    fieldsets = ((None, {"fields": ("when", "kind", "prompt", "recipient", "event_id", "reference", "note")}),)
    search_help_text = "an id."

    @admin.display(description="when")
    def when(self, step: ReauthStep) -> str:
        return ago(step.at)

    @admin.display(description="prompt")
    def prompt_link(self, step: ReauthStep) -> str:
        return link(step.prompt)


@admin.register(BouncedAddress)
class BouncedAddressAdmin(BackOfficeAdmin):
    """Addresses that get no mail for owners, and why. Staff may unblock one."""

    menu_position = 50
    menu_title = "Bounced addresses"
    list_display = ("email", "reason", "blocked_since")
    fieldsets = ((None, {"fields": ("email", "reason", "blocked_since")}),)
    actions = ("forgive",)
    buttons = ("forgive",)
    confirm: ClassVar[dict[str, str]] = {
        "forgive": "Owners get e-mail at this address again, until it bounces. "
        "If its reader complained, make sure that they want it."
    }
    search_help_text = "part of an address."
    text_search = ("email",)
    empty_list = "No bounced addresses: every e-mail to an account's owner was accepted."

    def search_condition(self, word: str, agency_id: str) -> Q:
        return super().search_condition(word, agency_id) | Q(email=email_key(word))

    @admin.action(description="Unblock", permissions=["operate"])
    def forgive(self, request: HttpRequest, rows: "QuerySet[BouncedAddress]") -> None:
        self.apply_to_each(request, rows, lambda row: unblock_address(row.email), "Unblocked")

    @admin.display(description="since")
    def blocked_since(self, row: BouncedAddress) -> str:
        return ago(row.at)


@admin.register(MailCount)
class MailCountAdmin(HiddenFromIndex, BackOfficeAdmin):
    """How many mails were asked for by hour. The hash does not reveal for whom."""

    list_display = ("hour", "count", "key")
    fieldsets = ((None, {"fields": ("hour", "count", "key")}),)
    exact_search = ("pk", "key")
    search_help_text = "a whole hash, or an id."


@admin.register(AccountToken)
class AccountTokenAdmin(HiddenFromIndex, BackOfficeAdmin):
    """The accounts with a provider's token, and since when. The token is never shown."""

    list_display = ("account", "made")
    list_filter = (ByAccount,)
    list_select_related = ("account",)
    fieldsets = ((None, {"fields": ("account", "made")}),)
    search_help_text = "part of the account's name or e-mail address."
    search_through: ClassVar[dict[str, type[Model]]] = {"account": Account}

    @admin.display(description="since")
    def made(self, token: AccountToken) -> str:
        return ago(token.created_at)
