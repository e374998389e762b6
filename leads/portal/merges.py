"""Merge a lead with another one that a person chooses, and part merged leads again."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.core.errors import FieldError
from accounts.portal import MemberRequest, render_page, writers
from leads.duplicates.service import undo_merge
from leads.models import Lead
from leads.pipeline.merge import root_id
from leads.pipeline.merge_by_hand import merge_by_hand
from leads.pipeline.search import leads_matching
from leads.portal.comparison import compare
from leads.portal.duplicates import say_merged

MAX_FOUND = 20


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def lead_merge(request: MemberRequest, pk: str) -> HttpResponse:
    """Find the other lead of a person, show the two beside each other, and merge them."""
    leads = request.agency.leads.select_related("campaign", "assigned_to")
    lead = get_object_or_404(leads, pk=root_id(pk, request.agency))
    if request.method == "POST":
        return _merge(request, lead)
    other = leads.filter(pk=request.GET.get("other", "")).exclude(pk=lead.pk).first()
    word = request.GET.get("q", "").strip()[:200]
    matches = leads_matching(request.agency.pk, word) if word else Q(pk__in=[])
    return render_page(
        request,
        "portal/lead_merge.html",
        "leads",
        lead=lead,
        other=other,
        rows=compare(lead, other) if other else [],
        word=word,
        found=list(leads.filter(matches).exclude(pk=lead.pk).order_by("-pk")[:MAX_FOUND]),
    )


@require_POST
@writers
def lead_unmerge(request: MemberRequest, pk: str) -> HttpResponse:
    """Undo the merge of the record that the form names."""
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    record_id = request.POST.get("record", "")
    try:
        if root_id(record_id, request.agency) != lead.pk:
            raise FieldError("record", "It is no record of this lead.")
        record = undo_merge(request.agency, record_id, by=request.member.user)[1]
    except FieldError:
        messages.error(request, _("This merge was undone already."))
        return redirect("portal_lead", lead.pk)
    messages.success(request, _("%(lead)s is a lead of its own again.") % {"lead": record})
    return redirect("portal_lead", lead.pk)


def _merge(request: MemberRequest, lead: Lead) -> HttpResponse:
    try:
        other = request.POST.get("other", "")
        merged = merge_by_hand(request.agency, lead.pk, other, by=request.member.user)
    except FieldError:
        messages.error(request, _("Choose a lead to merge with."))
        return redirect("portal_lead_merge", lead.pk)
    say_merged(request, merged)
    return redirect("portal_lead", merged.pk)
