"""Show the sequences of the agency, change them, and move and stop who is enrolled."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.core.errors import FieldError
from accounts.web.portal.access import MemberRequest, readers, writers
from accounts.web.portal.pagination import paginate
from accounts.web.portal.views import render_page
from accounts.web.refusals import add_refusal, refusals_as_messages
from leads.labels import END_REASONS
from leads.models import Sequence
from leads.models.sequences import OPEN_STATES
from leads.portal.rules.forms import as_text
from leads.portal.sequences.forms import SequenceForm, StepsFormSet, steps_formset
from leads.portal.sequences.words import step_lines, step_names, trigger_words
from leads.portal.templates import lead_for_preview
from leads.sequences import service
from leads.sequences.contacts import STOPS
from leads.sequences.enrolments import refusal
from leads.sequences.figures import figures_of
from leads.sequences.senders import verified_sender
from leads.sequences.steps import steps_of

SECTION = "sequences"


@require_GET
@readers
def sequence_list(request: MemberRequest) -> HttpResponse:
    """List all sequences, with how many leads are in each."""
    enrolled = Count("enrolments", filter=Q(enrolments__state__in=OPEN_STATES))
    return render_page(
        request,
        "portal/sequences/list.html",
        SECTION,
        sequences=request.agency.sequences.annotate(enrolled=enrolled).order_by("name"),
        has_sender=verified_sender(request.agency.pk) is not None,
    )


@require_GET
@readers
def sequence_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show what a sequence does, when its steps would be due for a lead, and who is enrolled."""
    sequence = get_object_or_404(Sequence.objects.select_related("agency"), agency=request.agency, pk=pk)
    version = service.latest_version(sequence)
    word = request.GET.get("q", "").strip()
    lead = lead_for_preview(request.agency, word)
    planned = service.plan(steps_of(version.steps), lead, timezone.now()) if lead else []
    rows = sequence.enrolments.select_related("lead", "version", "sequence")
    return render_page(
        request,
        "portal/sequences/sequence.html",
        SECTION,
        sequence=sequence,
        version=version,
        trigger=trigger_words(version.trigger, request.agency),
        steps=step_lines(version, request.agency, figures_of(sequence), {step.id: at for step, at in planned}),
        stops=[END_REASONS[reason].text for reason in STOPS],
        lead=lead,
        word=word,
        filtered=bool(word),
        refusal=refusal(lead, sequence) if lead else "",
        page=paginate(request, rows),
        names=step_names([step for one in sequence.versions.all() for step in steps_of(one.steps)])
        | step_names(steps_of(version.steps)),
        moves=service.planned_moves(sequence),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def sequence_new(request: MemberRequest) -> HttpResponse:
    """Make a sequence. It is switched off until somebody switches it on."""
    form = SequenceForm(request.agency, request.POST or None, initial={"kind": "hand"})
    steps = steps_formset(request.agency, request.POST or None)
    if request.method == "POST" and form.is_valid() and steps.is_valid():
        rows = steps.steps()
        try:
            made = service.create_sequence(
                request.agency,
                name=form.cleaned_data["name"],
                trigger=form.trigger(),
                steps=[step for _row, step in rows],
                by=request.member.user,
            )
        except FieldError as error:
            _show(error, form, [row for row, _step in rows])
        else:
            messages.success(request, _("%(name)s was saved. Switch it on when it is ready.") % {"name": made})
            return redirect("portal_sequence", made.pk)
    return _render_editor(request, form, steps, None)


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def sequence_edit(request: MemberRequest, pk: str) -> HttpResponse:
    """Change a sequence. Who is enrolled keeps the version."""
    sequence = get_object_or_404(Sequence.objects.select_related("agency"), agency=request.agency, pk=pk)
    version = service.latest_version(sequence)
    trigger = {**version.trigger, "conditions": as_text(version.trigger["conditions"])}
    form = SequenceForm(request.agency, request.POST or None, initial={"name": sequence.name, **trigger})
    steps = steps_formset(request.agency, request.POST or None, version.steps)
    if request.method == "POST" and form.is_valid() and steps.is_valid():
        rows = steps.steps()
        changes: dict[str, Any] = {"trigger": form.trigger(), "steps": [step for _row, step in rows]}
        try:
            service.update_sequence(sequence, name=form.cleaned_data["name"], by=request.member.user, **changes)
        except FieldError as error:
            _show(error, form, [row for row, _step in rows])
        else:
            messages.success(request, _("%(name)s was saved.") % {"name": form.cleaned_data["name"]})
            return redirect("portal_sequence", sequence.pk)
    return _render_editor(request, form, steps, sequence)


@require_POST
@writers
def sequence_switch(request: MemberRequest, pk: str) -> HttpResponse:
    """Switch a sequence on or off."""
    sequence = get_object_or_404(Sequence, agency=request.agency, pk=pk)
    with refusals_as_messages(request):
        service.update_sequence(sequence, active=request.POST.get("active") == "1", by=request.member.user)
    return redirect("portal_sequence", pk)


@require_POST
@writers
def sequence_move(request: MemberRequest, pk: str) -> HttpResponse:
    """Move who is enrolled in an older version to the latest one."""
    sequence = get_object_or_404(Sequence, agency=request.agency, pk=pk)
    moved = service.move_enrolments(sequence, by=request.member.user)
    text = ngettext("%(n)d lead is in the latest version now.", "%(n)d leads are in the latest version now.", moved)
    messages.success(request, text % {"n": moved})
    return redirect("portal_sequence", pk)


@require_POST
@writers
def sequence_delete(request: MemberRequest, pk: str) -> HttpResponse:
    """Delete a sequence in which no lead is enrolled."""
    sequence = get_object_or_404(Sequence, agency=request.agency, pk=pk)
    with refusals_as_messages(request):
        service.delete_sequence(sequence, by=request.member.user)
        messages.success(request, _("%(name)s was deleted.") % {"name": sequence})
        return redirect("portal_sequences")
    return redirect("portal_sequence", pk)


def _show(error: FieldError, form: SequenceForm, rows: list[Any]) -> None:
    """Show a refusal at the field of the step that it names, or at the sequence's."""
    parts = error.field.split(".")
    if parts[0] == "steps" and len(parts) == 3 and int(parts[1]) < len(rows):
        row = rows[int(parts[1])]
        field = {"window": "begin"}.get(parts[2], parts[2])
        row.add_error(field if field in row.fields else None, str(error))
    else:
        add_refusal(form, FieldError(parts[-1], str(error)))


def _render_editor(
    request: MemberRequest, form: SequenceForm, steps: StepsFormSet, sequence: Sequence | None
) -> HttpResponse:
    has_errors = bool(form.errors) or (steps.is_bound and any(row.errors for row in steps.forms))
    return render_page(
        request,
        "portal/sequences/edit.html",
        SECTION,
        status=422 if has_errors else 200,
        form=form,
        steps=steps,
        sequence=sequence,
        conditions=form["conditions"],
    )
