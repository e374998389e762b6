"""Show a member the leads that they have, what is to be answered first on top. The part asks again by itself."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Member
from accounts.portal import MemberRequest, readers
from leads.portal.marks import is_shown, mark_of

SHOWN = 8


def my_leads_context(member: Member) -> dict[str, Any]:
    """Return what the part shows: the member's open leads."""
    leads = member.agency.leads.open_leads().filter(assigned_to=member.user_id)
    shown = list(leads.with_clock("open").order_by("response_due_at", "pk")[:SHOWN])
    shown += leads.filter(response_due_at__isnull=True).order_by("-pk")[: SHOWN - len(shown)]
    return {
        "my_leads": shown,
        "my_mark": mark_of(shown),
        "my_timed": [lead.pk for lead in shown if lead.response_due_at],
    }


@require_safe
@readers
def my_leads(request: MemberRequest) -> HttpResponse:
    context = my_leads_context(request.member)
    if is_shown(request, context["my_mark"]):
        return HttpResponse(status=204)
    return render(request, "portal/parts/my_leads.html", context)
