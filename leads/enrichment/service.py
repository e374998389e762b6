"""Enrichment: whoever knows more of a lead fills what is empty, and says so.

An enricher is a function that takes a lead and answers contact fields by name. `LEAD_ENRICHERS` names those that are
asked: a shipped one by its name, any other by its dotted path. It may use the network (with a time-out of its own): it
is called by the worker, outside of transactions. What is to be enriched is a row; one that fails is tried again, holds
up neither the lead nor the others, and stands in the back office until somebody tries it once more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import CharField, F
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.core.connections import is_outage, undone_after_outage
from leads import wakeups
from leads.models import Enrichment, Lead
from leads.pipeline.enrichment_requests import request_enrichment
from leads.pipeline.merge import lock_root
from leads.pipeline.phones import e164
from leads.pipeline.provenance import CONTACT_FIELDS, Origin, fill

log = structlog.get_logger(__name__)

Enricher = Callable[[Lead], Mapping[str, str]]

SHIPPED = ("email_company", "phone_country")
BATCH = 5  # in one turn: enrichers may be slow, and other work waits
PAGE = 500
LEASE = timedelta(minutes=5)  # as long as a task may run
WAITS = [timedelta(minutes=minutes) for minutes in (1, 10, 60, 360)]
MAX_ATTEMPTS = len(WAITS) + 1
GAVE_UP = "It never came to an end."


def enricher_named(name: str) -> Enricher:
    """Raises ImportError."""
    found: Enricher = import_string(f"leads.enrichment.enrichers.{name}" if name in SHIPPED else name)
    return found


def request_all() -> int:
    """Let every lead that has its answers be looked at soon, those too that came before anybody was named; how many."""
    leads = Lead.objects.real().filter(details_pending=False).exclude(form="").only("is_test").order_by("pk")
    asked, last = 0, ""
    while page := list(leads.filter(pk__gt=last)[:PAGE]):
        request_enrichment(page)
        asked, last = asked + len(page), page[-1].pk
    return asked


def enrich_due(limit: int = BATCH) -> int:
    """Enrich up to `limit` leads that are due; how many were taken up."""
    until = timezone.now() + LEASE
    with undone_after_outage(partial(_release, until)):
        claimed = _claim(limit, until)
        for row in claimed:
            error = GAVE_UP if row.attempts > MAX_ATTEMPTS else _enrich(row.lead)
            mine = Enrichment.objects.filter(pk=row.pk, next_attempt_at=until)  # nobody asked anew meanwhile
            if error:
                again = timezone.now() + WAITS[row.attempts - 1] if row.attempts < MAX_ATTEMPTS else None
                mine.update(next_attempt_at=again, error=error[:300])
            else:
                mine.delete()
    return len(claimed)


def try_again(row: Enrichment) -> None:
    """A person asks for another try, from the beginning."""
    Enrichment.objects.filter(pk=row.pk).update(next_attempt_at=timezone.now(), attempts=0)
    wakeups.wake_up()


def _claim(limit: int, until: datetime) -> list[Enrichment]:
    """Counted before the work and leased: what kills its worker comes to an end, too."""
    due = Enrichment.objects.filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")
    with transaction.atomic():
        keys = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Enrichment.objects.filter(pk__in=keys).update(next_attempt_at=until, attempts=F("attempts") + 1)
    return list(Enrichment.objects.select_related("lead__agency").filter(pk__in=keys))


def _release(until: datetime) -> None:
    """Give back what was claimed with this lease and is not done. The attempt does not count."""
    claimed = Enrichment.objects.filter(next_attempt_at=until)
    claimed.update(next_attempt_at=timezone.now(), attempts=F("attempts") - 1)


def _enrich(lead: Lead) -> str:
    """Ask every enricher; what went wrong, in a line without anything of the lead's."""
    errors = []
    for name in settings.LEAD_ENRICHERS:
        try:
            lead = _put_in(lead, enricher_named(name)(lead))
        except Lead.DoesNotExist:  # erased meanwhile
            return ""
        except Exception as error:
            if is_outage(error):
                raise
            log.warning("An enricher failed.", lead=lead.pk, enricher=name, error=type(error).__name__)
            errors.append(f"{name}: {type(error).__name__}")
    return ", ".join(errors)


@transaction.atomic
def _put_in(lead: Lead, found: Mapping[str, Any]) -> Lead:
    """The lead as it is now, with what was found in its empty fields."""
    row = lock_root(lead.pk, Lead.all_records.select_related("agency").select_for_update(of=("self",)))
    if row is None:
        raise Lead.DoesNotExist
    known = {name: _cut(name, found[name]) for name in CONTACT_FIELDS if found.get(name) and name != "linkedin_url"}
    if "phone" in known:
        known["phone_e164"] = e164(known["phone"], country=row.country or known.get("country", ""))
    if changed := fill(row, known, origin=Origin.ENRICHMENT):
        row.save(update_fields=[*changed, "provenance", "updated_at"])
    return row


def _cut(name: str, text: str) -> str:
    column = Lead._meta.get_field(name)
    assert isinstance(column, CharField)  # noqa: S101 (all of CONTACT_FIELDS are)
    return text.replace("\x00", "")[: column.max_length]
