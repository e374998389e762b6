"""Show the working hours of the agency and change them."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Calendar
from accounts.models.calendar import CalendarException
from accounts.tenancy.calendars import service
from accounts.tenancy.calendars.lookup import open_clocks
from accounts.tenancy.calendars.parsing import DAYS, MAX_NAME_LENGTH
from accounts.tenancy.calendars.public_holidays import MAX_YEAR, MIN_YEAR, propose_holidays
from accounts.web.portal.access import MemberRequest, writers
from accounts.web.portal.forms import timezone_choices
from accounts.web.portal.views import redirect_back, render_page
from accounts.web.portal.widgets import LongSelect
from accounts.web.refusals import refusals_as_messages, refusals_on

DAY_NAMES = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
STARTING_WEEK = {day: [["09:00", "17:00"]] if day not in ("sat", "sun") else [] for day in DAYS}
#: One exception a line: `2026-12-24 to 2026-12-26: Christmas`, `2026-12-31 13:00-24:00: New Year's Eve`,
#: `2027-01-09 +10:00-14:00: Open Saturday`.
LINE = re.compile(
    r"(?P<first>\d{4}-\d\d-\d\d)(?: to (?P<last>\d{4}-\d\d-\d\d))?"
    r"(?: (?P<sign>\+?)(?P<blocks>\d\d:\d\d[-–]\d\d:\d\d(?:, ?\d\d:\d\d[-–]\d\d:\d\d){0,5}))?"
    r"(?: ?: ?(?P<name>.*))?",
    re.ASCII,
)


class CalendarForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME_LENGTH, label=_("Name"), help_text=_("Such as “Sales, Berlin”."))
    timezone = forms.ChoiceField(choices=timezone_choices, label=_("Time zone"), widget=LongSelect)
    always_open = forms.BooleanField(required=False, label=_("Always open"), help_text=_("Day and night, all days."))
    is_default = forms.BooleanField(
        required=False, label=_("Use by default"), help_text=_("For whoever has no working hours of their own.")
    )
    exceptions = forms.CharField(
        required=False,
        max_length=50_000,
        label=_("Holidays and other exceptions"),
        help_text=_(
            "One a line. A day off: “2026-12-25: Christmas”. Several: “2026-12-24 to 2026-12-26: Christmas”."
            " Hours off: “2026-12-31 13:00-24:00”. Hours added: “2027-01-09 +10:00-14:00: Open Saturday”."
        ),
        widget=forms.Textarea({"rows": 6, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, label in zip(DAYS, DAY_NAMES, strict=True):
            self.fields[day] = forms.CharField(
                required=False, max_length=100, label=label, widget=forms.TextInput({"placeholder": _("closed")})
            )

    @property
    def days(self) -> list[forms.BoundField]:
        return [self[day] for day in DAYS]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        week = {}
        for day in DAYS:
            try:
                week[day] = blocks_of(given.get(day, ""))
            except ValueError:
                self.add_error(day, _("Write hours as 09:00-12:00, 13:00-17:00."))
        try:
            given["parsed"] = [exception_of(line) for line in given.get("exceptions", "").splitlines() if line.strip()]
        except ValueError as error:
            self.add_error("exceptions", gettext("This line cannot be read: “%(line)s”.") % {"line": error})
        return {**given, "week": week}

    def values(self) -> dict[str, Any]:
        names = ("name", "timezone", "week", "always_open")
        default = {"is_default": True} if self.cleaned_data["is_default"] else {}
        values = {name: self.cleaned_data[name] for name in names}
        return {**values, **default, "exceptions": self.cleaned_data["parsed"]}


class HolidayForm(forms.Form):
    country = forms.CharField(max_length=2, label=_("Country"), help_text=_("Its two letters, such as DE or US."))
    state = forms.CharField(
        required=False, max_length=10, label=_("State"), help_text=_("Such as BE for Berlin, or CA for California.")
    )
    year = forms.IntegerField(min_value=MIN_YEAR, max_value=MAX_YEAR, label=_("Year"))


def blocks_of(text: str) -> list[list[str]]:
    """Read `09:00-12:00, 13:00-17:00`. Raises ValueError."""
    blocks = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(\d\d:\d\d) ?[-–] ?(\d\d:\d\d)", part, re.ASCII)
        if match is None:
            raise ValueError(part)
        blocks.append([match[1], match[2]])
    return blocks


def exception_of(line: str) -> dict[str, Any]:
    """Read one exception. Raises ValueError with the line."""
    line = " ".join(line.split())
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError(line[:80])
    try:
        first = date.fromisoformat(match["first"])
        last = date.fromisoformat(match["last"]) if match["last"] else first
    except ValueError:
        raise ValueError(line[:80]) from None
    blocks, name = blocks_of(match["blocks"] or ""), (match["name"] or "").strip()[:MAX_NAME_LENGTH]
    return {"first": first, "last": last, "working": bool(match["sign"]), "blocks": blocks, "name": name}


def text_of(calendar: Calendar, proposed: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return a calendar as the form's initial values, with proposed exceptions beside its own."""
    shown = [*calendar.exceptions.all(), *(CalendarException(**values) for values in proposed)]
    lines = [_line_of(one) for one in shown]
    flags = {name: getattr(calendar, name) for name in ("name", "timezone", "always_open", "is_default")}
    week = {day: _as_text(calendar.week.get(day, [])) for day in DAYS}
    return {**flags, **week, "exceptions": "\n".join(lines)}


