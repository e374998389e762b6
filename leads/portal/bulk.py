"""Serve bulk changes of leads: those that are ticked at once, all that match in batches with a progress bar."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.models import Member
from accounts.portal import MemberRequest, redirect_back, render_page, writers
from accounts.web.portal.navigation import capped_count
from leads.enums import LeadStatus
from leads.labels import STATUSES
from leads.pipeline.bulk import assign_leads, set_statuses
from leads.portal.assignees import NOBODY, find_assignee, name_of
from leads.portal.filters import LeadFilter

MAX_TICKED = 100
BATCH = 25
MAX_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What a form asks for: an assignee, or a status."""

    name: str
    value: str
    sentence: str
    request: MemberRequest

    def carry_out(self, lead_ids: list[str]) -> int:
        """Change the leads. Return how many changed."""
        agency, by = self.request.agency, self.request.member.user
        if self.name == "status":
            return set_statuses(agency, lead_ids, status=LeadStatus(self.value), by=by)
        return assign_leads(agency, lead_ids, assignee=find_assignee(agency, self.value), by=by)


@require_POST
@writers
def lead_bulk(request: MemberRequest) -> HttpResponse:
    """Change the ticked leads, or begin or go on to change all that match the list's filters."""
    change = _read_change(request)
    if change is None:
        messages.error(request, _("Choose a member or a status of the list."))
        return redirect_back(request, "portal_leads")
    if request.POST.get("all") == "yes":
        return _change_all(request, change)
    ids = request.POST.getlist("lead")[:MAX_TICKED]
    if not ids:
        messages.error(request, _("Select leads first."))
        return redirect_back(request, "portal_leads")
    _say_result(request, change, change.carry_out([pk for pk in ids if "\x00" not in pk]))
    return redirect_back(request, "portal_leads")


def _change_all(request: MemberRequest, change: Change) -> HttpResponse:
    """Ask first; then change a batch of the leads that match and answer how far that is, until there are no more.

    The leads are walked newest first by their key. So none is missed that leaves the list because it changed, and none
    is taken that comes meanwhile.
    """
    filters = LeadFilter(QueryDict(request.POST.get("query", "")), request.agency, request.member)
    leads = filters.apply(request.agency.leads.all())
    total = _number(request, "total") or _as_number(capped_count(leads, MAX_COUNT))
    state = {"change": change, "query": filters.query, "total": total, "next": request.POST.get("next", "")}
    if request.POST.get("confirmed") != "yes":
        return _show(request, {**state, "count": capped_count(leads, MAX_COUNT)}, begun=False)
    after = request.POST.get("after", "")
    rest = leads.filter(pk__lt=after) if after and "\x00" not in after else leads
    ids = list(rest.order_by("-pk").values_list("pk", flat=True)[:BATCH])
    changed = _number(request, "changed") + (change.carry_out(ids) if ids else 0)
    done = _number(request, "done") + len(ids)
    if len(ids) < BATCH:
        _say_result(request, change, changed)
        answer = redirect_back(request, "portal_leads")
        return _follow(answer) if _is_htmx(request) and isinstance(answer, HttpResponseRedirect) else answer
    position = {"after": ids[-1], "done": done, "changed": changed, "total": max(total, done)}
    return _show(request, {**state, **position}, begun=True)


def _show(request: MemberRequest, state: dict[str, Any], *, begun: bool) -> HttpResponse:
    if begun and _is_htmx(request):
        return render(request, "portal/parts/bulk_progress.html", {**state, "begun": True})
    return render_page(request, "portal/lead_bulk.html", "leads", **state, begun=begun)


def _read_change(request: MemberRequest) -> Change | None:
    """Return what the form asks for; None if it is nothing that there is."""
    status, assignee = request.POST.get("status", ""), request.POST.get("assignee", "")
    if status in set(LeadStatus):
        label = STATUSES[LeadStatus(status)].text
        return Change("status", status, _("Change status to “%(status)s”") % {"status": label}, request)
    try:
        user = find_assignee(request.agency, assignee)
    except (Member.DoesNotExist, ValidationError, ValueError):
        return None
    sentence = _("Assign to %(name)s") % {"name": name_of(user)} if user else _("Assign to nobody")
    return Change("assignee", assignee if user else NOBODY, sentence, request)


def _say_result(request: MemberRequest, change: Change, changed: int) -> None:
    text = ngettext("%(change)s: %(count)d lead changed.", "%(change)s: %(count)d leads changed.", changed)
    messages.success(request, text % {"change": change.sentence, "count": changed})


def _follow(answer: HttpResponseRedirect) -> HttpResponse:
    """Let htmx open the page that a redirect leads to, instead of putting it into this one."""
    return HttpResponse(headers={"HX-Redirect": answer.url})


def _is_htmx(request: MemberRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _number(request: MemberRequest, name: str) -> int:
    return _as_number(request.POST.get(name, ""))


def _as_number(text: str) -> int:
    digits = text.removesuffix("+")
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) < 10 else 0
