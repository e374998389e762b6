"""Show sources: URLs, health, rotation. Only the page that makes a secret shows it."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from accounts.admin.source_forms import KEYS, SETTINGS, NewSourceForm, SourceForm
from accounts.core.encrypted_fields import UnreadableValue
from accounts.core.enums import IssueKind, ProviderSlug
from accounts.core.errors import FieldError
from accounts.core.markup import NOTHING, ago, badge, code, table
from accounts.labels import DELIVERS, DELIVERS_UNKNOWN, SOURCE_ISSUES
from accounts.models import Agency, Source, SourceIssue, SourceSecret
from accounts.sources.issues import ADVICE, MAX_MISSED_CHECKS, label_of, missed_checks, with_open_issues
from accounts.sources.recovery import recovery_for
from accounts.sources.service import rotate_secret
from accounts.tenancy import audit
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex, acting_user
from accounts.web.backoffice.cross_links import list_links
from accounts.web.backoffice.filters import ByAgency, BySource
from accounts.web.source_sections import page_sections

MAX_ROWS = 10
ISSUES_TITLE = "Source issues"


class BySourceState(SimpleListFilter):
    """A filter by state. Removed sources are listed only if this filter or a search asks for them."""

    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("issues", "With issues"), ("off", "Disabled"), ("removed", "Removed")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "All but removed"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.value() == "removed":
            return queryset.filter(removed_at__isnull=False)
        if request.GET.get("q"):
            return queryset
        rows = queryset.filter(removed_at__isnull=True)
        if self.value() == "issues":
            return rows.filter(pk__in=SourceIssue.objects.filter(closed_at__isnull=True).values("source"))
        return rows.filter(enabled=False) if self.value() == "off" else rows


@admin.register(Source)
class SourceAdmin(BackOfficeAdmin):
    menu_group = "Inbound"
    menu_position = 10
    audited = True
    list_display = ("label", "agency", "provider", "health", "received", "made")
    list_filter = (BySourceState, ByAgency)
    list_select_related = ("agency",)
    autocomplete_fields = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "health", "webhook_url_field", "previous_url", "received")}),
        (ISSUES_TITLE, {"fields": ("issue_list", "checks")}),
        ("Identifiers", {"fields": ("id", "agency", "provider", "sub_account", "allowed_networks", "made")}),
        ("Keys", {"fields": ("secret_list", "api_keys", *KEYS, "forget_keys")}),
        (
            "Reconnecting accounts",
            {"fields": ("approved_frame_host", "update_frame_url", "pin_endpoint", "proxy_location", "reauth_url")},
        ),
        ("Data quality", {"fields": ("drift_list", "gaps", "elsewhere")}),
    )
    form = SourceForm
    editable = (*SETTINGS, "allowed_networks", *KEYS, "forget_keys")
    add_form = NewSourceForm
    add_fieldsets = ((None, {"fields": ("agency", "provider", "name", "secret", "location_id")}),)
    search_help_text = "part of a name, provider or id, or of the agency's name."
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_fields = ("search_text",)  # for who chooses one
    actions = ("rotate", "recover")
    buttons = ("rotate", "recover")
    confirm: ClassVar[dict[str, str]] = {
        "recover": "The provider is asked anew to deliver here, and what was missed is fetched.",
        "rotate": "A new secret is made and shown once (for LinkedConnector a new webhook URL). The old one stays "
        "valid while it is being exchanged at the provider.",
    }

    @admin.action(description="Rotate secret", permissions=["operate"])
    def rotate(self, request: HttpRequest, sources: "QuerySet[Source]") -> HttpResponse | None:
        chosen = list(sources[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one source: each new secret is shown once.", messages.ERROR)
            return None
        source = chosen[0]
        try:
            secret = rotate_secret(source, by=acting_user(request))
        except FieldError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        new_secrets = {"Webhook URL": source.webhook_url} | ({"Secret": secret} if secret else {})
        return self.render_secrets(request, source, title=f"New secret of {source}", secrets=new_secrets)

    @admin.action(description="Recover now", permissions=["operate"])
    def recover(self, request: HttpRequest, sources: "QuerySet[Source]") -> None:
        for source in sources:
            recovery = recovery_for(source)
            if recovery is None:
                self.message_user(request, f"{source} cannot be recovered from here.", messages.ERROR)
                continue
            try:
                self.message_user(request, recovery(source), messages.SUCCESS)
            except ValueError as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
                continue
            audit.log_change(acting_user(request), source, "Recovered")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Source]":
        return with_open_issues(super().get_queryset(request))

    def is_button_applicable(self, button: str, obj: Source) -> bool:
        if button == "recover":
            return recovery_for(obj) is not None
        if obj.removed_at is not None:
            return False
        return obj.provider not in {ProviderSlug.LINKEDIN, ProviderSlug.HIGHLEVEL}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the rows that other apps show of a source."""
        return [
            (title, {**options, "fields": (*options["fields"], *page_sections(title or ""))} if obj else options)
            for title, options in super().get_fieldsets(request, obj) or ()
        ]

    @admin.display(description="source")
    def label(self, source: Source) -> str:
        return str(source)

    @admin.display(description="health")
    def health(self, source: Source) -> str:
        label = label_of(source)
        return (DELIVERS_UNKNOWN if label is DELIVERS and source.drift else label).badge()

    @admin.display(description="issues")
    def issue_list(self, source: Source) -> str:
        return table(
            ("Issue", "Since", "Ended", "Detail", "What to do"),
            (
                (
                    badge(SOURCE_ISSUES[kind].text, "quiet" if issue.closed_at else SOURCE_ISSUES[kind].tone),
                    ago(issue.opened_at),
                    ago(issue.closed_at),
                    issue.detail or NOTHING,
                    NOTHING if issue.closed_at else ADVICE[kind],
                )
                for issue in source.issues.order_by("-pk")[:MAX_ROWS]
                for kind in [IssueKind(issue.kind)]
            ),
            empty="No source issues.",
        )

    @admin.display(description="LinkedIn's checks")
    def checks(self, source: Source) -> str:
        if source.provider != ProviderSlug.LINKEDIN:
            return NOTHING
        if source.validated_at is None:
            return "LinkedIn has not checked its address yet."
        missed = missed_checks(source, timezone.now())
        return format_html(
            "last checked {}, {} of {} missed since", ago(source.validated_at), missed, MAX_MISSED_CHECKS
        )

    @admin.display(description="last receipt")
    def received(self, source: Source) -> str:
        return ago(source.last_receipt_at) if source.last_receipt_at else "never"

    @admin.display(description="created")
    def made(self, source: Source) -> str:
        return ago(source.created_at)

    @admin.display(description="webhook URL")
    def webhook_url_field(self, source: Any) -> str:
        return code(source.webhook_url if source.may_change else source.masked_webhook_url)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Store whether the reader may change the source, and so sees a secret URL unmasked."""
        if obj is not None:
            obj.may_change = self.has_change_permission(request, obj)
        return super().get_readonly_fields(request, obj)

    @admin.display(description="previous URL")
    def previous_url(self, source: Source) -> str:
        expires = source.previous_token_expires_at
        return ago(expires) if source.previous_token and expires and expires > timezone.now() else NOTHING

    @admin.display(description="secrets")
    def secret_list(self, source: Source) -> str:
        rows = source.secrets.defer("secret").order_by("-created_at", "-pk")
        return table(
            ("Created", "Valid"),
            ((ago(row.created_at), _validity(row)) for row in rows),
            empty="It has none.",
        )

    @admin.display(description="API credentials")
    def api_keys(self, source: Source) -> str:
        if isinstance(source.credentials, UnreadableValue):
            return badge("none of today's encryption keys opens them", "bad")
        names = sorted(source.readable_credentials)
        return f"stored: {', '.join(names)}" if names else NOTHING

    @admin.display(description="unknown fields")
    def drift_list(self, source: Source) -> str:
        rows = sorted(source.drift.items(), key=lambda row: -row[1])[:30]
        return table(("Field", "Seen"), ((code(name), count) for name, count in rows), empty="None so far.")

    @admin.display(description="more")
    def elsewhere(self, source: Source) -> str:
        return list_links(source)


def _validity(secret: SourceSecret) -> str:
    if secret.expires_at is None:
        return "stays valid"
    if secret.expires_at > timezone.now():
        return format_html("ends {}", ago(secret.expires_at))
    return format_html("ended {}; known for 30 days, to tell who still signs with it", ago(secret.expires_at))


@admin.register(SourceSecret)
class SourceSecretAdmin(HiddenFromIndex, BackOfficeAdmin):
    """The secrets of sources, and since when they are valid. The secret is never shown."""

    list_display = ("source", "made", "ends")
    list_filter = (BySource,)
    list_select_related = ("source",)
    fieldsets = ((None, {"fields": ("source", "made", "ends")}),)
    search_help_text = "part of the source's name, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"source": Source}

    @admin.display(description="created")
    def made(self, secret: SourceSecret) -> str:
        return ago(secret.created_at)

    @admin.display(description="expires")
    def ends(self, secret: SourceSecret) -> Any:
        return ago(secret.expires_at) if secret.expires_at else "stays valid"
