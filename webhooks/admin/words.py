"""Show word mappings in the back office, and what waits for one, grouped by word."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.core.enums import WordKind
from accounts.core.markup import NOTHING, ago, code, link, list_link, table
from accounts.models import Source
from accounts.web.backoffice.base import BackOfficeAdmin, acting_user
from accounts.web.backoffice.filters import BySource
from accounts.web.backoffice.forms import ServiceForm
from webhooks.labels import QUARANTINE_REASONS, meaning_label
from webhooks.models import Receipt, ReceiptStatus, WordMapping
from webhooks.processing.groups import MAX_GROUPED, Group, group_unrecognised
from webhooks.processing.word_mappings import map_word, meanings_of, remove_mapping, waiting_for
from webhooks.providers import PROVIDERS
from webhooks.providers.payload import IGNORED

HEADS = ("Agency", "Source", "Unknown word", "Why", "Receipts", "Newest", "")


class NewMappingForm(ServiceForm):
    """A mapping of one source's word. Its meanings are those of the source's provider, once a source is chosen."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in WordKind])
    meaning = forms.ChoiceField(label="Treat as")

    class Meta:
        model = WordMapping
        fields = ("source", "kind", "word", "meaning")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        given = self.data or self.initial
        source = Source.objects.filter(pk=str(given.get("source") or "")).defer("credentials").first()
        kind = str(given.get("kind") or "")
        kinds = [WordKind(kind)] if kind in set(WordKind) else list(WordKind)
        meaning = self.fields["meaning"]
        assert isinstance(meaning, forms.ChoiceField)  # noqa: S101 (declared above)
        meaning.choices = _choices(source, kinds)

    def apply(self) -> WordMapping:
        return map_word(
            self.cleaned_data["source"],
            kind=WordKind(self.cleaned_data["kind"]),
            word=self.cleaned_data["word"],
            meaning=self.cleaned_data["meaning"],
            by=self.by,
        )[0]

    def validate_unique(self) -> None:
        """Allow a word that has a mapping already: its meaning is replaced."""


@admin.register(WordMapping)
class WordMappingAdmin(BackOfficeAdmin):
    menu_position = 35
    audited = True
    list_display = ("label", "source_link", "kind", "treated_as", "released", "made")
    list_filter = (BySource,)
    list_select_related = ("source",)
    autocomplete_fields = ("source",)
    fieldsets = (
        (None, {"fields": ("label", "source_link", "kind", "treated_as", "released", "waiting", "made", "error")}),
    )
    add_form = NewMappingForm
    add_fieldsets = ((None, {"fields": ("source", "kind", "word", "meaning")}),)
    search_help_text = "part of a word, or of the source's name."
    text_search = ("word",)
    search_through: ClassVar[dict[str, type[Model]]] = {"source": Source}
    actions = ("remove",)
    buttons = ("remove",)
    confirm: ClassVar[dict[str, str]] = {
        "remove": "Later events with this word wait in quarantine again. What was processed stays."
    }
    empty_list = "None: every source is read in the words that Leadline knows."

    def get_urls(self) -> list[URLPattern]:
        waiting = self.admin_site.admin_view(self.unrecognised)
        return [path("unrecognised/", waiting, name="webhooks_unrecognised"), *super().get_urls()]

    def unrecognised(self, request: HttpRequest) -> HttpResponse:
        """Show the receipts in quarantine or failed, grouped by what they wait for."""
        if not request.user.has_perm("webhooks.view_receipt"):
            raise PermissionDenied
        waiting = Receipt.objects.filter(status__in=[ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED])
        groups, is_capped = group_unrecognised(waiting)
        rows = table(HEADS, map(_row, groups), empty="None: every event was recognised.")
        context = {
            **self.admin_site.each_context(request),
            "title": "Unrecognised events by word",
            "groups": rows,
            "limit": MAX_GROUPED if is_capped else 0,
        }
        return TemplateResponse(request, "admin/unrecognised.html", context)

    @admin.action(description="Remove", permissions=["operate"])
    def remove(self, request: HttpRequest, mappings: "QuerySet[WordMapping]") -> HttpResponse | None:
        chosen = list(mappings)
        for mapping in chosen:
            remove_mapping(mapping, by=acting_user(request))
        self.message_result(request, len(chosen), "Removed")
        return redirect("admin:webhooks_wordmapping_changelist")

    @admin.display(description="their word")
    def label(self, mapping: WordMapping) -> str:
        return code(mapping.word)

    @admin.display(description="source")
    def source_link(self, mapping: WordMapping) -> str:
        return link(mapping.source)

    @admin.display(description="treated as")
    def treated_as(self, mapping: WordMapping) -> str:
        label = meaning_label(mapping.source.provider, WordKind(mapping.kind), mapping.meaning)
        return format_html("{} {}", label.badge(), code(mapping.meaning))

    @admin.display(description="still waiting")
    def waiting(self, mapping: WordMapping) -> int:
        return waiting_for(mapping).count()

    @admin.display(description="made")
    def made(self, mapping: WordMapping) -> str:
        return ago(mapping.created_at)


def _row(group: Group) -> tuple[object, ...]:
    filters = {"source": group.source.pk, "status": group.status.value}
    why = "It failed." if group.status == ReceiptStatus.FAILED else QUARANTINE_REASONS.get(group.reason, group.reason)
    return (
        link(group.source.agency),
        link(group.source),
        code(group.word) if group.word else group.event_type or NOTHING,
        why,
        list_link("webhooks_receipt", f"{group.count:,}", **filters),
        ago(group.received_at),
        _treat_link(group),
    )


def _treat_link(group: Group) -> SafeString | str:
    if group.kind is None or not meanings_of(group.source, group.kind):
        return ""
    query = {"source": group.source.pk, "kind": group.kind.value, "word": group.word}
    return format_html('<a href="{}">Treat as…</a>', reverse("admin:webhooks_wordmapping_add", query=query))


def _choices(source: Source | None, kinds: list[WordKind]) -> list[tuple[str, str]]:
    if source is None:
        offered = [provider.meanings.get(kind, ()) for provider in PROVIDERS.values() for kind in kinds]
        known = {IGNORED, *(meaning for meanings in offered for meaning in meanings)}
        return [(meaning, meaning) for meaning in sorted(known)]
    return [
        (meaning, f"{meaning_label(source.provider, kind, meaning).text} ({meaning})")
        for kind in kinds
        for meaning in meanings_of(source, kind)
    ]
