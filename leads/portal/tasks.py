"""Show each member what is to do about leads, and finish it with an outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Agency, Member
from accounts.portal import MemberRequest, add_error_messages, readers, redirect_back, render_page, writers
from accounts.web.refusals import refusals_as_messages
from leads.activities import notes, tasks
from leads.assignments import possible_assignees
from leads.enums import TaskKind
from leads.labels import TASK_KINDS
from leads.models import Note, Task
from leads.models.activities import MAX_NOTE_LENGTH, MAX_OUTCOME_LENGTH, MAX_TITLE_LENGTH
from leads.pipeline.merge import root_id
from leads.portal.assignees import NOBODY, find_assignee, name_of
from leads.portal.my_mails import mails_form

SHOWN = 100  # tasks of a list, notes of a lead
ME, ALL = "me", "all"
#: What a call came to, in one press.
OUTCOMES = (_("Reached"), _("No answer"), _("Left a message"), _("Done"))
#: Working minutes from now --> how people say so.
DELAYS = {
    "60": _("in 1 working hour"),
    "120": _("in 2 working hours"),
    "240": _("in 4 working hours"),
    "480": _("in 8 working hours"),
    "960": _("in 16 working hours"),
}


class TaskForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=list(TASK_KINDS.items()))
    title = forms.CharField(label=_("What is to be done"), max_length=MAX_TITLE_LENGTH)
    delay = forms.ChoiceField(label=_("Due"), choices=[*DELAYS.items(), ("", _("At a time"))], required=False)
    due_at = forms.DateTimeField(
        required=False, label=_("Time"), widget=forms.DateTimeInput({"type": "datetime-local"}),
        help_text=_("Only if it is due at a certain time."),
    )  # fmt: skip
    assignee = forms.ChoiceField(label=_("Assigned to"), required=False)

    def __init__(self, *args: Any, agency: Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(agency.timezone)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        people = [(member.pk, name_of(member.user)) for member in possible_assignees(agency)]
        field.choices = [(NOBODY, _("Nobody")), *people]

    def due(self) -> dict[str, Any]:
        """Return when the task is due, as the service takes it."""
        at = self.cleaned_data["due_at"]
        if at:
            return {"due_at": at.replace(tzinfo=self.zone)}
        return {"due_in_working_minutes": int(self.cleaned_data["delay"])} if self.cleaned_data["delay"] else {}


class NoteForm(forms.Form):
    text = forms.CharField(label=_("Note"), max_length=MAX_NOTE_LENGTH, widget=forms.Textarea({"rows": 3}))


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks that are overdue, due today, or due later."""

    title: str
    tone: str
    tasks: Sequence[Task]


def open_tasks(agency: Agency) -> "QuerySet[Task]":
    """Return the tasks of an agency that are overdue, without those of test leads."""
    return agency.tasks.filter(done_at__isnull=True, due_at__lte=timezone.now(), lead__is_test=False)


@require_safe
@readers
def task_list(request: MemberRequest) -> HttpResponse:
    """List the open tasks of the member, of somebody else, of nobody or of all: what is overdue first."""
    whose = request.GET.get("whose", ME)
    rows = _of(whose, request).filter(done_at__isnull=True).select_related("lead", "assigned_to")
    shown = list(rows.order_by("due_at", "pk")[: SHOWN + 1])
    return render_page(
        request,
        "portal/tasks.html",
        "tasks",
        groups=_grouped(shown[:SHOWN], request.agency),
        is_cut=len(shown) > SHOWN,
        whose=whose,
        people=_people(request),
        task_outcomes=OUTCOMES,
        mails_form=mails_form(request.member),
        done=_of(whose, request).filter(done_at__isnull=False).select_related("lead").order_by("-done_at")[:10],
    )


@require_POST
@writers
def task_done(request: MemberRequest, pk: str) -> HttpResponse:
    task = get_object_or_404(request.agency.tasks.select_related("lead"), pk=pk)
    outcome = request.POST.get("text", "").strip() or request.POST.get("outcome", "")
    with refusals_as_messages(request):
        tasks.finish_task(task, outcome=outcome[: MAX_OUTCOME_LENGTH + 1], by=request.member.user)
        messages.success(request, gettext("“%(task)s” is done.") % {"task": task})
    return redirect_back(request, "portal_tasks")


