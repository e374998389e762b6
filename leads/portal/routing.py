"""Show the routing rules: where each leads, and what a preview says of who gets how many."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from accounts.models import Agency
from accounts.web.portal.access import MemberRequest, writers
from accounts.web.refusals import refusals_as_messages
from leads.models import RoutingRule, RoutingSettings
from leads.models.rules import Rule
from leads.portal.assignees import name_of
from leads.portal.rules.forms import RuleForm, as_text
from leads.portal.rules.kinds import RulePages, add_rule_pages
from leads.routing.options import MAX_DAYS, change_options
from leads.routing.rules import KIND, MAX_TARGET

KEEP = "keep"


class RoutingRuleForm(RuleForm):
    OWN = ("target", "tags", "target_minutes", "channels")

    target = forms.ChoiceField(label=gettext_lazy("Leads to"))
    tags = forms.CharField(
        required=False, max_length=1000, label=gettext_lazy("Tags"), help_text=gettext_lazy("Separated by commas.")
    )
    target_minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_TARGET,
        label=gettext_lazy("Minutes to answer"),
        help_text=gettext_lazy("Empty: the agency's target."),
    )
    channels = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Also notify"),
        help_text=gettext_lazy("These channels hear of the assignment, whatever they listen to."),
    )

    def __init__(self, agency: Agency, *args: Any, **kwargs: Any) -> None:
        super().__init__(agency, *args, **kwargs)
        members = agency.members.filter(user__is_active=True).select_related("user").order_by("user__first_name", "pk")
        pools = [(f"pool:{pool.pk}", pool.name) for pool in agency.pools.order_by("name")]
        people = [(f"member:{member.pk}", name_of(member.user)) for member in members]
        self._offer("target", [
            (gettext("Pools"), pools), (gettext("Members"), people),
            (KEEP, gettext("Nobody: leave it to whoever takes it")),
        ])  # fmt: skip
        self._offer("channels", [(one.pk, str(one)) for one in agency.channels.order_by("name", "pk")])

    @classmethod
    def initial_of(cls, rule: Rule) -> dict[str, Any]:
        assert isinstance(rule, RoutingRule)  # noqa: S101 (the kind's model)
        target = f"member:{rule.member_id}" if rule.member_id else f"pool:{rule.pool_id}" if rule.pool_id else ""
        return {
            "name": rule.name,
            "active": rule.active,
            "conditions": as_text(rule.conditions),
            "target": KEEP if rule.keeps else target,
            "tags": ", ".join(rule.tags),
            "target_minutes": rule.target_minutes,
            "channels": rule.channels,
        }

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        kind, _sign, target = given["target"].partition(":")
        own = {
            "member_id": target if kind == "member" else None,
            "pool_id": target if kind == "pool" else None,
            "keeps": kind == KEEP,
            "tags": [tag.strip() for tag in given["tags"].split(",") if tag.strip()],
            "target_minutes": given["target_minutes"],
            "channels": given["channels"],
        }
        return {**{name: given[name] for name in ("name", "active", "conditions")}, **own}

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = choices


class RoutingOptionsForm(forms.Form):
    same_company = forms.BooleanField(
        required=False,
        label=gettext_lazy("Same company, same owner"),
        help_text=gettext_lazy("A lead goes to who has a lead of the same company or business domain, unless away."),
    )
    company_days = forms.IntegerField(
        min_value=1,
        max_value=MAX_DAYS,
        label=gettext_lazy("For so many days"),
        help_text=gettext_lazy("How old that other lead may be."),
    )


def effect_of(rule: Rule) -> str:
    """Return where a rule leads, in words."""
    assert isinstance(rule, RoutingRule)  # noqa: S101 (the kind's model)
    if rule.member is not None:
        place = gettext("to %(name)s") % {"name": name_of(rule.member.user)}
    elif rule.pool is not None:
        place = gettext("to the pool “%(pool)s”") % {"pool": rule.pool}
    else:
        place = gettext("to nobody") if rule.keeps else gettext("nowhere any more")
    tags = gettext("tagged %(tags)s") % {"tags": ", ".join(rule.tags)} if rule.tags else ""
    minutes = gettext("to answer in %(count)d min") % {"count": rule.target_minutes} if rule.target_minutes else ""
    return ", ".join(filter(None, (place, tags, minutes)))


def options_context(agency: Agency) -> dict[str, Any]:
    """Return the form of the options for the page of routing rules."""
    options = RoutingSettings.objects.filter(agency=agency).first() or RoutingSettings(agency=agency)
    initial = {"same_company": options.same_company, "company_days": options.company_days}
    return {
        "options_form": RoutingOptionsForm(initial=initial),
        "catch_all": agency.pools.filter(is_catch_all=True).first(),
    }


@require_POST
@writers
def routing_options(request: MemberRequest) -> HttpResponse:
    """Change whether the owner of the same company gets a lead, and for how long."""
    form = RoutingOptionsForm(request.POST)
    if form.is_valid():
        with refusals_as_messages(request):
            change_options(request.agency, by=request.member.user, **form.cleaned_data)
            messages.success(request, gettext("Saved."))
    else:
        messages.error(request, gettext("Enter a number of days from 1 to %(most)d.") % {"most": MAX_DAYS})
    return redirect("portal_routing")


def add_routing_pages() -> None:
    """Add the pages of routing rules."""
    add_rule_pages(
        RulePages(
            KIND,
            section="routing",
            view="portal_routing",
            title=gettext_lazy("Routing"),
            intro=gettext_lazy("Who gets a new lead: the first rule that matches decides, then the catch-all pool."),
            without=gettext_lazy("Until there is one, every new lead goes to the catch-all pool."),
            form=RoutingRuleForm,
            effect_of=effect_of,
            outcome="portal/rules/_routing_outcome.html",
            extra="portal/rules/_routing_options.html",
            context=options_context,
        )
    )
