"""Show re-authentication: prompts to owners and each of their steps. Links and tokens are never shown."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.core.email_addresses import email_key
from accounts.core.markup import NOTHING, ago, badge, link, table
from accounts.labels import PROMPT_ENDS
from accounts.models import MailCount
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
    list_display = ("account_link", "state", "opened_by", "opened", "expires", "viewed")
    list_filter = (ByAccount,)
    list_select_related = ("account",)
    fieldsets = (
        (None, {"fields": ("account", "state", "opened_by", "sent_to", "opened", "expires", "reminder", "viewed")}),
        ("What happened", {"fields": ("step_table",)}),
    )
    search_help_text = "A whole id."

    @admin.display(description="account")
    def account_link(self, prompt: ReauthPrompt) -> str:
        return str(prompt.account)

    @admin.display(description="state")
    def state(self, prompt: ReauthPrompt) -> str:
        return PROMPT_ENDS[prompt.end].badge() if prompt.end else badge("open", "busy")

    @admin.display(description="sent to")
    def sent_to(self, prompt: ReauthPrompt) -> str:
        return ", ".join(map(str, prompt.recipients)) or "nobody: the link was handed over"

    @admin.display(description="opened")
    def opened(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.opened_at)

    @admin.display(description="ends")
    def expires(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.expires_at)

    @admin.display(description="next reminder")
    def reminder(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.next_reminder_at)

    @admin.display(description="last looked at")
    def viewed(self, prompt: ReauthPrompt) -> str:
        return ago(prompt.viewed_at) if prompt.viewed_at else "never"

    @admin.display(description="steps")
    def step_table(self, prompt: ReauthPrompt) -> str:
        rows = prompt.steps.order_by("-pk")[:MAX_ROWS]
        return table(
            ("When", "What", "To", "Note"),
            ((ago(row.at), row.get_kind_display(), row.recipient or NOTHING, row.note or NOTHING) for row in rows),
            empty="Nothing yet.",
        )


@admin.register(ReauthStep)
class ReauthStepAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "kind", "prompt_link", "recipient", "note")
    list_filter = (ByPrompt,)
    list_select_related = ("prompt",)
    fieldsets = ((None, {"fields": ("when", "kind", "prompt", "recipient", "event_id", "reference", "note")}),)
    search_help_text = "A whole number."

    @admin.display(description="when")
    def when(self, step: ReauthStep) -> str:
        return ago(step.at)

    @admin.display(description="prompt")
    def prompt_link(self, step: ReauthStep) -> str:
        return link(step.prompt)


@admin.register(BouncedAddress)
class BouncedAddressAdmin(BackOfficeAdmin):
    """Addresses that get no mail for owners, and why. Staff may unblock one."""

    list_display = ("email", "reason", "blocked_since")
    fieldsets = ((None, {"fields": ("email", "reason", "blocked_since")}),)
    actions = ("forgive",)
    buttons = ("forgive",)
    confirm: ClassVar[dict[str, str]] = {
        "forgive": "Owners get mail at this address again, until it comes back. "
        "If its reader complained, make sure that they want it."
    }
    search_help_text = "A whole address, or number."
    empty_list = "None: no mail to an account's owner came back."

    def search_condition(self, word: str, agency_id: str) -> Q:
        return super().search_condition(word, agency_id) | Q(email=email_key(word))

    @admin.action(description="Write to it again", permissions=["operate"])
    def forgive(self, request: HttpRequest, rows: "QuerySet[BouncedAddress]") -> None:
        self.apply_to_each(request, rows, lambda row: unblock_address(row.email), "Writing again to")

    @admin.display(description="since")
    def blocked_since(self, row: BouncedAddress) -> str:
        return ago(row.at)


@admin.register(MailCount)
class MailCountAdmin(HiddenFromIndex, BackOfficeAdmin):
    """How many mails were asked for by hour. The hash does not reveal for whom."""

    list_display = ("hour", "count", "key")
    fieldsets = ((None, {"fields": ("hour", "count", "key")}),)
    exact_search = ("pk", "key")
    search_help_text = "A whole hash, or number."


@admin.register(AccountToken)
class AccountTokenAdmin(HiddenFromIndex, BackOfficeAdmin):
    """The accounts with a provider's token, and since when. The token is never shown."""

    list_display = ("account", "made")
    list_filter = (ByAccount,)
    list_select_related = ("account",)
    fieldsets = ((None, {"fields": ("account", "made")}),)
    search_help_text = "A whole id of an account."

    @admin.display(description="since")
    def made(self, token: AccountToken) -> str:
        return ago(token.created_at)
