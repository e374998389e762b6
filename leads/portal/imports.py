"""Import leads from files: upload, columns and check, progress, result and undo."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.portal import MemberRequest, paginate, readers, render_page, writers
from accounts.web.refusals import refusals_as_messages, refusals_on
from leads.enums import ImportState
from leads.imports import service
from leads.imports.columns import FIELDS, identifies
from leads.imports.csv_files import ENCODINGS, MAX_BYTES
from leads.imports.decisions import decide
from leads.imports.refused import refused_chunks
from leads.labels import IMPORT_STATES, ROW_OUTCOMES, ROW_REASONS
from leads.models import LeadImport

SECTION = "imports"
SAMPLES = 5
MAPPABLE = (ImportState.MAPPING, ImportState.READY, ImportState.CHECKING)
BUSY = (*service.BUSY, ImportState.CHECKING)
DELIMITERS = {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("vertical bar"), "\x1f": _("one column")}


class ImportForm(forms.Form):
    csv = forms.FileField(
        label=_("CSV file"),
        help_text=_("One lead a row. At most 20 MB and 100,000 rows."),
        widget=forms.FileInput({"accept": ".csv,.txt,text/csv,text/plain"}),
    )

    def clean_csv(self) -> Any:
        file = self.cleaned_data["csv"]
        if file is not None and (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 20 MB."))
        return file


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: how its field is named in the form, its heading, what it stands for, and some values."""

    name: str
    heading: str
    field: str
    samples: list[str]


@require_safe
@readers
def import_list(request: MemberRequest) -> HttpResponse:
    """List the files, newest first."""
    return _render_list(request, ImportForm())


@require_POST
@writers
def import_new(request: MemberRequest) -> HttpResponse:
    """Store a file, and go on with its columns."""
    form = ImportForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["csv"]
        with refusals_on(form):
            found = service.create_import(request.agency, name=file.name, file=file, by=request.member.user)
            return redirect("portal_import", found.pk)
    return _render_list(request, form)


@require_safe
@readers
def import_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show how a file is read, what would become of its rows, and what did."""
    found = _find(request, pk)
    rows = list(found.rows.order_by("number")[:SAMPLES]) if found.state in MAPPABLE else []
    return render_page(
        request,
        "portal/import.html",
        SECTION,
        import_=found,
        fields=FIELDS.items(),
        columns=[
            Column(
                f"column_{place}",
                heading or gettext("Column %(n)d") % {"n": place + 1},
                found.mapping[place],
                [row.cells[place] for row in rows if place < len(row.cells) and row.cells[place]][:2],
            )
            for place, heading in enumerate(found.headings)
        ]
        if rows
        else [],
        samples=[
            (one.row.number, one.read.values, ROW_OUTCOMES[one.outcome], ROW_REASONS.get(one.reason or "", ""))
            for one in (decide(found, rows) if identifies(found.mapping) else ())
        ],
        encoding=ENCODINGS.get(found.encoding, found.encoding),
        delimiter=DELIMITERS.get(found.delimiter, found.delimiter),
        **_state_of(found),
    )


@require_safe
@readers
def import_state(request: MemberRequest, pk: str) -> HttpResponse:
    """Show how far an import is: a part of its page, which asks for it again while a worker is busy."""
    found = _find(request, pk)
    context = {"import_": found, "may_change": request.member.role in ("owner", "manager"), **_state_of(found)}
    return render(request, "portal/parts/import_state.html", context)


@require_POST
@writers
def import_mapping(request: MemberRequest, pk: str) -> HttpResponse:
    """Say what the columns are."""
    found = _find(request, pk)
    with refusals_as_messages(request):
        chosen = [request.POST.get(f"column_{place}", "") for place in range(len(found.headings))]
        service.set_mapping(found, chosen)
    return redirect("portal_import", found.pk)


@require_POST
@writers
def import_run(request: MemberRequest, pk: str) -> HttpResponse:
    found = _find(request, pk)
    with refusals_as_messages(request):
        service.start_import(found, by=request.member.user)
    return redirect("portal_import", found.pk)


@require_POST
@writers
def import_undo(request: MemberRequest, pk: str) -> HttpResponse:
    found = _find(request, pk)
    with refusals_as_messages(request):
        service.undo_import(found, by=request.member.user)
    return redirect("portal_import", found.pk)


@require_POST
@writers
def import_delete(request: MemberRequest, pk: str) -> HttpResponse:
    """Delete a file. Its leads stay."""
    found = _find(request, pk)
    with refusals_as_messages(request):
        service.delete_import(found, by=request.member.user)
        messages.success(request, gettext("%(name)s was deleted.") % {"name": found})
        return redirect("portal_imports")
    return redirect("portal_import", pk)


@require_safe
@writers
def import_refused(request: MemberRequest, pk: str) -> StreamingHttpResponse:
    """Download the rows that were refused, each with its reason."""
    found = _find(request, pk)
    reasons = {reason: str(text) for reason, text in ROW_REASONS.items()}
    chunks = refused_chunks(found, reasons, row=gettext("Row"), reason=gettext("Reason"))
    answer = StreamingHttpResponse(chunks, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="refused-{found.pk}.csv"'
    return answer


def _find(request: MemberRequest, pk: str) -> LeadImport:
    return get_object_or_404(LeadImport.objects.select_related("agency"), agency=request.agency, pk=pk)


def _render_list(request: MemberRequest, form: ImportForm) -> HttpResponse:
    page = paginate(request, request.agency.imports.all())
    return render_page(
        request,
        "portal/imports.html",
        SECTION,
        status=422 if form.errors else 200,
        form=form,
        page=page,
        rows=[(found, IMPORT_STATES[found.state]) for found in page.rows],
    )


def _state_of(found: LeadImport) -> dict[str, Any]:
    """Return what the part of the page shows that asks for itself again."""
    ended = found.state in service.ENDED
    return {
        "state": IMPORT_STATES[found.state],
        "busy": found.state in BUSY and found.next_attempt_at is not None,
        "failed": service.has_failed(found),
        "counts": [(label, found.counts.get(outcome, 0)) for outcome, label in ROW_OUTCOMES.items()]
        if found.state not in (ImportState.MAPPING, ImportState.UPLOADING)
        else [],
        "is_done": ended or found.state == ImportState.UNDOING,
        "may_undo": found.state == ImportState.DONE and not found.rows_deleted,
        "has_refused": bool(found.counts.get("refused")) and not found.rows_deleted,
    }
