"""Show in the back office what is wrong with a connection, and how far a pull is."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.core.markup import NOTHING, ago, badge, code, link, pretty_json, table
from accounts.models import Account, Source
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from leads import wakeups
from leads.lead_sync import backfill
from leads.lead_sync.forms import ask_again
from leads.lead_sync.problems import count_problems, problems_of
from leads.models import LeadFetch, LeadForm, LeadSync, OwnerAccess, Pull, RefusedForm, Subscription, UnlabelledAnswers

REFRESH_SECONDS = 5


@admin.register(LeadSync)
class LeadSyncAdmin(BackOfficeAdmin):
    menu_group = "Inbound"
    menu_position = 60
    menu_title = "LinkedIn Lead Sync"
    list_display = ("source", "account_link", "state", "checked")
    list_select_related = ("source", "account")
    fieldsets = (
        (None, {"fields": ("source", "account", "connected_by", "connected", "checked", "next_check")}),
        ("Token", {"fields": ("token",)}),
        ("Problems", {"fields": ("problem_table",)}),
        ("Subscriptions", {"fields": ("subscriptions_table",)}),
        ("Forms without access", {"fields": ("refused_forms_table",)}),
        ("Pulls", {"fields": ("pulls_table",)}),
    )
    actions = ("pull", "ask_for_forms")
    buttons = ("pull", "ask_for_forms")
    confirm: ClassVar[dict[str, str]] = {
        "pull": "Everything that LinkedIn keeps since the last pull is asked for now.",
        "ask_for_forms": "The forms that LinkedIn does not show are asked for again now.",
    }
    search_help_text = "part of the name of the source, or of the connected account."
    search_through: ClassVar[dict[str, type[Model]]] = {"source": Source, "account": Account}

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LeadSync]":
        rows: QuerySet[LeadSync] = super().get_queryset(request)
        return rows.prefetch_related("subscriptions", "refused_forms", "pulls")

    @admin.action(description="Pull leads now", permissions=["operate"])
    def pull(self, request: HttpRequest, syncs: "QuerySet[LeadSync]") -> None:
        planned = sum(len(backfill.plan(sync)) for sync in syncs[:50])
        wakeups.wake_up()
        self.message_user(request, f"{planned} pull{'' if planned == 1 else 's'} under way.")

    @admin.action(description="Ask for refused forms again", permissions=["operate"])
    def ask_for_forms(self, request: HttpRequest, syncs: "QuerySet[LeadSync]") -> None:
        asked = sum(ask_again(sync) for sync in syncs[:50])
        wakeups.wake_up()
        self.message_user(request, f"{asked} form{'' if asked == 1 else 's'} asked for again.")

    def is_button_applicable(self, button: str, obj: LeadSync) -> bool:
        return button != "ask_for_forms" or obj.refused_forms.exists()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Reload the page while a pull is under way: there is nothing to type here."""
        page = super().render_change_form(request, context, **kwargs)
        soon = timezone.now() + backfill.LEASE
        if kwargs.get("obj") and kwargs["obj"].pulls.filter(next_attempt_at__lte=soon).exists():
            page["Refresh"] = str(REFRESH_SECONDS)
        return page

    @admin.display(description="account")
    def account_link(self, sync: LeadSync) -> str:
        return link(sync.account)

    @admin.display(description="state")
    def state(self, sync: LeadSync) -> str:
        count = count_problems(sync)
        return badge("Connected", "good") if not count else badge(f"{count} to fix", "warn")

    @admin.display(description="connected")
    def connected(self, sync: LeadSync) -> str:
        return ago(sync.connected_at)

    @admin.display(description="checked")
    def checked(self, sync: LeadSync) -> str:
        return ago(sync.checked_at)

    @admin.display(description="next check")
    def next_check(self, sync: LeadSync) -> str:
        return ago(sync.next_attempt_at)

    @admin.display(description="token")
    def token(self, sync: LeadSync) -> str:
        account = sync.account
        if account is None:
            return "Nobody is connected."
        return format_html(
            "access ends {}; a person signs in again by {}; last heartbeat {}; scopes: {}",
            ago(account.token_expires_at),
            ago(account.sign_in_by),
            ago(account.last_heartbeat_at),
            ", ".join(account.granted_scopes) or NOTHING,
        )

    @admin.display(description="problems")
    def problem_table(self, sync: LeadSync) -> str:
        rows = ((code(row.code), row.message) for row in problems_of(sync))
        return table(("Code", "What to do"), rows, empty="Nothing.")

    @admin.display(description="subscriptions")
    def subscriptions_table(self, sync: LeadSync) -> str:
        rows = sync.subscriptions.order_by("pk")[:50]
        return table(
            ("Owner", "Leads", "Id at LinkedIn", "Problem"),
            ((row.owner, row.lead_type, row.external_id or NOTHING, row.error or NOTHING) for row in rows),
            empty="None is wanted yet.",
        )

    @admin.display(description="forms")
    def refused_forms_table(self, sync: LeadSync) -> str:
        rows = sync.refused_forms.annotate(leads=Count("waiting")).order_by("pk")[:50]
        return table(
            ("Form", "Why", "Not shown since", "Leads without labels", "Asked for", "Again"),
            (
                (
                    *(code(row.form_id), row.reason.replace("_", " "), ago(row.refused_at), row.leads),
                    *(f"{row.attempts} ×", ago(row.next_attempt_at)),
                )
                for row in rows
            ),
            empty="LinkedIn shows all.",
        )

    @admin.display(description="pulls")
    def pulls_table(self, sync: LeadSync) -> str:
        rows = sync.pulls.order_by("-pk")[:20]
        return table(
            ("Leads of", "Since", "Progress", "New", "Unreadable", "Ended", "Problem"),
            (
                (
                    *(row.owner, ago(row.since), progress(row), row.found, row.skipped),
                    *(ago(row.finished_at), row.error or NOTHING),
                )
                for row in rows
            ),
            empty="Nothing was pulled yet.",
        )


