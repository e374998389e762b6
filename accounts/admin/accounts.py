"""Show LinkedIn accounts and everything that was reported about them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from accounts.admin.account_filters import ByAccountStatus, ByLimit, ByOwnerAsked
from accounts.admin.owner_progress import owner_progress, with_open_prompts
from accounts.admin.permission import PERMISSION, LinkedInPermissionMixin
from accounts.campaigns.service import pause_all, resume_all
from accounts.core.email_addresses import display_email
from accounts.core.enums import AccountStatus, CampaignStatus, provider_name
from accounts.core.markup import NOTHING, ago, badge, duration, link, table
from accounts.labels import CAMPAIGN_STATUSES, account_label, status_badge
from accounts.linkedin.advice import Turn, advice_sentence, whose_turn
from accounts.linkedin.lifecycle import status_durations
from accounts.linkedin.links import contradicting_accounts, describe_views, linked_accounts, proposed_links
from accounts.models import Account
from accounts.reauth.prompts import NotNeeded, ask, revoke
from accounts.reauth.recipients import addresses_for, mail_problem
from accounts.services import update_account
from accounts.services.revival import STAFF, revive
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.cross_links import list_links
from accounts.web.backoffice.filters import ByAge, ByAgency, ByProvider
from accounts.web.backoffice.forms import ServiceForm
from accounts.web.backoffice.timeline import timeline_context

TURN_BADGES = {Turn.OWNER: badge("owner", "warn"), Turn.WAIT: badge("wait", "busy"), Turn.NOBODY: ""}
CHANGED_STATUSES = {
    "pause": CampaignStatus.ACTIVE,
    "resume": CampaignStatus.PAUSED,
}  # button --> status that it ends
MAX_ROWS = 20


class AccountForm(ServiceForm):
    taken = "This location has an account of this name already."

    class Meta:
        model = Account
        fields = ("name", "email", "sub_account")

    def apply(self) -> Account:
        return update_account(Account.objects.get(pk=self.instance.pk), **self.changes)


@admin.register(Account)
class AccountAdmin(LinkedInPermissionMixin, BackOfficeAdmin):
    menu_position = 10
    list_display = ("label", "agency", "provider", "state", "since", "owner", "next_step")
    list_filter = (ByAccountStatus, ByAgency, ByProvider, ByAge, ByOwnerAsked, ByLimit)
    pipeline = ByAccountStatus
    list_select_related = ("agency", "source", "sub_account")
    change_form_template = "admin/timeline.html"
    raw_id_fields = ("sub_account",)
    form = AccountForm
    editable = ("name", "email", "sub_account")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("name", "email", "mail", "state", "status_reason", "since", "owner", "next_step", "limited"),
                    "campaign_list",
                )
            },
        ),
        ("Linked accounts", {"fields": ("agreement", "views", "namesakes")}),
        ("Identifiers", {"fields": ("id", "agency", "sub_account", "provider", "external_id", "source", "made")}),
        (
            "Profile",
            {
                "fields": ("first_name", "last_name", "public_identifier", "occupation", "premium"),
                "classes": ("collapse",),
            },
        ),
        PERMISSION,
        ("Time in each status", {"fields": ("durations", "elsewhere")}),
    )
    actions = ("ask_owner", "withdraw", "pause", "resume", "revive")
    buttons = ("ask_owner", "withdraw", "pause", "resume", "revive")
    confirm: ClassVar[dict[str, str]] = {
        "pause": "All its campaigns are paused, until a person resumes them.",
        "resume": "All its paused campaigns become active again.",
        "ask_owner": "The owner gets an e-mail with a link to reconnect the account.",
        "withdraw": "The link that the owner has stops working, and no more reminders are sent.",
        "revive": "The account gets back the status it had before it was deleted. Its campaigns stay paused.",
    }
    search_help_text = "part of a name, e-mail address, LinkedIn name or id."

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Account]":
        return with_open_prompts(super().get_queryset(request))

    def is_button_applicable(self, button: str, obj: Account) -> bool:
        if button == "withdraw":
            return obj.prompts.filter(closed_at__isnull=True).exists()
        if button == "revive":
            return obj.status == AccountStatus.DELETED
        if button in CHANGED_STATUSES:
            return obj.campaigns.filter(status=CHANGED_STATUSES[button]).exists()
        return obj.status not in {AccountStatus.ACTIVE, AccountStatus.DELETED}

    @admin.action(description="Ask the owner to reconnect", permissions=["operate"])
    def ask_owner(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        asked: list[str] = []
        self.apply_to_each(
            request, accounts, lambda account: asked.extend(_ask_owner(account)), "Reconnect e-mail sent", to=asked
        )

    @admin.action(description="Revoke the owner's link", permissions=["operate"])
    def withdraw(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        self.apply_to_each(request, accounts, _withdraw, "Revoked the link")

    @admin.action(description="Pause its campaigns", permissions=["operate"])
    def pause(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        self.apply_to_each(request, accounts, _pause, "Paused its campaigns")

    @admin.action(description="Resume its campaigns", permissions=["operate"])
    def resume(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        self.apply_to_each(request, accounts, _resume, "Resumed its campaigns")

    @admin.action(description="Revive", permissions=["operate"])
    def revive(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        self.apply_to_each(request, accounts, revive, "Revived")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        account = self.get_object(request, unquote(object_id))
        lines = timeline_context(account, request.GET.get("before", "")) if account else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **lines})

    @admin.display(description="account")
    def label(self, account: Account) -> str:
        return str(account)

    @admin.display(description="status")
    def state(self, account: Account) -> str:
        shown = account_label(account).badge()
        return (
            format_html('{} <span class="reason">{}</span>', shown, account.status_reason)
            if account.status_reason
            else shown
        )

    @admin.display(description="owner")
    def owner(self, account: Account) -> str:
        return owner_progress(account) or NOTHING

    @admin.display(description="status since")
    def since(self, account: Account) -> str:
        return ago(account.status_since)

    @admin.display(description="next step")
    def next_step(self, account: Account) -> str:
        return format_html("{} {}", advice_sentence(account), TURN_BADGES[whose_turn(account)])

    @admin.display(description="e-mail deliverability")
    def mail(self, account: Account) -> str:
        problem = mail_problem(account)
        return format_html("{} {}", badge("Undeliverable", "bad"), problem) if problem else NOTHING

    @admin.display(description="rate limit")
    def limited(self, account: Account) -> str:
        return format_html("ends {}", ago(account.rate_limited_until)) if account.rate_limited else NOTHING

    @admin.display(description="created")
    def made(self, account: Account) -> str:
        return ago(account.created_at)

    @admin.display(description="campaigns")
    def campaign_list(self, account: Account) -> str:
        campaigns = account.campaigns.order_by("-id")[:MAX_ROWS]
        return table(
            ("Campaign", "Status", "Reason"),
            (
                (
                    link(campaign),
                    CAMPAIGN_STATUSES[CampaignStatus(campaign.status)].badge(),
                    f"{campaign.pause_reason or NOTHING} (by {campaign.paused_by})" if campaign.paused_by else NOTHING,
                )
                for campaign in campaigns
            ),
            empty="No campaigns use this account.",
        )

    @admin.display(description="agreement")
    def agreement(self, account: Account) -> str:
        found = contradicting_accounts(account, linked_accounts([account])[account.pk])
        return (
            format_html("{} {}", badge("Providers disagree", "warn"), describe_views(found))
            if found
            else badge("Providers agree", "good")
        )

    @admin.display(description="linked accounts")
    def views(self, account: Account) -> str:
        return table(
            ("Provider", "Account", "Status", "Status since", "Reason"),
            (
                (
                    provider_name(other.provider),
                    link(other),
                    status_badge(other.status),
                    ago(other.status_since),
                    other.status_reason or NOTHING,
                )
                for other in linked_accounts([account])[account.pk]
            ),
            empty="No other provider knows an account with its e-mail address or public identifier.",
        )

    @admin.display(description="possible duplicates")
    def namesakes(self, account: Account) -> str:
        rows = proposed_links(account)
        return table(
            ("Provider", "Account", "Is it the same person?"),
            (
                (provider_name(other.provider), link(other), link(row, "decide"))
                for row in rows
                for other in [row.second if row.first_id == account.pk else row.first]
            ),
            empty="No account shares only its name.",
        )

    @admin.display(description="time in status")
    def durations(self, account: Account) -> str:
        found = status_durations(account)
        back = sorted(found.to_reconnect)
        rows: list[tuple[str, str]] = [
            (status_badge(status), duration(length)) for status, length in found.in_status.items()
        ]
        if back:
            rows.append(("Time to reconnect", f"{duration(back[len(back) // 2])} (median of {len(back)})"))
        return table(("Status", "In total"), rows, empty="Nothing was reported about it yet.")

    @admin.display(description="more")
    def elsewhere(self, account: Account) -> str:
        return list_links(account)


def _ask_owner(account: Account) -> list[str]:
    """Ask the owner to reconnect the account. Return the addresses that the e-mail goes to."""
    addresses = addresses_for(account)
    if not addresses:
        raise NotNeeded("No e-mail address is known: create a link with the API and hand it over.")
    for address in addresses:
        ask(account, by=STAFF, email=address)
    return [display_email(address) for address in addresses]


def _pause(account: Account) -> None:
    if not pause_all(account, reason="Paused by Leadline's staff."):
        raise NotNeeded("None of its campaigns is active.")


def _resume(account: Account) -> None:
    if not resume_all(account):
        raise NotNeeded("None of its campaigns is paused.")


def _withdraw(account: Account) -> None:
    if not revoke(account, by=STAFF):
        raise NotNeeded("Its owner has no link.")