@require_POST
@writers
def task_create(request: MemberRequest, pk: str) -> HttpResponse:
    """Make a task of a lead, from its page."""
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    form = TaskForm(request.POST, agency=request.agency)
    if form.is_valid():
        try:
            assignee = find_assignee(request.agency, form.cleaned_data["assignee"] or NOBODY)
        except Member.DoesNotExist:
            assignee = None
        with refusals_as_messages(request):
            task = tasks.create_task(
                lead,
                kind=TaskKind(form.cleaned_data["kind"]),
                title=form.cleaned_data["title"],
                assigned_to=assignee,
                by=request.member.user,
                **form.due(),
            )
            messages.success(request, gettext("“%(task)s” was added to the tasks.") % {"task": task})
    add_error_messages(request, form)
    return redirect_back(request, "portal_lead", lead.pk)


@require_POST
@writers
def note_create(request: MemberRequest, pk: str) -> HttpResponse:
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    form = NoteForm(request.POST)
    if form.is_valid():
        with refusals_as_messages(request):
            notes.create_note(lead, text=form.cleaned_data["text"], by=request.member.user)
            messages.success(request, gettext("The note was saved."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_lead", lead.pk)


@require_POST
@writers
def note_delete(request: MemberRequest, pk: str) -> HttpResponse:
    note = get_object_or_404(request.agency.notes, pk=pk)
    notes.delete_note(note)
    messages.success(request, gettext("The note was deleted."))
    return redirect_back(request, "portal_lead", note.lead_id)


def activity_context(lead_id: str, request: MemberRequest) -> dict[str, Any]:
    """Return what the part of a lead's page about tasks and notes shows."""
    open_ = request.agency.tasks.filter(lead=lead_id, done_at__isnull=True).select_related("assigned_to")
    done = request.agency.tasks.filter(lead=lead_id, done_at__isnull=False).select_related("done_by")
    found: QuerySet[Note] = request.agency.notes.filter(lead=lead_id).select_related("author")
    return {
        "tasks": open_.order_by("due_at", "pk")[:SHOWN],
        "done_tasks": done.order_by("-done_at")[:5],
        "notes": found.order_by("-pk")[:SHOWN],
        "task_form": TaskForm(agency=request.agency, initial={"assignee": request.member.pk, "delay": "120"}),
        "note_form": NoteForm(),
        "task_outcomes": OUTCOMES,
        "task_now": timezone.now(),
    }


def _of(whose: str, request: MemberRequest) -> "QuerySet[Task]":
    found = request.agency.tasks.all()
    if whose == ALL:
        return found
    if whose == NOBODY:
        return found.filter(assigned_to__isnull=True)
    member = request.member if whose == ME else request.agency.members.filter(pk=whose).first()
    return found.filter(assigned_to=member.user_id) if member else found.none()


def _people(request: MemberRequest) -> list[tuple[str, str]]:
    others = [(one.pk, name_of(one.user)) for one in possible_assignees(request.agency) if one.pk != request.member.pk]
    return [(ME, gettext("My tasks")), (ALL, gettext("All tasks")), (NOBODY, gettext("Nobody's tasks")), *others]


def _grouped(rows: Iterable[Task], agency: Agency) -> list[Group]:
    """Return the tasks in groups, without the empty ones. Today ends at the agency's midnight."""
    now = timezone.now()
    today = now.astimezone(ZoneInfo(agency.timezone)).date()

    def place(due_at: datetime) -> int:
        if due_at <= now:
            return 0
        return 1 if due_at.astimezone(ZoneInfo(agency.timezone)).date() == today else 2

    titles = ((gettext("Overdue"), "bad"), (gettext("Today"), "warn"), (gettext("Later"), "quiet"))
    found = [[row for row in rows if place(row.due_at) == number] for number in range(len(titles))]
    return [Group(title, tone, held) for (title, tone), held in zip(titles, found, strict=True) if held]
