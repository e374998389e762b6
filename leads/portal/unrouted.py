"""List the leads that nobody has because nothing led anywhere, and give them to somebody."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Member
from accounts.portal import MemberRequest, readers, redirect_back, render_page, writers
from leads.models import Pool
from leads.pipeline.bulk import assign_leads
from leads.portal.assignees import assignees_for, find_assignee, name_of
from leads.routing.service import assign_by_pool
from leads.routing.waiting_list import unrouted_leads

SHOWN = 100


@require_safe
@readers
def unrouted_list(request: MemberRequest) -> HttpResponse:
    """List unrouted leads, the longest waiting first."""
    rows = list(unrouted_leads(request.agency).select_related("lead__campaign")[: SHOWN + 1])
    return render_page(
        request,
        "portal/unrouted.html",
        "unrouted",
        rows=rows[:SHOWN],
        more=len(rows) > SHOWN,
        assignees=assignees_for(request.member),
        pools=request.agency.pools.order_by("-is_catch_all", "name"),
        has_catch_all=request.agency.pools.filter(is_catch_all=True).exists(),
    )


@require_POST
@writers
def unrouted_assign(request: MemberRequest) -> HttpResponse:
    """Give one lead, or all that are ticked, to a member, or have a pool deal them."""
    ids = [pk for pk in request.POST.getlist("lead")[:SHOWN] if "\x00" not in pk]
    if not ids:
        messages.error(request, _("Select leads first."))
        return redirect_back(request, "portal_unrouted")
    try:
        count, name = _give(request, ids)
    except (Member.DoesNotExist, Pool.DoesNotExist, ValidationError, ValueError):
        messages.error(request, _("Choose a member or a pool."))
        return redirect_back(request, "portal_unrouted")
    text = ngettext("%(count)d lead given to %(name)s.", "%(count)d leads given to %(name)s.", count)
    messages.success(request, text % {"count": count, "name": name})
    return redirect_back(request, "portal_unrouted")


def _give(request: MemberRequest, ids: list[str]) -> tuple[int, str]:
    """Return how many leads were given, and to whom."""
    if pool_id := request.POST.get("pool", ""):
        pool = request.agency.pools.get(pk=pool_id)
        return assign_by_pool(request.agency, ids, pool=pool, by=request.member.user), str(pool)
    user = find_assignee(request.agency, request.POST.get("assignee", ""))
    if user is None:
        raise Member.DoesNotExist
    return assign_leads(request.agency, ids, assignee=user, by=request.member.user), name_of(user)