def progress(pull: Pull) -> SafeString | str:
    """Return a progress bar with the figures beside it."""
    if pull.total is None:
        return f"{pull.position:,}"
    done, total = min(pull.position, pull.total), max(pull.total, 1)
    return format_html(
        '<progress value="{}" max="{}"></progress> {} % ({} of {})',
        done, total, 100 if pull.finished_at else 100 * done // total, f"{done:,}", f"{pull.total:,}",
    )  # fmt: skip


@admin.register(Subscription)
class SubscriptionAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("owner", "lead_type", "external_id", "error")
    fieldsets = (
        (None, {"fields": ("sync", "owner", "lead_type", "form", "entity", "external_id", "wanted", "error")}),
    )
    search_help_text = "an id."


@admin.register(OwnerAccess)
class OwnerAccessAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("owner", "lead_type", "proved", "pulled")
    fieldsets = ((None, {"fields": ("sync", "owner", "lead_type", "proved", "missing", "pulled")}),)
    search_help_text = "an id."

    @admin.display(description="roles last proved")
    def proved(self, access: OwnerAccess) -> str:
        return ago(access.proved_at)

    @admin.display(description="role missing since")
    def missing(self, access: OwnerAccess) -> str:
        return ago(access.missing_since)

    @admin.display(description="pulled until")
    def pulled(self, access: OwnerAccess) -> str:
        return ago(access.pulled_until)


@admin.register(RefusedForm)
class RefusedFormAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("form_id", "reason", "since", "again")
    fieldsets = ((None, {"fields": ("sync", "form_id", "reason", "since", "attempts", "again")}),)
    search_help_text = "an id."

    @admin.display(description="not shown since")
    def since(self, form: RefusedForm) -> str:
        return ago(form.refused_at)

    @admin.display(description="asked for again")
    def again(self, form: RefusedForm) -> str:
        return ago(form.next_attempt_at)


@admin.register(UnlabelledAnswers)
class UnlabelledAnswersAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("reference_id", "version")
    fieldsets = ((None, {"fields": ("reference", "form", "version")}),)
    search_help_text = "an id."


@admin.register(LeadForm)
class LeadFormAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("name", "form_id", "version", "fetched")
    fieldsets = ((None, {"fields": ("name", "form_id", "version", "agency", "fetched", "content_json")}),)
    search_help_text = "an id."

    @admin.display(description="fetched")
    def fetched(self, form: LeadForm) -> str:
        return ago(form.fetched_at)

    @admin.display(description="content")
    def content_json(self, form: LeadForm) -> str:
        return pretty_json(form.content)


@admin.register(LeadFetch)
class LeadFetchAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("reference", "due", "attempts", "error")
    list_select_related = ("reference", "source")
    fieldsets = ((None, {"fields": ("reference", "source", "due", "attempts", "error")}),)
    search_help_text = "an id."

    @admin.display(description="next attempt")
    def due(self, fetch: LeadFetch) -> str:
        return ago(fetch.next_attempt_at)


@admin.register(Pull)
class PullAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("owner", "lead_type", "far", "found", "ended")
    fieldsets = (
        (None, {"fields": ("sync", "owner", "lead_type", "since", "until", "far", "found", "ended", "error")}),
    )
    search_help_text = "an id."

    @admin.display(description="progress")
    def far(self, pull: Pull) -> str:
        return progress(pull)

    @admin.display(description="ended")
    def ended(self, pull: Pull) -> str:
        return ago(pull.finished_at)
