"""Define what all pages of the back office share: lists by key, hidden secrets, buttons, and services behind
changes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.widgets import AdminSplitDateTime, RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path

from accounts.core.encrypted_fields import EncryptedJSONField
from accounts.core.enums import ProviderSlug
from accounts.core.search import is_searched, matching
from accounts.web.backoffice.actions import LoggedActions
from accounts.web.backoffice.actions import acting_user as acting_user
from accounts.web.backoffice.changelist import KeysetChangeList, OnePage
from accounts.web.backoffice.filters import ByStatus
from accounts.web.backoffice.forms import ServiceForm
from accounts.web.backoffice.search import search_conditions
from accounts.web.recent_sign_in import require_recent_sign_in


class BackOfficeAdmin(LoggedActions):
    """An admin page with a list by key, a search and buttons. Read-only except for `editable` and `add_form`.

    `buttons` names actions that also stand on the object's page. An action in `confirm` shows its sentence first.
    """

    #: Whether the menu lists it, and where: the group (else that of its app), the place in it, and what the rows are
    #: called there.
    in_menu: ClassVar[bool] = True
    menu_group: ClassVar[str] = ""
    menu_position: ClassVar[int] = 100
    menu_title: ClassVar[str] = ""
    list_per_page = 50
    list_select_related: ClassVar[Any] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    ordering = ("-pk",)
    paginator = OnePage
    actions_selection_counter = True
    empty_value_display = "–"
    buttons: ClassVar[Sequence[str]] = ()
    #: Actions that require a recent sign-in, because they show a secret or cannot be undone.
    needs_recent_sign_in = ("rotate", "erase", "forget_second_factor")
    confirm: ClassVar[Mapping[str, str]] = {}
    #: What `?q=` searches besides parts of the `search_text`: fields by whole words, each an index lookup; fields by
    #: parts, of tables that stay small; and references to rows of a searched model (`account`: Account).
    exact_search: ClassVar[Sequence[str]] = ("pk",)
    text_search: ClassVar[Sequence[str]] = ()
    search_through: ClassVar[Mapping[str, type[Model]]] = {}
    has_external_id = False  # whether a search within an agency also finds a provider's id
    empty_list: ClassVar[str] = "Nothing here yet."
    #: The filter whose statuses are counted above the list.
    pipeline: ClassVar[type[ByStatus] | None] = None
    #: The fields that staff may change, and the form and fields of the page that adds an object.
    editable: ClassVar[Sequence[str]] = ()
    add_form: ClassVar[Any] = None
    add_fieldsets: ClassVar[Any] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Leave out encrypted columns, so that lists decrypt nothing and a row that no key decrypts breaks no page."""
        joined = self.list_select_related or ()
        rows = super().get_queryset(request).defer(*_encrypted(self.model, joined))
        return rows.select_related(*joined) if joined else rows  # without names, select_related() joins every key

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return list(self.exact_search)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        word = search_term.strip().replace("\x00", "")
        if not word:
            return queryset, False
        return queryset.filter(self.search_condition(word, request.GET.get("agency", ""))), False

    def search_condition(self, word: str, agency_id: str) -> Q:
        """Return the condition for a searched word. Every part of it is an index lookup, or reads a small table."""
        condition = matching(self.model, word) if is_searched(self.model) else Q(pk__in=[])
        condition |= search_conditions(
            self.model, word, exact=self.exact_search, parts=self.text_search, through=self.search_through
        )
        if self.has_external_id and agency_id:
            condition |= Q(agency_id=agency_id, provider__in=list(ProviderSlug), external_id=word)
        return condition

    def counts_stages(self, request: HttpRequest) -> bool:
        """Return whether an index serves the counts of the list's `pipeline`."""
        return True

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list. An address that names filters without a value is made short, so that it can be shared."""
        if request.method == "GET" and "" in request.GET.values():
            chosen = [(name, value) for name, values in request.GET.lists() for value in values if value]
            return HttpResponseRedirect(f"?{urlencode(chosen)}" if chosen else request.path)
        if request.method == "POST" and request.POST.get("action") in self.needs_recent_sign_in:
            require_recent_sign_in(request)
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return None also for an id that no row can have. PostgreSQL's text type refuses NUL."""
        try:
            return None if "\x00" in object_id else super().get_object(request, object_id, from_field)
        except OverflowError:  # a number beyond SQLite's integers
            return None

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow only the filters that the list offers, so that nobody probes other columns or searches without an
        index."""
        offered = self.get_list_filter(request) if request else self.list_filter
        return "\x00" not in value and lookup in {getattr(choice, "parameter_name", "") for choice in offered}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_form is not None and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.editable) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return []
        return [name for name in flatten_fieldsets(self.get_fieldsets(request, obj) or ()) if name not in self.editable]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return (self.add_fieldsets or None) if obj is None else super().get_fieldsets(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None and self.add_form:
            kwargs["form"] = self.add_form
        form = super().get_form(request, obj, change=change, **kwargs)
        if issubclass(form, ServiceForm):
            form.by = acting_user(request)
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Render a relation without Django's links to add, change and view the chosen object in a pop-up, and name both
        fields of a date with a time."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            for right in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{right}_related", False)
        if field is not None and isinstance(field.widget, AdminSplitDateTime):
            for part, name in zip(field.widget.widgets, ("date", "time"), strict=True):
                part.attrs["aria-label"] = f"{field.label}: {name}"
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save nothing, because a `ServiceForm` has called its service already."""
        assert isinstance(form, ServiceForm), type(form)  # noqa: S101 (Django's users and groups override this)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the new object's secret if it has one, else redirect as usual."""
        new = getattr(obj, "_new_secrets", None)
        return (
            self.render_secrets(request, obj, **new) if new else super().response_add(request, obj, post_url_continue)
        )

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may press buttons, also of objects whose fields nobody edits."""
        meta = self.opts
        return request.user.has_perm(f"{meta.app_label}.change_{meta.model_name}")

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_press"
        press = path("<path:object_id>/press/<slug:button>/", self.admin_site.admin_view(self.press), name=name)
        return [press, *super().get_urls()]

    def press(self, request: HttpRequest, object_id: str, button: str) -> HttpResponseBase:
        """Run the action of a button on an object's page for this object alone."""
        if request.method != "POST" or button not in self.buttons:
            raise Http404
        if button not in self.get_actions(request):
            raise PermissionDenied
        if self.get_object(request, unquote(object_id)) is None:
            raise Http404
        if button in self.needs_recent_sign_in:
            require_recent_sign_in(request)
        rows = self.get_queryset(request).filter(pk=unquote(object_id))
        answer: HttpResponseBase | None = getattr(self, button)(request, rows)
        return answer or HttpResponseRedirect(self.change_url(rows[0]))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        obj = kwargs.get("obj")
        offered: dict[str, Any] = dict(self.get_actions(request)) if obj else {}
        context["buttons"] = [
            {"name": name, "label": offered[name][2], "confirm": self.confirm.get(name, "")}
            for name in self.buttons
            if name in offered and self.is_button_applicable(name, obj)
        ]
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, **kwargs)

    def is_button_applicable(self, button: str, obj: Any) -> bool:
        """Return whether the button makes sense for the object in its state."""
        return True


class HiddenFromIndex:
    """An admin without an entry in the menu, reached from the page of the object that its rows belong to."""

    in_menu = False


def _encrypted(model: type[Model], related: Sequence[str]) -> list[str]:
    """Return the names of the encrypted columns of a model and of the models that its pages join."""
    names = [field.name for field in model._meta.fields if isinstance(field, EncryptedJSONField)]
    for joined in related:
        target: Any = model
        for part in joined.split("__"):
            target = target._meta.get_field(part).related_model
        names += [f"{joined}__{name}" for name in _encrypted(target, ())]
    return names
