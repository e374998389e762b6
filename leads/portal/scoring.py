"""Show the scoring rules, when a lead is of high priority, and what the scores of leads are made of."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from accounts.models import Agency
from accounts.web.portal.access import MemberRequest, writers
from leads.enums import ScoreGroup
from leads.models import Lead, LeadScore, ScoringRule
from leads.models.rules import Rule
from leads.portal.rules.forms import RuleForm
from leads.portal.rules.kinds import RulePages, add_rule_pages
from leads.scoring.kind import KIND
from leads.scoring.scores import MAX_TOTAL
from leads.scoring.service import change_settings, settings_of

GROUPS = {
    ScoreGroup.FIT: gettext_lazy("Fit: who they are"),
    ScoreGroup.ENGAGEMENT: gettext_lazy("Engagement: what they did"),
}


class ScoringRuleForm(RuleForm):
    OWN = ("group", "points", "cap")

    group = forms.ChoiceField(
        choices=[(group.value, label) for group, label in GROUPS.items()], label=gettext_lazy("Group")
    )
    points = forms.IntegerField(min_value=-MAX_TOTAL, max_value=MAX_TOTAL, label=gettext_lazy("Points"))
    cap = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_TOTAL,
        label=gettext_lazy("Limit of the group"),
        help_text=gettext_lazy("The most that all rules of the group give together. The lowest limit counts."),
    )


class ScoringSettingsForm(forms.Form):
    threshold = forms.IntegerField(
        min_value=1,
        max_value=MAX_TOTAL,
        label=gettext_lazy("High priority from"),
        help_text=gettext_lazy("The score from which a lead is reported as high priority."),
    )
    half_life_days = forms.IntegerField(
        min_value=1,
        max_value=365,
        label=gettext_lazy("Engagement halves after (days)"),
        help_text=gettext_lazy("What a lead did counts less and less. Who a lead is counts the same for ever."),
    )


def effect_of(rule: Rule) -> str:
    """Return the points of a rule in words."""
    assert isinstance(rule, ScoringRule)  # noqa: S101 (the kind's model)
    group = gettext("fit") if rule.group == ScoreGroup.FIT else gettext("engagement")
    return f"{rule.points:+d} {group}"


def settings_context(agency: Agency) -> dict[str, Any]:
    """Return the form of the settings for the page of scoring rules."""
    settings = settings_of(agency)
    initial = {"threshold": settings.threshold, "half_life_days": settings.half_life_days}
    return {"settings_form": ScoringSettingsForm(initial=initial)}


@require_POST
@writers
def scoring_settings(request: MemberRequest) -> HttpResponse:
    """Change when a lead is of high priority, and how fast engagement fades."""
    form = ScoringSettingsForm(request.POST)
    if form.is_valid():
        change_settings(request.agency, by=request.member.user, **form.cleaned_data)
        messages.success(request, gettext("Saved. The scores of all leads are being computed anew."))
    else:
        messages.error(request, gettext("Enter a score from 1 to 100, and 1 to 365 days."))
    return redirect("portal_scoring")


def score_of(lead: Lead) -> LeadScore | None:
    """Return the lead's score for its page, or None."""
    return LeadScore.objects.filter(lead=lead).first()


def add_scoring_pages() -> None:
    """Add the pages of scoring rules."""
    add_rule_pages(
        RulePages(
            KIND,
            section="scoring",
            view="portal_scoring",
            title=gettext_lazy("Scoring"),
            intro=gettext_lazy(
                "How well a lead fits, and how much it engages: the points of all rules that match add up."
            ),
            without=gettext_lazy("Until there is one, no lead has a score."),
            form=ScoringRuleForm,
            effect_of=effect_of,
            outcome="portal/rules/_scoring_outcome.html",
            extra="portal/rules/_scoring_settings.html",
            context=settings_context,
        )
    )
