"""Serve the portal's pages about campaigns: what became of their leads, and who paused them."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.campaigns import commands, control
from accounts.core.enums import EventType, provider_choices
from accounts.core.search import matching
from accounts.labels import CAMPAIGN_STATUSES
from accounts.models import Agency, Campaign, CampaignCommand, Event, Sender
from accounts.models.command import CommandStatus
from accounts.portal import MemberRequest, Page, paginate, readers, redirect_back, render_page, writers
from accounts.web.portal.pagination import page_by_number
from accounts.web.portal.sorting import Order, Sorting
from accounts.web.refusals import refusals_as_messages
from leads.analytics.outcomes import Outcomes, outcomes_by_campaign

SHOWN_LEADS, SHOWN_PAUSES = 8, 20
PAUSES = (EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_RESUMED)
RANKS: Mapping[str, Callable[[Outcomes], float | None]] = {
    "leads": lambda outcomes: outcomes.leads,
    "acceptance": lambda outcomes: outcomes.acceptance,
    "replies": lambda outcomes: outcomes.reply_rate,
    "conversion": lambda outcomes: outcomes.conversion,
}
SORTING = Sorting({name: name for name in RANKS})
HEADS = {"leads": _("Leads"), "acceptance": _("Acceptance"), "replies": _("Replies"), "conversion": _("Conversion")}


class CampaignFilter(forms.Form):
    q = forms.CharField(required=False, max_length=200, label=_("Name or ID"))
    status = forms.ChoiceField(required=False, label=_("Status"))
    provider = forms.ChoiceField(required=False, label=_("Provider"))
    sort = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statuses = [(status.value, label.text) for status, label in CAMPAIGN_STATUSES.items()]
        for name, choices in (("status", statuses), ("provider", provider_choices())):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
            field.choices = [("", gettext("All")), *choices]


class PauseForm(forms.Form):
    reason = forms.CharField(required=False, max_length=control.MAX_REASON, label=_("Reason"))


@require_safe
@readers
def campaign_list(request: MemberRequest) -> HttpResponse:
    filters = CampaignFilter(request.GET)
    page, outcomes = _page(request, _filtered(request.agency, filters))
    return render_page(
        request,
        "portal/campaigns.html",
        "campaigns",
        page=page,
        rows=[(campaign, outcomes.get(campaign.pk, Outcomes())) for campaign in page.rows],
        heads=SORTING.heads(request, {name: str(title) for name, title in HEADS.items()}),
        filters=filters,
        filtered=any(request.GET.get(name) for name in ("q", "status", "provider")),
    )


@require_safe
@readers
def campaign_page(request: MemberRequest, pk: str) -> HttpResponse:
    campaign = get_object_or_404(request.agency.campaigns.select_related("account", "source"), pk=pk)
    senders = Sender.objects.filter(
        agency=request.agency, provider=campaign.provider, external_id=campaign.sender_id or None
    )
    failed = CampaignCommand.objects.filter(campaign=campaign, status=CommandStatus.FAILED)
    pauses = Event.objects.filter(agency=request.agency, subject=campaign.pk, event_type__in=PAUSES)
    return render_page(
        request,
        "portal/campaign.html",
        "campaigns",
        campaign=campaign,
        outcomes=outcomes_by_campaign(request.agency, [campaign.pk]).get(campaign.pk, Outcomes()),
        sender=senders.select_related("account").first(),
        failed=failed.first(),
        is_controlled=commands.can_command(campaign),
        pauses=pauses.order_by("-id")[:SHOWN_PAUSES],
        leads=request.agency.leads.filter(campaign=campaign).order_by("-id")[:SHOWN_LEADS],
        form=PauseForm(),
    )


@require_POST
@writers
def campaign_pause(request: MemberRequest, pk: str) -> HttpResponse:
    campaign, form = get_object_or_404(request.agency.campaigns, pk=pk), PauseForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    with refusals_as_messages(request):
        control.pause_campaign(campaign, reason=reason, by=request.member.user)
        messages.success(request, gettext("%(campaign)s was paused.") % {"campaign": campaign})
    return redirect_back(request, "portal_campaign", campaign.pk)


@require_POST
@writers
def campaign_resume(request: MemberRequest, pk: str) -> HttpResponse:
    campaign = get_object_or_404(request.agency.campaigns, pk=pk)
    with refusals_as_messages(request):
        control.resume_campaign(campaign, by=request.member.user)
        messages.success(request, gettext("%(campaign)s was resumed.") % {"campaign": campaign})
    return redirect_back(request, "portal_campaign", campaign.pk)


@require_POST
@writers
def campaign_retry(request: MemberRequest, pk: str) -> HttpResponse:
    """Ask the provider once more for what it did not do."""
    campaign = get_object_or_404(request.agency.campaigns, pk=pk)
    try:
        commands.try_again(campaign)
    except commands.NothingFailed:
        messages.info(request, gettext("Nothing to try again."))
    else:
        messages.success(request, gettext("The provider is asked again."))
    return redirect_back(request, "portal_campaign", campaign.pk)


def _page(request: MemberRequest, campaigns: "QuerySet[Campaign]") -> tuple[Page[Campaign], Mapping[str, Outcomes]]:
    """Return a page of campaigns with what became of their leads: newest first, or ranked by a figure."""
    order = SORTING.order(request)
    if order.column not in RANKS:
        page = paginate(request, campaigns)
        return page, outcomes_by_campaign(request.agency, [campaign.pk for campaign in page.rows])
    outcomes = outcomes_by_campaign(request.agency)
    keys = campaigns.order_by("-pk").values_list("pk", flat=True)
    return page_by_number(request, campaigns, _ranked(keys, outcomes, order)), outcomes


def _ranked(keys: "QuerySet[Campaign, str]", outcomes: Mapping[str, Outcomes], order: Order) -> list[str]:
    """Return the keys sorted by a figure. Where there is none, campaigns stand at the end."""
    figures = {key: RANKS[order.column](outcomes.get(key, Outcomes())) for key in keys}
    with_figure = sorted(
        ((figure, key) for key, figure in figures.items() if figure is not None), reverse=order.descending
    )
    return [*(key for _, key in with_figure), *(key for key, figure in figures.items() if figure is None)]


def _filtered(agency: Agency, filters: CampaignFilter) -> "QuerySet[Campaign]":
    campaigns = agency.campaigns.select_related("account")
    filters.is_valid()
    for name in ("status", "provider"):
        if value := filters.cleaned_data.get(name):
            campaigns = campaigns.filter(**{name: value})
    if word := filters.cleaned_data.get("q"):
        campaigns = campaigns.filter(matching(Campaign, word))
    return campaigns
