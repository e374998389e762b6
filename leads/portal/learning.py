"""Show what the outcomes of leads say about the scoring rules, and take suggested points over."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.core.enums import Role
from accounts.web.portal.access import MemberRequest, readers, writers
from accounts.web.portal.views import render_page
from accounts.web.refusals import refusals_as_messages
from leads.models import ScoreLearning
from leads.models.rules import RuleSet
from leads.scoring.kind import KIND
from leads.scoring.learning import service
from leads.scoring.learning.sample import MATURITY


@dataclass(frozen=True, slots=True)
class Row:
    """One rule with what was learned about it, as the page shows it."""

    feature: dict[str, Any]
    is_offered: bool

    @property
    def lift(self) -> str:
        """Return the lift with its interval in words."""
        values = {name: number_format(self.feature[name], 1) for name in ("lift", "low", "high")}
        return gettext("%(lift)s times as often (%(low)s to %(high)s)") % values


class AcceptForm(forms.Form):
    rules = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    at = forms.DateTimeField(
        required=False,
        label=gettext_lazy("From (empty: now)"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, learning: ScoreLearning | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = service.suggested_points(learning) if learning else {}
        self.fields["rules"].choices = [(pk, pk) for pk in offered]  # type: ignore[attr-defined]


@require_safe
@readers
def learning_page(request: MemberRequest) -> HttpResponse:
    """Show what was learned last, or how far the learning is."""
    return render_page(request, "portal/learning.html", "scoring", **_context(request))


@require_safe
@readers
def learning_result(request: MemberRequest) -> HttpResponse:
    """Answer with the part of the page that changes while points are learned."""
    may_change = request.member.role in (Role.OWNER, Role.MANAGER)
    return render(request, "portal/_learning.html", {**_context(request), "may_change": may_change})


@require_POST
@writers
def learning_start(request: MemberRequest) -> HttpResponse:
    """Have points learned from the leads of the last year."""
    with refusals_as_messages(request):
        service.request_learning(request.agency, by=request.member.user)
    return redirect("portal_learning")


@require_POST
@writers
def learning_accept(request: MemberRequest) -> HttpResponse:
    """Take the ticked suggestions over, now or at the time that the form names."""
    learning = service.newest_learning(request.agency)
    form = AcceptForm(learning, request.POST)
    if learning is None or not form.is_valid():
        messages.error(request, gettext("Tick at least one suggestion, and enter a time or none."))
        return redirect("portal_learning")
    with refusals_as_messages(request):
        at = form.cleaned_data["at"]
        service.accept_suggestions(learning, rules=form.cleaned_data["rules"], at=at, by=request.member.user)
        if at is None:
            messages.success(request, gettext("Taken over. The scores of all leads are being computed anew."))
        else:
            messages.success(request, gettext("Scheduled."))
    return redirect("portal_learning")


@require_POST
@writers
def learning_call_off(request: MemberRequest) -> HttpResponse:
    """Call off suggestions that are scheduled."""
    with refusals_as_messages(request):
        if learning := service.newest_learning(request.agency):
            service.call_off(learning, by=request.member.user)
            messages.success(request, gettext("Called off."))
    return redirect("portal_learning")


def _context(request: MemberRequest) -> dict[str, Any]:
    learning = service.newest_learning(request.agency)
    result = learning.result if learning else None
    features = result.get("features", []) if result else []
    offered = service.suggested_points(learning) if learning else {}
    version = RuleSet.objects.filter(agency=request.agency, kind=KIND.name).values_list("version", flat=True).first()
    return {
        "learning": learning,
        "result": result,
        "rows": [Row(one, one["rule"] in offered) for one in features],
        "widest": max((one["lift"] for one in features), default=1),
        "form": AcceptForm(learning),
        "is_offered": bool(offered) and learning is not None and learning.state == service.STATES.LEARNED,
        "is_outdated": learning is not None and learning.rules_version not in (None, version),
        "may_go_back": learning is not None and learning.accepted_version == version,
        "mature_days": MATURITY.days,
    }
