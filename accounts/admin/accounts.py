"""LinkedIn accounts and everything that was ever reported about them."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.actions import Turn, sentence, turn
from accounts.admin.base import BackOfficeAdmin, HiddenFromIndex
from accounts.admin.filters import ByAccount, ByAgency, ByStatus
from accounts.admin.forms import ServiceForm
from accounts.display import NOTHING, Tone, ago, badge, duration, link, list_link, receipt_link, table
from accounts.lifecycle import STAFF, durations, revive
from accounts.models import Account, AccountReport, ReauthStep
from accounts.reauth import NotNeeded, addresses_for, ask, revoke
from accounts.services import update_account
from accounts.vocabulary import AccountStatus, ProviderSlug

TONES: dict[str, Tone] = {
    AccountStatus.ACTIVE: "good",
    AccountStatus.INCOMPLETE: "warn",
    AccountStatus.DISCONNECTED: "bad",
    AccountStatus.AUTH_ERROR: "bad",
    AccountStatus.BLOCKED: "bad",
    AccountStatus.DELETED: "quiet",
}
WHOSE_TURN = {Turn.OWNER: badge("owner", "warn"), Turn.WAIT: badge("wait", "busy"), Turn.NOBODY: ""}
LATEST = 20


def account_badge(status: str) -> SafeString:
    return badge(status.replace("_", " "), TONES.get(status, "quiet"))


class AccountForm(ServiceForm):
    taken = "This location has an account of this name already."

    class Meta:
        model = Account
        fields = ("name", "email", "sub_account")

    def apply(self) -> Account:
        return update_account(Account.objects.get(pk=self.instance.pk), **self.changes)


class ByAccountStatus(ByStatus):
    """Deleted accounts are listed only when they are asked for, by status or by a search."""

    options = [(status.value, status.replace("_", " ")) for status in AccountStatus]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "All but deleted"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        rows = super().queryset(request, queryset)
        return rows if self.value() or request.GET.get("q") else rows.exclude(status=AccountStatus.DELETED)


@admin.register(Account)
class AccountAdmin(BackOfficeAdmin):
    list_display = ("label", "agency", "provider", "state", "status_reason", "since", "next_step")
    list_filter = (ByAccountStatus, ByAgency)
    list_select_related = ("agency", "source", "sub_account")
    raw_id_fields = ("sub_account",)
    form = AccountForm
    editable = ("name", "email", "sub_account")
    fieldsets = (
        (None, {"fields": ("name", "email", "state", "status_reason", "since", "next_step", "limited")}),
        ("Where it belongs", {"fields": ("id", "agency", "sub_account", "provider", "external_id", "source", "made")}),
        (
            "Profile",
            {
                "fields": ("first_name", "last_name", "public_identifier", "occupation", "premium"),
                "classes": ("collapse",),
            },
        ),
        ("Getting it back", {"fields": ("asked", "durations")}),
        ("What was reported", {"fields": ("history_of_reports", "elsewhere")}),
    )
    actions = ("ask_owner", "withdraw", "revive")
    buttons = ("ask_owner", "withdraw", "revive")
    confirm: ClassVar[dict[str, str]] = {
        "ask_owner": "The owner gets a mail with a link to reconnect the account.",
        "withdraw": "The link that the owner has stops working, and no more reminders are sent.",
        "revive": "The account gets back the status it had before it was deleted. Its campaigns stay paused.",
    }
    exact_search = ("pk",)
    search_help_text = "A whole id; with an agency chosen also the provider's id of the account."

    def find(self, word: str, agency_id: str) -> Q:
        found = super().find(word, agency_id)
        if agency_id:
            found |= Q(agency_id=agency_id, provider__in=list(ProviderSlug), external_id=word)
        return found

    def fits(self, button: str, obj: Account) -> bool:
        if button == "withdraw":
            return obj.prompts.filter(closed_at__isnull=True).exists()
        if button == "revive":
            return obj.status == AccountStatus.DELETED
        return obj.status not in {AccountStatus.ACTIVE, AccountStatus.DELETED}

    @admin.action(description="Ask the owner to reconnect", permissions=["operate"])
    def ask_owner(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        self._each(request, accounts, _ask_owner, "Asked the owner")

    @admin.action(description="Withdraw the owner's link", permissions=["operate"])
    def withdraw(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        self._each(request, accounts, _withdraw, "Withdrew the link")

    @admin.action(description="Revive", permissions=["operate"])
    def revive(self, request: HttpRequest, accounts: "QuerySet[Account]") -> None:
        self._each(request, accounts, revive, "Revived")

    def _each(
        self, request: HttpRequest, accounts: "QuerySet[Account]", act: Callable[[Account], object], what: str
    ) -> None:
        """Do it to each, say how many and why not to the others."""
        done, failed = 0, []
        for account in accounts:
            try:
                act(account)
            except ValueError as refusal:
                failed.append(f"{account}: {refusal}")
                continue
            done += 1
            self.log_change(request, account, f"{what}.")
        self.tell(request, done, what, failed)

    @admin.display(description="account")
    def label(self, account: Account) -> str:
        return str(account)

    @admin.display(description="status")
    def state(self, account: Account) -> str:
        return account_badge(account.status)

    @admin.display(description="since")
    def since(self, account: Account) -> str:
        return ago(account.status_since)

    @admin.display(description="next step")
    def next_step(self, account: Account) -> str:
        return format_html("{} {}", sentence(account), WHOSE_TURN[turn(account)])

    @admin.display(description="rate limit")
    def limited(self, account: Account) -> str:
        return format_html("ends {}", ago(account.rate_limited_until)) if account.rate_limited else NOTHING

    @admin.display(description="first seen")
    def made(self, account: Account) -> str:
        return ago(account.created_at)

    @admin.display(description="asked")
    def asked(self, account: Account) -> str:
        steps = ReauthStep.objects.filter(prompt__account=account).order_by("-pk")[:LATEST]
        return table(
            ("When", "What", "To", "Note"),
            (
                (ago(step.at), step.get_kind_display(), step.recipient or NOTHING, step.note or NOTHING)
                for step in steps
            ),
            empty="Its owner was never asked to reconnect it.",
        )

    @admin.display(description="how long")
    def durations(self, account: Account) -> str:
        found = durations(account)
        back = sorted(found.to_reconnect)
        rows: list[tuple[str, str]] = [
            (account_badge(status), duration(length)) for status, length in found.in_status.items()
        ]
        if back:
            rows.append(("Back after a drop", f"{duration(back[len(back) // 2])} (median of {len(back)})"))
        return table(("Status", "In all"), rows, empty="Nothing was reported about it yet.")

    @admin.display(description="latest reports")
    def history_of_reports(self, account: Account) -> str:
        reports = account.reports.order_by("-pk")[:LATEST]
        return table(
            ("When", "From", "To", "By", "Took effect", "Note", "Receipt"),
            (
                (
                    ago(report.occurred_at),
                    report.from_status.replace("_", " ") or "first seen",
                    account_badge(report.to_status),
                    report.reported_by,
                    badge("yes", "good") if report.applied else badge("no", "quiet"),
                    report.note or NOTHING,
                    receipt_link(report.receipt_id),
                )
                for report in reports
            ),
            empty="Nothing was reported about it yet.",
        )

    @admin.display(description="more")
    def elsewhere(self, account: Account) -> str:
        return format_html(
            "{} · {} · {} · {}",
            list_link("accounts_accountreport", "All reports", account=account.pk),
            list_link("accounts_event", "Events", subject=account.pk),
            list_link("accounts_reauthprompt", "Prompts to reconnect", account=account.pk),
            list_link("leads_lead", "Leads", account=account.pk, agency=account.agency_id),
        )


def _ask_owner(account: Account) -> None:
    addresses = addresses_for(account)
    if not addresses:
        raise NotNeeded("No address is known: make a link with the API and hand it over.")
    for address in addresses:
        ask(account, by=STAFF, email=address)


def _withdraw(account: Account) -> None:
    if not revoke(account, by=STAFF):
        raise NotNeeded("Its owner has no link.")


@admin.register(AccountReport)
class AccountReportAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "account_link", "before", "after", "reported_by", "effect", "note")
    list_filter = (ByAccount,)
    list_select_related = ("account",)
    fieldsets = (
        (None, {"fields": ("account", "before", "after", "when", "reported_by", "effect", "note", "receipt")}),
    )
    search_help_text = "A whole number of a report."

    @admin.display(description="when")
    def when(self, report: AccountReport) -> str:
        return ago(report.occurred_at)

    @admin.display(description="account")
    def account_link(self, report: AccountReport) -> str:
        return link(report.account)

    @admin.display(description="from")
    def before(self, report: AccountReport) -> str:
        return report.from_status.replace("_", " ") or "first seen"

    @admin.display(description="to")
    def after(self, report: AccountReport) -> str:
        return account_badge(report.to_status)

    @admin.display(description="took effect")
    def effect(self, report: AccountReport) -> str:
        return badge("yes", "good") if report.applied else badge("no", "quiet")

    @admin.display(description="receipt")
    def receipt(self, report: AccountReport) -> str:
        return receipt_link(report.receipt_id)
