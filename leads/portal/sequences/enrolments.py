"""Enrol leads from their pages, stop and pause them, and decide about e-mails that are held."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.web.portal.access import MemberRequest, writers
from accounts.web.portal.views import redirect_back
from accounts.web.refusals import refusals_as_messages
from leads.models import Enrolment, Lead, OutboundEmail
from leads.pipeline.merge import root_id
from leads.portal.sequences.words import step_names
from leads.sequences import enrolments, outbox
from leads.sequences.enrolments import open_enrolment_of
from leads.sequences.opt_outs import has_opted_out, opt_out
from leads.sequences.steps import steps_of

SHOWN = 10


@require_POST
@writers
def lead_enrol(request: MemberRequest, pk: str) -> HttpResponse:
    """Enrol a lead in the sequence that was chosen."""
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    sequence = request.agency.sequences.filter(pk=request.POST.get("sequence", "")[:40].replace("\x00", "")).first()
    if sequence is None:
        messages.error(request, _("Choose a sequence."))
        return redirect_back(request, "portal_lead", lead.pk)
    with refusals_as_messages(request):
        enrolments.enrol(lead, sequence, user=request.member.user)
        messages.success(request, _("%(lead)s is enrolled in “%(name)s”.") % {"lead": lead, "name": sequence})
    return redirect_back(request, "portal_lead", lead.pk)


@require_POST
@writers
def lead_opt_out(request: MemberRequest, pk: str) -> HttpResponse:
    """Remember that a lead wants no more messages, as a person was told."""
    lead = get_object_or_404(request.agency.leads, pk=root_id(pk, request.agency))
    opt_out(lead, how="person")
    messages.success(request, _("%(lead)s gets no more automatic messages.") % {"lead": lead})
    return redirect_back(request, "portal_lead", lead.pk)


@require_POST
@writers
def enrolment_change(request: MemberRequest, pk: str, change: str) -> HttpResponse:
    """Stop, pause or resume an enrolment."""
    enrolment = get_object_or_404(Enrolment, agency=request.agency, pk=pk)
    changes = {
        "stop": enrolments.stop_enrolment,
        "pause": enrolments.pause_enrolment,
        "resume": enrolments.resume_enrolment,
    }
    with refusals_as_messages(request):
        changes[change](enrolment)
    return redirect_back(request, "portal_lead", enrolment.lead_id)


@require_POST
@writers
def email_decide(request: MemberRequest, pk: str, decision: str) -> HttpResponse:
    """Send a held e-mail again, or say that it was sent."""
    email = get_object_or_404(OutboundEmail, agency=request.agency, pk=pk, lead__isnull=False)
    lead_id = str(email.lead_id)
    with refusals_as_messages(request):
        {"again": outbox.send_again, "sent": outbox.mark_sent}[decision](email)
    return redirect_back(request, "portal_lead", lead_id)


def sequence_context(lead: Lead, request: MemberRequest) -> dict[str, Any]:
    """Return what a lead's page shows of its sequences: the open one, earlier ones, and its e-mails."""
    found = Enrolment.objects.filter(lead=lead).select_related("sequence", "version").order_by("-pk")
    rows = list(found[:SHOWN])
    steps = [step for row in rows for step in steps_of(row.version.steps)]
    active = request.agency.sequences.filter(active_since__isnull=False).order_by("name")
    return {
        "enrolments": rows,
        "is_enrolled": open_enrolment_of(lead) is not None,
        "sequence_step_names": step_names(steps) if not rows else step_names(steps_of(rows[0].version.steps)),
        "emails": OutboundEmail.objects.filter(lead=lead).order_by("-pk")[:SHOWN],
        "sequences": active,
        "opted_out": has_opted_out(lead),
    }
