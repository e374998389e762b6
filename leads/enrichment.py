"""Enrichment that can be plugged in: whoever knows more of a lead fills what is empty, and says so.

An enricher is a callable that takes a lead and answers contact fields by name; `register` it when its app is ready. It
may use the network, so it is called outside any transaction; one that fails holds up neither the lead nor the others.
"""

from collections.abc import Callable, Mapping

import structlog
from django.db import transaction

from leads.models import Lead
from leads.provenance import CONTACT_FIELDS, Origin, fill

log = structlog.get_logger(__name__)

Enricher = Callable[[Lead], Mapping[str, str]]
_enrichers: list[Enricher] = []


def register(enricher: Enricher) -> Enricher:
    _enrichers.append(enricher)
    return enricher


def enrich(lead: Lead) -> list[str]:
    """Ask every enricher; the fields that were filled. What anybody said before stays."""
    filled: list[str] = []
    for enricher in _enrichers:
        try:
            found = enricher(lead)
        except Exception as error:
            log.warning("An enricher failed.", lead=lead.pk, error=type(error).__name__)
            continue
        filled += _put_in(lead, found)
    return filled


@transaction.atomic
def _put_in(lead: Lead, found: Mapping[str, str]) -> list[str]:
    row = Lead.objects.select_for_update().filter(pk=lead.pk).first()
    if row is None:  # erased meanwhile
        return []
    known = {name: value for name, value in found.items() if name in CONTACT_FIELDS and name != "linkedin_url"}
    changed = fill(row, known, origin=Origin.SCRAPE)
    if changed:
        row.save(update_fields=[*changed, "provenance", "updated_at"])
    return changed
