"""Show the leads that look like one person, and let people decide."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.portal import MemberRequest, paginate, readers, render_page, writers
from accounts.web.refusals import refusals_as_messages
from leads.duplicates import service
from leads.duplicates.proposals import open_proposals
from leads.labels import LIKENESS
from leads.models import DuplicateProposal, Lead
from leads.portal.comparison import compare

#: Pairs of a page. Each is a table, and a full page stays below 60 KB.
SIZE = 8
SHOWN_WITH = ("lead__campaign", "lead__assigned_to", "other__campaign", "other__assigned_to")


@require_safe
@readers
def duplicate_list(request: MemberRequest) -> HttpResponse:
    """List the open proposals, newest first."""
    page = paginate(request, open_proposals(request.agency).select_related(*SHOWN_WITH), size=SIZE)
    return render_page(
        request,
        "portal/duplicates.html",
        "duplicates",
        page=page,
        pairs=[
            (one, [LIKENESS[reason] for reason in one.reasons if reason in LIKENESS], compare(one.lead, one.other))
            for one in page.rows
        ],
    )


@require_POST
@writers
def duplicate_merge(request: MemberRequest, pk: str) -> HttpResponse:
    """Merge the two leads of a proposal."""
    lead = service.accept(_proposal(request, pk), by=request.member.user)
    say_merged(request, lead)
    return redirect("portal_duplicates")


@require_POST
@writers
def duplicate_dismiss(request: MemberRequest, pk: str) -> HttpResponse:
    """Say that the two leads of a proposal are two people."""
    with refusals_as_messages(request):
        service.dismiss(_proposal(request, pk), by=request.member.user)
        messages.success(request, _("The two stay apart, and are not proposed again."))
    return redirect("portal_duplicates")


def say_merged(request: MemberRequest, lead: Lead) -> None:
    messages.success(request, _("Merged into %(lead)s. You can undo it on the lead's page.") % {"lead": lead})


def _proposal(request: MemberRequest, pk: str) -> DuplicateProposal:
    return get_object_or_404(DuplicateProposal.objects.select_related("agency"), agency=request.agency, pk=pk)
