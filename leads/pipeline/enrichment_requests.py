"""Request the enrichment of leads (`leads.enrichment`)."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from leads import wakeups
from leads.models import Enrichment, Lead


def request_enrichment(leads: Iterable[Lead]) -> None:
    """Make rows that request the enrichment of these leads, in the transaction that stores their answers."""
    now = timezone.now()
    rows = [Enrichment(lead=lead, next_attempt_at=now) for lead in leads if not lead.is_test]
    if not settings.LEAD_ENRICHERS or not rows:
        return
    Enrichment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["lead"], update_fields=["next_attempt_at", "attempts", "error"]
    )
    transaction.on_commit(wakeups.wake_up, robust=True)
