"""What is too old goes, and what was erased stays so after a backup was restored."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from accounts.models import Agency
from accounts.reports import Origin
from leads import journal
from leads.erasure import OURSELVES, digest_of, erase, put_stone, report_withdrawal
from leads.models import Lead, LeadReference

BATCH = 100
BY = "retention"


def erase_older_than(cutoff: datetime, alive: Callable[[], None] = lambda: None) -> Counter[str]:
    """Erase the leads that came and last changed before `cutoff`; how much was erased where."""
    erased: Counter[str] = Counter()
    old = Lead.objects.filter(received_at__lt=cutoff, status_since__lt=cutoff).select_related("agency")
    while leads := list(old.order_by("received_at")[:BATCH]):
        for lead in leads:
            erased.update(erase(lead, origin=Origin(by=BY, at=max(lead.status_since, lead.received_at))))
        alive()
    return erased


def replay() -> Counter[str]:
    """Erase again what was erased, where the database does not know of it: it was restored from a backup."""
    erased: Counter[str] = Counter()
    missing: dict[str, dict[tuple[str, str], datetime]] = {}
    known = {agency.pk: agency for agency in Agency.objects.all()}
    for line in journal.lines():
        agency = known.get(line.agency_id)
        if agency and put_stone(agency, provider=line.provider, digest=line.digest, at=line.erased_at):
            missing.setdefault(agency.pk, {})[line.provider, line.digest] = line.erased_at
    for agency_id, stones in missing.items():
        erased.update(_erase_again(known[agency_id], stones))
    return erased


def _erase_again(agency: Agency, stones: dict[tuple[str, str], datetime]) -> Counter[str]:
    erased: Counter[str] = Counter()
    references = LeadReference.objects.filter(agency=agency).order_by("pk").values_list("provider", "external_id")
    for provider, external_id in list(references):
        at = stones.get((provider, digest_of(agency, external_id)))
        if at and _gone(agency, provider, external_id, at):
            erased["leads"] += 1
    for lead in Lead.objects.filter(agency=agency).select_related("agency").iterator(500):
        at = stones.get((OURSELVES, digest_of(agency, lead.pk)))
        if at and lead.received_at <= at:
            erased.update(erase(lead, origin=Origin(by=BY, at=at)))
    return erased


def _gone(agency: Agency, provider: str, external_id: str, at: datetime) -> bool:
    before = LeadReference.objects.filter(agency=agency, provider=provider, external_id=external_id)
    if not before.exists():
        return False
    origin = Origin(by=BY, at=at)
    return report_withdrawal(agency, provider=provider, external_id=external_id, origin=origin) is None
