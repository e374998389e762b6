"""Labels for answers that came before their form could be read: the form is asked for again, and they are put in.

LinkedIn is asked for the form alone, not for the leads: what they answered is here, by their questions' ids.
"""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts.core.connections import undone_after_outage
from accounts.providers.linkedin import LinkedInError
from leads.lead_sync.form_answers import relabelled
from leads.lead_sync.forms import OF_ONE_FORM, WAITS, ask_for_form, note_refusal, put_off
from leads.lead_sync.source_health import show_health
from leads.lead_sync.submissions import find_person, put_in
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, report_error
from leads.models import Lead, LeadForm, RefusedForm, UnlabelledAnswers
from leads.pipeline.enrichment_requests import request_enrichment

BATCH = 100
LEASE = timedelta(seconds=60)


def label_due() -> bool:
    """Ask for one refused form that is due, and label the answers that wait for it; whether there was one."""
    until = timezone.now() + LEASE
    with undone_after_outage(partial(_release, until)):
        row = _claim(until)
        if row is not None:
            _label(row)
    return row is not None


def _label(row: RefusedForm) -> None:
    try:
        _read_form(row)
    except OnHold as hold:
        put_off(row, hold.until or timezone.now() + WAITS[-1])
    except NotConnected:
        put_off(row, timezone.now() + WAITS[-1])
    except LinkedInError as error:
        until = report_error(row.sync, error)
        if until or error.kind not in OF_ONE_FORM:
            put_off(row, until or timezone.now() + WAITS[0])
        else:
            note_refusal(row.sync, row.form_id, error)
    else:
        while _label_some(row):
            pass
        row.delete()
    show_health(row.sync)


def _release(until: datetime) -> None:
    """Give back what was claimed with this lease and is not done."""
    RefusedForm.objects.filter(next_attempt_at=until).update(next_attempt_at=timezone.now())


def _claim(until: datetime) -> RefusedForm | None:
    with transaction.atomic():
        due = RefusedForm.objects.filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")
        key = due.select_for_update(skip_locked=True).values_list("pk", flat=True).first()
        if key is None:
            return None
        RefusedForm.objects.filter(pk=key).update(next_attempt_at=until)
    return RefusedForm.objects.select_related("sync__source__agency", "sync__account__agency").filter(pk=key).first()


def _read_form(row: RefusedForm) -> None:
    """Ask for the versions that are waited for and not here. Raises LinkedInError, NotConnected."""
    agency = row.sync.source.agency
    assert agency is not None  # noqa: S101 (a linkedin source belongs to an agency)
    wanted = set(row.waiting.values_list("version", flat=True).distinct())
    known = LeadForm.objects.filter(agency=agency, form_id=row.form_id).values_list("version", flat=True)
    for version in sorted(wanted - set(known)):
        ask_for_form(agency, row.form_id, version, api_for(row.sync))


@transaction.atomic
def _label_some(row: RefusedForm) -> bool:
    """Label a batch of answers that wait for a form; whether there were any."""
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
            put_in(lead, found)
            lead.save()
            labelled.append(find_person(lead, each.reference, found))
    request_enrichment(labelled)
    UnlabelledAnswers.objects.filter(pk__in=[each.pk for each in waiting]).delete()
    return bool(waiting)
