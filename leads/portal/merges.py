"""Part merged leads again from the portal's page of a lead."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.core.errors import FieldError
from accounts.portal import MemberRequest, writers
from leads.pipeline.merge import root_id
from leads.pipeline.unmerge import unmerge


@require_POST
@writers
def lead_unmerge(request: MemberRequest, pk: str) -> HttpResponse:
    """Undo the merge of the record that the form names."""
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    record_id = request.POST.get("record", "")
    try:
        if root_id(record_id, request.agency) != lead.pk:
            raise FieldError("record", "It is no record of this lead.")
        record = unmerge(request.agency, record_id)[1]
    except FieldError:
        messages.error(request, _("This merge was undone already."))
        return redirect("portal_lead", lead.pk)
    messages.success(request, _("%(lead)s is a lead of its own again.") % {"lead": record})
    return redirect("portal_lead", lead.pk)
