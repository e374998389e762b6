"""Fill empty contact fields of leads with what enrichers know.

An enricher is a function that takes a lead and returns contact fields by name. `LEAD_ENRICHERS` names those that are
asked: a shipped one by its name, any other by its dotted path. It may use the network (with a time-out of its own): the
worker calls it outside of transactions. Each lead to enrich is a row; one that fails is tried again, holds up neither
the lead nor the others, and stands in the back office until somebody tries it once more.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import CharField
from django.utils.module_loading import import_string

from accounts.core.connections import is_outage
from accounts.core.jobs import CRASHED, Backoff, claim_due, remove, restart, retry
from leads import wakeups
from leads.models import Enrichment, Lead
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.enrichment_requests import request_enrichment
from leads.pipeline.merge import lock_root
from leads.pipeline.phones import e164
from leads.pipeline.provenance import CONTACT_FIELDS, ValueOrigin, fill_contact_fields

log = structlog.get_logger(__name__)

Enricher = Callable[[Lead], Mapping[str, str]]

SHIPPED = ("email_company", "phone_country")
BATCH = 5  # in one call: enrichers may be slow, and other jobs wait
PAGE = 500
LEASE = timedelta(minutes=5)  # as long as a task may run
BACKOFF = Backoff([timedelta(minutes=minutes) for minutes in (1, 10, 60, 360)])


def enricher_named(name: str) -> Enricher:
    """Import the enricher of this name. Raises ImportError."""
    found: Enricher = import_string(f"leads.enrichment.enrichers.{name}" if name in SHIPPED else name)
    return found


def request_all() -> int:
    """Have every lead that has its answers enriched soon. Return how many."""
    leads = Lead.objects.without_tests().filter(details_pending=False).exclude(form="").only("is_test").order_by("pk")
    asked, last = 0, ""
    while page := list(leads.filter(pk__gt=last)[:PAGE]):
        request_enrichment(page)
        asked, last = asked + len(page), page[-1].pk
    return asked


def enrich_due(limit: int = BATCH) -> int:
    """Enrich up to `limit` leads that are due. Return how many were attempted."""
    with claim_due(Enrichment.objects.select_related("lead__agency"), limit=limit, lease=LEASE) as claimed:
        for row in claimed:
            error = _ask_enrichers(row.lead) if BACKOFF.allows(row.attempts) else CRASHED
            if error:
                retry(row, error, BACKOFF)
            else:
                remove(row)
    return len(claimed)


def try_again(row: Enrichment) -> None:
    """Have an enrichment that failed tried again, on behalf of a person."""
    restart(Enrichment.objects.filter(pk=row.pk))
    wakeups.wake_up()


def _ask_enrichers(lead: Lead) -> str:
    """Ask every enricher about a lead. Return what went wrong, in a line without any of the lead's data, or an empty
    text."""
    errors = []
    for name in settings.LEAD_ENRICHERS:
        try:
            lead = _fill_empty_fields(lead, enricher_named(name)(lead))
        except Lead.DoesNotExist:  # erased meanwhile
            return ""
        except Exception as error:
            if is_outage(error):
                raise
            log.warning("An enricher failed.", lead=lead.pk, enricher=name, error=type(error).__name__)
            errors.append(f"{name}: {type(error).__name__}")
    return ", ".join(errors)


@transaction.atomic
def _fill_empty_fields(lead: Lead, found: Mapping[str, Any]) -> Lead:
    """Fill the lead's empty contact fields with what an enricher found. Return the lead as it is now. Raises
    Lead.DoesNotExist if it was erased meanwhile."""
    row = lock_root(lead.pk, Lead.all_records.select_related("agency").select_for_update(of=("self",)))
    if row is None:
        raise Lead.DoesNotExist
    known = {name: _cut(name, found[name]) for name in CONTACT_FIELDS if found.get(name) and name != "linkedin_url"}
    if "phone" in known:
        known["phone_e164"] = e164(known["phone"], country=row.country or known.get("country", ""))
    if changed := fill_contact_fields(row, known, origin=ValueOrigin.ENRICHMENT):
        row.save(update_fields=[*changed, "provenance", "updated_at"])
        request_detail_reactions(row)
    return row


def _cut(name: str, text: str) -> str:
    column = Lead._meta.get_field(name)
    assert isinstance(column, CharField)  # noqa: S101 (all of CONTACT_FIELDS are)
    return text.replace("\x00", "")[: column.max_length]
