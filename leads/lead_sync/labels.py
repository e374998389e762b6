"""Label answers that came before their form could be read, once LinkedIn shows it.

LinkedIn is asked for the form alone, not for the leads: what they answered is here, by their questions' ids.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.core.jobs import claim_due, put_off, remove, retry
from accounts.providers.linkedin import LinkedInError
from leads.lead_sync.form_answers import relabelled
from leads.lead_sync.forms import BACKOFF, OF_ONE_FORM, ask_for_form, next_attempt_at
from leads.lead_sync.source_health import show_health
from leads.lead_sync.submissions import fill_in, person_of
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_error
from leads.models import Lead, LeadForm, RefusedForm, UnlabelledAnswers
from leads.pipeline.enrichment_requests import request_enrichment

BATCH = 100
LEASE = timedelta(seconds=60)


def label_due() -> bool:
    """Ask for one refused form that is due, and label the answers that wait for it. Return whether one was due."""
    due = RefusedForm.objects.select_related("sync__source__agency", "sync__account__agency")
    with claim_due(due, limit=1, lease=LEASE) as claimed:
        for row in claimed:
            _label(row)
    return bool(claimed)


def _label(row: RefusedForm) -> None:
    """Ask for a refused form, and label the answers that wait for it; or have it asked for later."""
    soon, late = (timezone.now() + BACKOFF.steps[step] for step in (0, -1))
    try:
        _ask_for_versions(row)
    except OnHold as hold:
        put_off(row, hold.until or late, str(hold))
    except NotConnected:
        put_off(row, late, "Nobody is connected to LinkedIn.")
    except LinkedInError as error:
        until = report_error(row.sync, error)
        if until or error.kind not in OF_ONE_FORM:
            put_off(row, until or soon, str(error))
        else:
            retry(row, str(error), next_attempt_at(row), reason=error.kind)
    else:
        while _label_some(row):
            pass
        remove(row)
    show_health(row.sync)


def _ask_for_versions(row: RefusedForm) -> None:
    """Ask LinkedIn for the versions of a form that answers wait for. Raises LinkedInError, NotConnected."""
    agency = row.sync.source.agency
    assert agency is not None  # noqa: S101 (a linkedin source belongs to an agency)
    wanted = set(row.waiting.values_list("version", flat=True).distinct())
    known = LeadForm.objects.filter(agency=agency, form_id=row.form_id).values_list("version", flat=True)
    for version in sorted(wanted - set(known)):
        ask_for_form(agency, row.form_id, version, api_for(row.sync))


@transaction.atomic
def _label_some(row: RefusedForm) -> bool:
    """Label a batch of answers that wait for a form. Return whether there were any."""
    waiting = list(row.waiting.select_related("reference").order_by("pk")[:BATCH])
    versions = LeadForm.objects.filter(agency=row.sync.source.agency, form_id=row.form_id)
    contents = {form.version: form.content for form in versions}
    leads = Lead.objects.select_for_update(of=("self",)).select_related("agency").order_by("pk")
    by_key = {lead.pk: lead for lead in leads.filter(pk__in=[each.reference.lead_id for each in waiting])}
    labelled = []
    for each in waiting:
        lead, content = by_key.get(each.reference.lead_id), contents.get(each.version)
        found = relabelled(lead, content) if lead and content else None
        if lead and found:
            fill_in(lead, found)
            lead.save()
            labelled.append(person_of(lead, each.reference, found))
    request_enrichment(labelled)
    UnlabelledAnswers.objects.filter(pk__in=[each.pk for each in waiting]).delete()
    return bool(waiting)
