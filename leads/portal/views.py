"""Serve the portal's page of one lead."""

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.core.linkedin_identity import linkedin_link
from accounts.models import Member
from accounts.portal import MemberRequest, add_error_messages, readers, redirect_back, render_page, writers
from accounts.web.portal.pagination import neighbours
from leads.enums import ChangedBy, LeadStatus
from leads.labels import STATUSES
from leads.models import Lead, LeadReference
from leads.pipeline.bulk import assign_leads
from leads.pipeline.changes import set_status
from leads.pipeline.merge import root_id
from leads.pipeline.own_values import records_of
from leads.portal.assignees import assignees_for, find_assignee, name_of
from leads.portal.clocks import clock_context
from leads.portal.filters import SORTING, LeadFilter
from leads.portal.forms import StatusForm
from leads.portal.history import lead_history
from leads.portal.ownership import ownership_of
from leads.portal.scoring import score_of
from leads.portal.sequences.enrolments import sequence_context
from leads.portal.tasks import activity_context
from leads.routing.service import assign_by_pool

#: Statuses that end the way; the others are its steps.
OUTCOMES = (LeadStatus.NOT_INTERESTED, LeadStatus.DONE)
#: What the page says of a person, in this order.
CONTACT = {
    "title": gettext_lazy("Role"),
    "company": gettext_lazy("Company"),
    "company_size": gettext_lazy("Company size"),
    "industry": gettext_lazy("Industry"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "linkedin_url": gettext_lazy("LinkedIn"),
    "location": gettext_lazy("Location"),
    "state": gettext_lazy("State"),
    "country": gettext_lazy("Country"),
}


@require_safe
@readers
def lead_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show a lead. `at` in the address says where it stands in the list whose filters are there too."""
    if (root_pk := root_id(pk, request.agency)) != pk:
        return redirect("portal_lead", root_pk)
    references = Prefetch("references", LeadReference.objects.select_related("campaign").order_by("-status_since"))
    leads = request.agency.leads.select_related("campaign", "account", "assigned_to", "source")
    lead = get_object_or_404(leads.prefetch_related(references), pk=pk)
    filters = LeadFilter(request.GET, request.agency, request.member)
    previous, following = _neighbours(request, pk, filters)
    return render_page(
        request,
        "portal/lead.html",
        "leads",
        lead=lead,
        linkedin=linkedin_link(lead.linkedin_url),
        history=lead_history(lead, request.agency, request.GET.get("before", "")),
        has_newer="before" in request.GET,
        form=StatusForm(initial={"status": lead.status}),
        **clock_context(lead, request.agency),
        **activity_context(lead.pk, request),
        **sequence_context(lead, request),
        steps=[(status, label) for status, label in STATUSES.items() if status not in OUTCOMES],
        outcomes=[(status, STATUSES[status]) for status in OUTCOMES],
        score=score_of(lead),
        rank=LeadStatus(lead.furthest_status).rank if lead.furthest_status else -1,
        assignees=assignees_for(request.member),
        assignee=name_of(lead.assigned_to) if lead.assigned_to else "",
        ownership=ownership_of(lead),
        pools=request.agency.pools.order_by("name"),
        contact=[(label, field) for field, label in CONTACT.items() if getattr(lead, field)],
        records=records_of(lead) if lead.has_records else [],
        conversation=lead.threads.order_by("-last_message_at").first(),
        list_query=filters.query,
        previous=previous,
        following=following,
    )


@require_POST
@writers
def lead_status(request: MemberRequest, pk: str) -> HttpResponse:
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    form = StatusForm(request.POST)
    if form.is_valid():
        status = LeadStatus(form.cleaned_data["status"])
        note, by = form.cleaned_data["note"], request.member.user
        set_status(lead, status=status, changed_by=ChangedBy.USER, note=note, by=by)
        text = _("Status of %(lead)s changed to “%(status)s”.")
        messages.success(request, text % {"lead": lead, "status": STATUSES[status].text})
    add_error_messages(request, form)
    return redirect_back(request, "portal_lead", lead.pk)


@require_POST
@writers
def lead_assign(request: MemberRequest, pk: str) -> HttpResponse:
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    if request.POST.get("pool"):
        return _give_to_pool(request, lead)
    try:
        assignee = find_assignee(request.agency, request.POST.get("assignee", ""))
    except (Member.DoesNotExist, ValueError):
        messages.error(request, _("Leads can only be assigned to active members of your agency."))
        return redirect_back(request, "portal_lead", lead.pk)
    assign_leads(request.agency, [lead.pk], assignee=assignee, by=request.member.user)
    if assignee:
        text = _("%(lead)s is assigned to %(name)s.") % {"lead": lead, "name": name_of(assignee)}
    else:
        text = _("%(lead)s is assigned to nobody.") % {"lead": lead}
    messages.success(request, text)
    return redirect_back(request, "portal_lead", lead.pk)


def _give_to_pool(request: MemberRequest, lead: Lead) -> HttpResponse:
    """Have a pool deal the lead. Who has it now does not get it again."""
    pool = request.agency.pools.filter(pk=request.POST["pool"][:40].replace("\x00", "")).first()
    if pool is None:
        messages.error(request, _("Choose a member or a pool."))
        return redirect_back(request, "portal_lead", lead.pk)
    assign_by_pool(request.agency, [lead.pk], pool=pool, by=request.member.user)
    lead = Lead.objects.select_related("assigned_to").get(pk=lead.pk)
    if lead.assigned_to:
        text = _("%(lead)s is assigned to %(name)s.") % {"lead": lead, "name": name_of(lead.assigned_to)}
    else:
        text = _("%(lead)s waits: nobody of “%(pool)s” can take it now.") % {"lead": lead, "pool": pool}
    messages.success(request, text)
    return redirect_back(request, "portal_lead", lead.pk)


def _neighbours(request: MemberRequest, pk: str, filters: LeadFilter) -> tuple[str, str]:
    """Return the paths of the leads before and after this one in the list that one came from."""
    key, order = request.GET.get("at", ""), SORTING.order(request)
    if not key:
        return "", ""
    if key.startswith("."):
        key = f"{pk}{key}".removesuffix(".")

    def path_of(lead: Lead | None) -> str:
        query = f"{filters.query}&" if filters.query else ""
        return f"{reverse('portal_lead', args=[lead.pk])}?{query}at={order.own_key_of(lead)}" if lead else ""

    before, after = neighbours(filters.apply(request.agency.leads.all()), key, order)
    return path_of(before), path_of(after)
