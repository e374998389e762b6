"""Show the rules that say in how much working time leads are to be answered."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Agency
from leads.assignments import possible_assignees
from leads.models import TargetRule
from leads.models.rules import Rule
from leads.portal.assignees import name_of
from leads.portal.rules.forms import RuleForm
from leads.portal.rules.kinds import RulePages, add_rule_pages
from leads.sla.target_kind import KIND, MAX_MINUTES


class TargetRuleForm(RuleForm):
    OWN = ("minutes", "warn_minutes", "escalate_to_id")

    minutes = forms.IntegerField(min_value=1, max_value=MAX_MINUTES, label=_("Target in minutes of working time"))
    warn_minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_MINUTES,
        label=_("Warn after (minutes)"),
        help_text=_("After two thirds of the target, if you leave it empty."),
    )
    escalate_to_id = forms.ChoiceField(
        required=False, label=_("Escalate to"), help_text=_("Who gets a mail when the answer is overdue.")
    )

    def __init__(self, agency: Agency, *args: Any, **kwargs: Any) -> None:
        super().__init__(agency, *args, **kwargs)
        field = self.fields["escalate_to_id"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        people = [(one.pk, name_of(one.user)) for one in possible_assignees(agency)]
        field.choices = [("", _("Nobody")), *people]


def effect_of(rule: Rule) -> str:
    """Return the target of a rule in words."""
    assert isinstance(rule, TargetRule)  # noqa: S101 (the kind's model)
    text = gettext("%(n)d minutes") % {"n": rule.minutes}
    if rule.escalate_to is None:
        return text
    return gettext("%(target)s, then to %(name)s") % {"target": text, "name": name_of(rule.escalate_to.user)}


def add_target_pages() -> None:
    """Add the pages of target rules."""
    add_rule_pages(
        RulePages(
            KIND,
            section="targets",
            view="portal_targets",
            title=_("Targets"),
            intro=_("In how much working time a lead is to be answered: the first rule that matches counts."),
            without=_("Until there is one, the agency's response target counts for every lead."),
            form=TargetRuleForm,
            effect_of=effect_of,
            outcome="portal/rules/_target_outcome.html",
        )
    )
