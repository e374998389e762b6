"""What is too old goes, and what was erased stays so after a backup was restored."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from accounts.models import Agency
from accounts.reports import Origin
from leads import journal
from leads.erasure import OURSELVES, digest_of, erase, put_stone, report_withdrawal
from leads.models import Lead, LeadReference, Tombstone

BATCH = 100
BY = "retention"
NEVER = datetime.min.replace(tzinfo=UTC)
Stone = tuple[str, str, str]  # of an agency, the provider, the hash of the id


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
    """Make journal and tombstones one again; how much was erased where.

    What the database does not know of is erased again: it was restored from a backup. What the journal does not know of
    is written into it: whoever erased it died before that.
    """
    with journal.held():
        noted, stones = _noted(), _stones()
        known = {agency.pk: agency for agency in Agency.objects.all()}
        missing: dict[str, dict[tuple[str, str], datetime]] = {}
        for stone, at in noted.items():
            agency_id, provider, digest = stone
            if agency_id in known and at > stones.get(stone, NEVER):
                missing.setdefault(agency_id, {})[provider, digest] = at
        erased: Counter[str] = Counter()
        for agency_id, gone in missing.items():
            erased.update(_erase_again(known[agency_id], gone))
            for (provider, digest), at in gone.items():  # at last: until then nothing counts as done
                put_stone(known[agency_id], provider=provider, digest=digest, at=at)
        unnoted = {stone: at for stone, at in stones.items() if at > noted.get(stone, NEVER)}
        if unnoted:
            journal.append(journal.Line(*stone, at) for stone, at in unnoted.items())
    return erased


def _noted() -> dict[Stone, datetime]:
    found: dict[Stone, datetime] = {}
    for line in journal.lines():
        stone = line.agency_id, line.provider, line.digest
        found[stone] = max(line.erased_at, found.get(stone, NEVER))
    return found


def _stones() -> dict[Stone, datetime]:
    rows = Tombstone.objects.values_list("agency_id", "provider", "digest", "erased_at")
    return {(agency_id, provider, digest): at for agency_id, provider, digest, at in rows.iterator(2000)}


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
