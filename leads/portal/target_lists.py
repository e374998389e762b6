"""Show the target lists of the agency, and read them from files."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core.derived_fields import fold
from accounts.core.text import MAX_NAME_LENGTH
from accounts.web.portal.access import MemberRequest, readers, writers
from accounts.web.portal.pagination import paginate
from accounts.web.portal.views import render_page
from accounts.web.refusals import refusals_as_messages, refusals_on
from leads.imports.csv_files import MAX_BYTES
from leads.labels import REFUSED_ROWS
from leads.models import TargetList
from leads.target_lists import service

SECTION = "target_lists"


class TargetListForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME_LENGTH, label=_("Name"), help_text=_("Such as “Key accounts 2027”."))
    csv = forms.FileField(
        label=_("CSV file"),
        help_text=_("A column of company names, of domains, or both. At most 20 MB and 100,000 rows."),
        widget=forms.FileInput({"accept": ".csv,.txt,text/csv,text/plain"}),
    )

    def clean_csv(self) -> Any:
        file = self.cleaned_data["csv"]
        if file is not None and (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 20 MB."))
        return file


class TargetListChangeForm(TargetListForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["csv"].required = False
        self.fields["csv"].help_text = _("Its companies replace those on the list. Empty: they stay.")


@require_safe
@readers
def target_lists(request: MemberRequest) -> HttpResponse:
    """Show all lists."""
    return _render_lists(request, TargetListForm())


@require_POST
@writers
def target_list_new(request: MemberRequest) -> HttpResponse:
    """Make a list of a file."""
    form = TargetListForm(request.POST, request.FILES)
    if form.is_valid():
        with refusals_on(form):
            made = service.create_list(
                request.agency,
                by=request.member.user,
                name=form.cleaned_data["name"],
                file=form.cleaned_data["csv"],
            )
            _say_what_was_read(request, made)
            return redirect("portal_target_list", made.pk)
    return _render_lists(request, form)


@require_safe
@readers
def target_list(request: MemberRequest, pk: str) -> HttpResponse:
    """Show what is on a list, and what could not be read."""
    found = get_object_or_404(TargetList, agency=request.agency, pk=pk)
    return _render_list(request, found, TargetListChangeForm(initial={"name": found.name}))


@require_POST
@writers
def target_list_change(request: MemberRequest, pk: str) -> HttpResponse:
    """Rename a list, or replace what is on it."""
    found = get_object_or_404(TargetList, agency=request.agency, pk=pk)
    form = TargetListChangeForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["csv"]
        with refusals_on(form):
            changed = service.update_list(
                found,
                by=request.member.user,
                name=form.cleaned_data["name"],
                file=file,
            )
            if file is None:
                messages.success(request, gettext("%(name)s was saved.") % {"name": changed})
            else:
                _say_what_was_read(request, changed)
            return redirect("portal_target_list", changed.pk)
    return _render_list(request, found, form)


@require_POST
@writers
def target_list_delete(request: MemberRequest, pk: str) -> HttpResponse:
    """Delete a list that no rule asks about."""
    found = get_object_or_404(TargetList, agency=request.agency, pk=pk)
    with refusals_as_messages(request):
        service.delete_list(found, by=request.member.user)
        messages.success(request, gettext("%(name)s was deleted.") % {"name": found})
        return redirect("portal_target_lists")
    return redirect("portal_target_list", pk)


def _say_what_was_read(request: MemberRequest, read: TargetList) -> None:
    count = read.companies + read.domains
    messages.success(
        request,
        ngettext("%(n)s company is on the list.", "%(n)s companies are on the list.", count) % {"n": count},
    )
    if read.refused_count:
        text = ngettext("%(n)s row could not be read.", "%(n)s rows could not be read.", read.refused_count)
        messages.warning(request, text % {"n": read.refused_count})


def _render_lists(request: MemberRequest, form: TargetListForm) -> HttpResponse:
    return render_page(
        request,
        "portal/target_lists.html",
        SECTION,
        status=422 if form.errors else 200,
        form=form,
        lists=request.agency.target_lists.order_by("name"),
    )


def _render_list(request: MemberRequest, found: TargetList, form: TargetListForm) -> HttpResponse:
    word = request.GET.get("q", "").strip()
    entries = found.entries.filter(key__contains=fold(word)) if word else found.entries.all()
    return render_page(
        request,
        "portal/target_list.html",
        SECTION,
        status=422 if form.errors else 200,
        target_list=found,
        form=form,
        word=word,
        filtered=bool(word),
        page=paginate(request, entries),
        refused=[(row["row"], row["value"], REFUSED_ROWS[row["reason"]]) for row in found.refused],
        rules=[name for _, names in service.rules_with(found) for name in names],
    )
