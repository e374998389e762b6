"""LinkedIn accounts and everything that was ever reported about them."""

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import BackOfficeAdmin, HiddenFromIndex
from accounts.admin.filters import ByAccount, ByAgency, ByStatus
from accounts.admin.forms import ServiceForm
from accounts.display import NOTHING, Tone, ago, badge, link, list_link, receipt_link, table
from accounts.models import Account, AccountReport
from accounts.services import update_account
from accounts.vocabulary import AccountStatus, ProviderSlug, SuggestedAction

TONES: dict[str, Tone] = {
    AccountStatus.ACTIVE: "good",
    AccountStatus.INCOMPLETE: "warn",
    AccountStatus.DISCONNECTED: "bad",
    AccountStatus.AUTH_ERROR: "bad",
    AccountStatus.BLOCKED: "bad",
    AccountStatus.DELETED: "quiet",
}
NEXT_STEP = {
    SuggestedAction.NONE: "Nothing to do",
    SuggestedAction.COMPLETE_ONBOARDING: "The owner completes the onboarding",
    SuggestedAction.SOLVE_CHALLENGE: "The owner solves LinkedIn's challenge",
    SuggestedAction.SIGN_IN_AGAIN: "The owner signs in again",
    SuggestedAction.CONTACT_LINKEDIN: "The owner contacts LinkedIn",
    SuggestedAction.WAIT: "Wait until the limit ends",
    SuggestedAction.ARCHIVE: "Nothing: it is gone",
}
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
    options = [(status.value, status.replace("_", " ")) for status in AccountStatus]


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
        ("What was reported", {"fields": ("history_of_reports", "elsewhere")}),
    )
    exact_search = ("pk",)
    search_help_text = "A whole id; with an agency chosen also the provider's id of the account."

    def find(self, word: str, agency_id: str) -> Q:
        found = super().find(word, agency_id)
        if agency_id:
            found |= Q(agency_id=agency_id, provider__in=list(ProviderSlug), external_id=word)
        return found

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
        return NEXT_STEP[account.suggested_action]

    @admin.display(description="rate limit")
    def limited(self, account: Account) -> str:
        return format_html("ends {}", ago(account.rate_limited_until)) if account.rate_limited else NOTHING

    @admin.display(description="first seen")
    def made(self, account: Account) -> str:
        return ago(account.created_at)

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
