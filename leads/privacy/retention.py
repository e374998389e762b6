"""What is too old goes, and what was erased stays so after a backup was restored."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime

from django.db.models import QuerySet

from accounts.events.ordering import Origin
from accounts.models import Agency
from leads.models import Lead, LeadReference, Tombstone
from leads.privacy import erasure_log
from leads.privacy.erasure import OURSELVES, digest_of, erase, put_stone, report_withdrawal

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


def replay(*, whole: bool = True) -> Counter[str]:
    """Make journal and tombstones one again; how much was erased where.

    What the database does not know of is erased again: it was restored from a backup. A backup lacks the newest lines,
    so without `whole` the journal is read back only until the database knows it. What the journal does not know of is
    written into it: whoever erased it died before that.
    """
    with erasure_log.held():
        erased: Counter[str] = Counter()
        agencies = {agency.pk: agency for agency in Agency.objects.all()}
        missing = _missing(agencies, whole=whole)
        for agency_id in {agency_id for agency_id, _, _ in missing}:
            gone = {(provider, digest): at for (its, provider, digest), at in missing.items() if its == agency_id}
            erased.update(_erase_again(agencies[agency_id], gone))
        for (agency_id, provider, digest), at in reversed(missing.items()):  # at last, and the newest last of all:
            put_stone(agencies[agency_id], provider=provider, digest=digest, at=at)  # until then nothing is done
        if whole:
            noted = _newest(erasure_log.lines())
            stones = _stones(Tombstone.objects.all()).items()
            erasure_log.append(erasure_log.Line(*stone, at) for stone, at in stones if at > noted.get(stone, NEVER))
    return erased


def _missing(agencies: Collection[str], *, whole: bool) -> dict[Stone, datetime]:
    """What the journal says of these agencies and the database does not, the newest block of lines first."""
    found: dict[Stone, datetime] = {}
    for lines in erasure_log.blocks():
        noted = _newest(line for line in lines if line.agency_id in agencies)
        digests = {digest for _, _, digest in noted}
        stones = _stones(Tombstone.objects.filter(agency__in=agencies, digest__in=digests))
        news = {stone: at for stone, at in noted.items() if at > stones.get(stone, NEVER)}
        found |= {stone: max(at, found.get(stone, NEVER)) for stone, at in news.items()}
        if noted and not news and not whole:
            break
    return found


def _newest(lines: Iterable[erasure_log.Line]) -> dict[Stone, datetime]:
    found: dict[Stone, datetime] = {}
    for line in lines:
        stone = line.agency_id, line.provider, line.digest
        found[stone] = max(line.erased_at, found.get(stone, NEVER))
    return found


def _stones(tombstones: QuerySet[Tombstone]) -> dict[Stone, datetime]:
    rows = tombstones.values_list("agency_id", "provider", "digest", "erased_at")
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
