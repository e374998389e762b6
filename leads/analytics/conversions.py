"""Report a lead that converted, once."""

from collections.abc import Mapping, Sequence

from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.unit_of_work import UnitOfWork
from accounts.events.ordering import MAX_ALERT_AGE, Origin
from leads.enums import ChangedBy
from leads.models import Lead, LeadFact
from leads.pipeline.history import record_event
from leads.pipeline.own_values import records_of


def report_conversions(leads: Mapping[str, Lead], facts: Sequence[LeadFact], work: UnitOfWork) -> None:
    """Record `lead_converted` of the locked leads that converted within the last day, unless it was recorded before.

    Test leads are not reported.
    """
    since = timezone.now() - MAX_ALERT_AGE
    for fact in facts:
        lead = leads[fact.lead_id]
        if fact.converted_at is None or fact.converted_at < since or lead.is_test:
            continue
        if _mark_as_reported(lead):
            origin = Origin(by=ChangedBy.AUTOMATION, at=fact.converted_at)
            record_event(lead, EventType.LEAD_CONVERTED, origin=origin, work=work)


def _mark_as_reported(lead: Lead) -> bool:
    """Mark a lead as reported, by one conditional update. Return whether it was not, nor a record of it, before."""
    if any(record.conversion_reported_at for record in records_of(lead)):
        return False
    unreported = Lead.objects.filter(pk=lead.pk, conversion_reported_at__isnull=True)
    return unreported.update(conversion_reported_at=timezone.now()) > 0