def _line_of(one: CalendarException) -> str:
    days = one.first.isoformat() + (f" to {one.last.isoformat()}" if one.last != one.first else "")
    hours = f" {'+' if one.working else ''}{_as_text(one.blocks)}" if one.blocks else ""
    return f"{days}{hours}" + (f": {one.name}" if one.name else "")


def _as_text(blocks: list[list[str]]) -> str:
    return ", ".join(f"{start}-{end}" for start, end in blocks)


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def calendar_list(request: MemberRequest) -> HttpResponse:
    """List the calendars with their next opening. A POST makes one."""
    starting = Calendar(agency=request.agency, timezone=request.agency.timezone, week=STARTING_WEEK)
    initial = {**{day: _as_text(STARTING_WEEK[day]) for day in DAYS}, "timezone": starting.timezone}
    form = CalendarForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            calendar = service.create_calendar(request.agency, by=request.member.user, **form.values())
            messages.success(request, gettext("%(name)s was created.") % {"name": calendar})
            return redirect("portal_calendar", calendar.pk)
    now = timezone.now()
    calendars = request.agency.calendars.prefetch_related("exceptions").order_by("-is_default", "name")
    rows = [(one, service.next_opening(one, now)) for one in calendars[: service.MAX_CALENDARS]]
    status = 422 if form.errors else 200
    return render_page(request, "portal/hours.html", "hours", status=status, form=form, rows=rows, now=now)


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def calendar_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show one calendar with the opening hours of the next two weeks. A POST changes it.

    With a country in the address its holidays stand among the exceptions, to be kept by saving.
    """
    calendar = get_object_or_404(request.agency.calendars.prefetch_related("exceptions"), pk=pk)
    holidays = HolidayForm(request.GET if "country" in request.GET else None, initial={"year": timezone.now().year})
    proposed = _proposed(calendar, holidays)
    form = CalendarForm(request.POST if request.method == "POST" else None, initial=text_of(calendar, proposed))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            service.update_calendar(calendar, by=request.member.user, **form.values())
            messages.success(request, gettext("Working hours saved."))
            return redirect("portal_calendar", calendar.pk)
    return render_page(
        request,
        "portal/calendar.html",
        "hours",
        status=422 if form.errors else 200,
        calendar=calendar,
        form=form,
        holidays=holidays,
        proposed=proposed,
        days=service.preview(calendar, timezone.now()),
        open_clocks=open_clocks(calendar),
    )


def _proposed(calendar: Calendar, form: HolidayForm) -> list[dict[str, Any]]:
    """Return the holidays that the form asks for and the calendar does not have yet, in the reader's language."""
    days: list[dict[str, Any]] = []
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            days = propose_holidays(**form.cleaned_data, language=get_language() or "en")
    off = [(one.first, one.last) for one in calendar.exceptions.all() if not one.working and not one.blocks]
    return [day for day in days if not any(first <= day["first"] <= last for first, last in off)]


@require_POST
@writers
def calendar_delete(request: MemberRequest, pk: str) -> HttpResponse:
    calendar = get_object_or_404(request.agency.calendars, pk=pk)
    with refusals_as_messages(request):
        service.delete_calendar(calendar, by=request.member.user)
        messages.success(request, gettext("%(name)s was deleted.") % {"name": calendar})
        return redirect("portal_hours")
    return redirect_back(request, "portal_calendar", calendar.pk)
