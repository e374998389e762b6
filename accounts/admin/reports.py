"""Show every report about an account."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.core.markup import ago, badge, link, receipt_link
from accounts.labels import status_badge
from accounts.models import Account, AccountReport
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAccount


@admin.register(AccountReport)
class AccountReportAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "account_link", "before", "after", "reported_by", "effect", "note")
    list_filter = (ByAccount,)
    list_select_related = ("account",)
    fieldsets = (
        (None, {"fields": ("account", "before", "after", "when", "reported_by", "effect", "note", "receipt")}),
    )
    search_help_text = "part of the account's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"account": Account}

    @admin.display(description="when")
    def when(self, report: AccountReport) -> str:
        return ago(report.occurred_at)

    @admin.display(description="account")
    def account_link(self, report: AccountReport) -> str:
        return link(report.account)

    @admin.display(description="from")
    def before(self, report: AccountReport) -> str:
        return status_badge(report.from_status)

    @admin.display(description="to")
    def after(self, report: AccountReport) -> str:
        return status_badge(report.to_status)

    @admin.display(description="applied")
    def effect(self, report: AccountReport) -> str:
        return badge("Yes", "good") if report.applied else badge("No change", "quiet")

    @admin.display(description="receipt")
    def receipt(self, report: AccountReport) -> str:
        return receipt_link(report.receipt_id)
