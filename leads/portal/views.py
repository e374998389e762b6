"""Serve the portal's pages about leads."""

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.core import csv_export
from accounts.core.linkedin_identity import linkedin_link
from accounts.models import Agency
from accounts.portal import MemberRequest, add_error_messages, paginate, readers, redirect_back, render_page, writers
from accounts.web.recent_sign_in import with_recent_sign_in
from leads.analytics.export import TooManyDownloads, download_leads
from leads.enums import ChangedBy, LeadStatus
from leads.models import LeadQuerySet, LeadReference
from leads.pipeline.changes import set_status
from leads.pipeline.merge import root_id
from leads.pipeline.search import leads_matching
from leads.portal.forms import LeadFilter, StatusForm
from leads.portal.received import DAYS, received_between


@require_safe
@readers
def lead_list(request: MemberRequest) -> HttpResponse:
    filters = LeadFilter(request.GET, agency=request.agency)
    rows = received_between(request, request.agency, request.agency.leads.select_related("campaign", "account"))
    return render_page(
        request,
        "portal/leads.html",
        "leads",
        page=paginate(request, _filtered(request.agency, rows, filters)),
        filters=filters,
        filtered=any(request.GET.get(name) for name in (*filters.fields, *DAYS)),
    )


@require_POST
@writers
@with_recent_sign_in
def lead_export(request: MemberRequest) -> HttpResponseBase:
    """Download the leads that match the list's filters."""
    filters = LeadFilter(request.GET, agency=request.agency)
    leads = received_between(request, request.agency, request.agency.leads.all())
    leads = _filtered(request.agency, leads, filters)
    delimiter = csv_export.NAMED_DELIMITERS.get(request.POST.get("delimiter", ""), "")
    try:
        return download_leads(request.agency, leads, by=request.member.user, delimiter=delimiter)
    except TooManyDownloads as error:
        messages.error(request, str(error))
        return redirect_back(request, "portal_leads")


@require_safe
@readers
def lead_page(request: MemberRequest, pk: str) -> HttpResponse:
    references = Prefetch("references", LeadReference.objects.select_related("campaign").order_by("-status_since"))
    leads = request.agency.leads.select_related("campaign", "account", "assigned_to", "source").prefetch_related(
        references
    )
    if (root_pk := root_id(pk, request.agency)) != pk:
        return redirect("portal_lead", root_pk)
    lead = get_object_or_404(leads, pk=pk)
    changes = lead.changes.select_related("reference__campaign")
    return render_page(
        request,
        "portal/lead.html",
        "leads",
        lead=lead,
        linkedin=linkedin_link(lead.linkedin_url),
        history=paginate(request, changes, size=25),
        form=StatusForm(initial={"status": lead.status}),
    )


@require_POST
@writers
def lead_status(request: MemberRequest, pk: str) -> HttpResponse:
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    form = StatusForm(request.POST)
    if form.is_valid():
        status = LeadStatus(form.cleaned_data["status"])
        set_status(lead, status=status, changed_by=ChangedBy.USER, note=form.cleaned_data["note"])
        messages.success(request, f"Status of {lead} changed to “{status.label}”.")
    add_error_messages(request, form)
    return redirect_back(request, "portal_lead", lead.pk)


def _filtered(agency: Agency, leads: LeadQuerySet, filters: LeadFilter) -> LeadQuerySet:
    filters.is_valid()
    for name, column in (("status", "status"), ("campaign", "campaign_id")):
        if value := filters.cleaned_data.get(name):
            leads = leads.filter(**{column: value})
    word = filters.cleaned_data.get("q", "").strip()
    return leads.filter(leads_matching(agency.pk, word)) if word else leads
