"""Show the response clocks on a lead's page, and take down that somebody answered elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core.enums import AccountStatus
from accounts.labels import account_label
from accounts.models import Agency
from accounts.portal import MemberRequest, add_error_messages, readers, redirect_back, writers
from accounts.web.refusals import refusals_as_messages
from leads.labels import SEGMENT_KINDS
from leads.models import Lead
from leads.pipeline.merge import root_id
from leads.sla.figures import Figures, figures_of
from leads.sla.responses import MAX_HOW_LENGTH, answer_elsewhere

SHOWN = 5


class AnsweredForm(forms.Form):
    how = forms.CharField(
        required=False, max_length=MAX_HOW_LENGTH, label=_("How"), help_text=_("Such as “by telephone”.")
    )
    at = forms.DateTimeField(
        required=False,
        label=_("When"),
        help_text=_("Now, if you leave it empty."),
        widget=forms.DateTimeInput({"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone)

    def clean_at(self) -> datetime | None:
        """Return the time in the agency's zone, in which the page shows times."""
        at: datetime | None = self.cleaned_data["at"]
        return at.replace(tzinfo=self.zone) if at else None


@dataclass(frozen=True, slots=True)
class ShownFigures:
    """The figures of a clock, and the parts that took time by their names."""

    working: float
    elapsed: float
    shares: list[tuple[str, float]]


def clock_context(lead: Lead, agency: Agency) -> dict[str, Any]:
    """Return what the part of a lead's page about its clocks shows."""
    now = timezone.now()
    rows = lead.clocks.select_related("calendar").prefetch_related("segments", "calendar__exceptions")
    clocks = [(clock, _shown(figures_of(clock, now))) for clock in rows.order_by("-pk")[:SHOWN]]
    is_down = lead.account is not None and lead.account.status != AccountStatus.ACTIVE
    return {
        "clocks": clocks,
        "running": any(clock.is_open for clock, _figures in clocks),
        "down": account_label(lead.account).text if lead.account and is_down else "",
        "answered": AnsweredForm(zone=agency.timezone),
    }


@require_safe
@readers
def lead_clocks(request: MemberRequest, pk: str) -> HttpResponse:
    lead = get_object_or_404(request.agency.leads.select_related("account"), pk=root_id(pk, request.agency))
    return render(request, "portal/parts/lead_clock_rows.html", {"lead": lead, **clock_context(lead, request.agency)})


@require_POST
@writers
def lead_answered(request: MemberRequest, pk: str) -> HttpResponse:
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    form = AnsweredForm(request.POST, zone=request.agency.timezone)
    if form.is_valid():
        with refusals_as_messages(request):
            answer_elsewhere(lead, at=form.cleaned_data["at"], how=form.cleaned_data["how"], by=request.member.user)
            messages.success(request, gettext("%(lead)s counts as answered.") % {"lead": lead})
    add_error_messages(request, form)
    return redirect_back(request, "portal_lead", lead.pk)


def _shown(figures: Figures) -> ShownFigures:
    shares = [(str(SEGMENT_KINDS[kind]), seconds) for kind, seconds in figures.parts.items() if seconds >= 1]
    return ShownFigures(figures.working, figures.elapsed, shares)
