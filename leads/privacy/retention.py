"""Erasure of leads that nothing was heard of for long, and again of those that a restored backup brought back."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime

import structlog
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from accounts.core.connections import is_outage
from accounts.events.ordering import Origin
from accounts.events.retention import Progress
from accounts.models import Agency
from leads.models import Lead, LeadReference, Tombstone
from leads.pipeline.tombstones import OURSELVES, digest_of, put_tombstone
from leads.privacy import erasure_log
from leads.privacy.erasure import erase, report_withdrawal

log = structlog.get_logger(__name__)

BATCH = 20
TOMBSTONES_AT_ONCE = 500
BY = "retention"
NEVER = datetime.min.replace(tzinfo=UTC)
Stone = tuple[str, str, str]  # of an agency, the provider, the hash of the id
#: Which of some leads something is still to be told of, that was recorded not too long before a time.
Awaited = Callable[[Collection[str], datetime], set[str]]


def inactive_leads(cutoff: datetime) -> QuerySet[Lead]:
    """Return the leads of which nothing was heard since `cutoff`: by our own clock no report, no change by a person."""
    return Lead.objects.filter(updated_at__lt=cutoff)


def erase_inactive_leads(position: str, cutoff: datetime, awaited: Awaited) -> Iterator[Progress]:
    """Erase the leads of which nothing was heard since `cutoff`, each in a transaction of its own.

    Of which something is `awaited` to be told, stays. One that cannot be erased is reported and stops no other.
    """
    begun, _, after = position.partition(" ")
    for agency_id in Agency.objects.filter(pk__gte=begun).order_by("pk").values_list("pk", flat=True):
        while pks := _next_inactive(agency_id, after, cutoff):
            spared = awaited(pks, cutoff)
            for pk, at in pks.items():
                after = f"{at.isoformat()} {pk}"
                position = f"{agency_id} {after}"
                yield Progress(position) if pk in spared else _erase_alone(pk, cutoff, position)
        after = ""


def _next_inactive(agency_id: str, after: str, cutoff: datetime) -> dict[str, datetime]:
    """Return when those were last changed that come next, the longest ago first, by the index of an agency's leads."""
    leads = inactive_leads(cutoff).filter(agency=agency_id)
    if after:
        at, pk = after.split(" ")
        leads = leads.filter(Q(updated_at__gt=at) | Q(pk__gt=pk), updated_at__gte=at)
    return dict(leads.order_by("updated_at", "pk").values_list("pk", "updated_at")[:BATCH])


def _erase_alone(pk: str, cutoff: datetime, position: str) -> Progress:
    try:
        return Progress(position, Counter(_erase_if_inactive(pk, cutoff)))
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A lead could not be erased for its age.", lead_id=pk)
        return Progress(position, failure=f"{pk}: {type(error).__name__}")


@transaction.atomic
def _erase_if_inactive(pk: str, cutoff: datetime) -> dict[str, int]:
    """Erase a lead unless it changed meanwhile, or somebody is changing it.

    Its tombstone is as old as the latest we knew of it: a report of what happened since is news.
    """
    rows = Lead.objects.select_for_update(of=("self",), skip_locked=True).select_related("agency")
    lead = rows.filter(pk=pk, updated_at__lt=cutoff).first()
    if lead is None:
        return {}
    latest = lead.changes.aggregate(at=Max("occurred_at"))["at"] or lead.received_at
    return erase(lead, origin=Origin(by=BY, at=max(latest, lead.status_since, lead.received_at)), by_age=True)


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
        oldest_first = list(
            reversed(missing.items())
        )  # at last, and the newest last of all: until then nothing is done
        for start in range(0, len(oldest_first), TOMBSTONES_AT_ONCE):
            _put_tombstones(agencies, dict(oldest_first[start : start + TOMBSTONES_AT_ONCE]))
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


def _put_tombstones(agencies: Mapping[str, Agency], missing: Mapping[Stone, datetime]) -> None:
    """Put tombstones together; those apart that stand already, for reports up to an earlier time."""
    Tombstone.objects.bulk_create(
        [
            Tombstone(agency_id=agency_id, provider=provider, digest=digest, erased_at=at)
            for (agency_id, provider, digest), at in missing.items()
        ],
        ignore_conflicts=True,
    )
    digests = {digest for _, _, digest in missing}
    standing = _stones(Tombstone.objects.filter(agency__in=agencies, digest__in=digests))
    for stone, at in missing.items():
        if standing.get(stone, NEVER) < at:
            agency_id, provider, digest = stone
            put_tombstone(agencies[agency_id], provider=provider, digest=digest, at=at)


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
        at = stones.get((provider, digest_of(agency.pk, external_id)))
        if at and _gone(agency, provider, external_id, at):
            erased["leads"] += 1
    for lead in Lead.all_records.filter(agency=agency).select_related("agency").iterator(500):
        at = stones.get((OURSELVES, digest_of(agency.pk, lead.pk)))
        if at and lead.received_at <= at:
            erased.update(erase(lead, origin=Origin(by=BY, at=at)))
    return erased


def _gone(agency: Agency, provider: str, external_id: str, at: datetime) -> bool:
    before = LeadReference.objects.filter(agency=agency, provider=provider, external_id=external_id)
    if not before.exists():
        return False
    origin = Origin(by=BY, at=at)
    return report_withdrawal(agency, provider=provider, external_id=external_id, origin=origin) is None
