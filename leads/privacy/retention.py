"""Erase inactive leads, and erase leads again that a restored backup brought back."""

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
from leads.pipeline.matching import digest_of
from leads.pipeline.tombstones import OWN_PROVIDER, add_tombstone
from leads.privacy import erasure_log
from leads.privacy.erasure import erase_lead, report_withdrawal

log = structlog.get_logger(__name__)

BATCH = 20
TOMBSTONES_PER_BATCH = 500
ORIGIN_NAME = "retention"
NEVER = datetime.min.replace(tzinfo=UTC)
TombstoneKey = tuple[str, str, str]  # agency id, provider, hash of the provider's id
#: Returns which of these leads have events or deliveries that still wait and are not much older than a time.
PendingSubjects = Callable[[Collection[str], datetime], set[str]]


def inactive_leads(cutoff: datetime) -> QuerySet[Lead]:
    """Return the leads without a report or a change by a person since `cutoff`, by our own clock."""
    return Lead.objects.filter(updated_at__lt=cutoff)


def erase_inactive_leads(position: str, cutoff: datetime, pending_subjects: PendingSubjects) -> Iterator[Progress]:
    """Erase the leads that were inactive since `cutoff`, each in a transaction of its own.

    A lead with pending events or deliveries stays. A lead whose erasure fails is reported, and the others go on.
    """
    begun, _, after = position.partition(" ")
    for agency_id in Agency.objects.filter(pk__gte=begun).order_by("pk").values_list("pk", flat=True):
        while pks := _next_inactive(agency_id, after, cutoff):
            spared = pending_subjects(pks, cutoff)
            for pk, at in pks.items():
                after = f"{at.isoformat()} {pk}"
                position = f"{agency_id} {after}"
                yield Progress(position) if pk in spared else _erase_or_report(pk, cutoff, position)
        after = ""


def _next_inactive(agency_id: str, after: str, cutoff: datetime) -> dict[str, datetime]:
    """Return the next inactive leads with their time of change, the longest inactive first."""
    leads = inactive_leads(cutoff).filter(agency=agency_id)
    if after:
        at, pk = after.split(" ")
        leads = leads.filter(Q(updated_at__gt=at) | Q(pk__gt=pk), updated_at__gte=at)
    return dict(leads.order_by("updated_at", "pk").values_list("pk", "updated_at")[:BATCH])


def _erase_or_report(pk: str, cutoff: datetime, position: str) -> Progress:
    try:
        return Progress(position, Counter(_erase_if_inactive(pk, cutoff)))
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A lead could not be erased for its age.", lead_id=pk)
        return Progress(position, failure=f"{pk}: {type(error).__name__}")


@transaction.atomic
def _erase_if_inactive(pk: str, cutoff: datetime) -> dict[str, int]:
    """Erase a lead unless it changed meanwhile or another transaction holds it.

    Its tombstone has the time of the latest report, so a later report creates the lead anew.
    """
    rows = Lead.objects.select_for_update(of=("self",), skip_locked=True).select_related("agency")
    lead = rows.filter(pk=pk, updated_at__lt=cutoff).first()
    if lead is None:
        return {}
    latest = lead.changes.aggregate(at=Max("occurred_at"))["at"] or lead.received_at
    return erase_lead(
        lead, origin=Origin(by=ORIGIN_NAME, at=max(latest, lead.status_since, lead.received_at)), by_age=True
    )


def replay_erasure_log(*, whole: bool = True) -> Counter[str]:
    """Make the erasure log and the tombstones agree. Return how many rows were erased where.

    A logged erasure that the database lacks is repeated: the database was restored from a backup. A backup lacks the
    newest lines, so without `whole` the log is read backwards only up to a line that the database knows. An erasure
    that the log lacks is appended: its process died before it could.
    """
    with erasure_log.exclusive_lock():
        erased: Counter[str] = Counter()
        agencies = {agency.pk: agency for agency in Agency.objects.all()}
        missing = _missing_tombstones(agencies, whole=whole)
        for agency_id in {agency_id for agency_id, _, _ in missing}:
            missing_for_agency = {
                (provider, digest): at for (its, provider, digest), at in missing.items() if its == agency_id
            }
            erased.update(_erase_again(agencies[agency_id], missing_for_agency))
        # Last, and the newest last of all: a replay that breaks off before this is done again in full.
        oldest_first = list(reversed(missing.items()))
        for start in range(0, len(oldest_first), TOMBSTONES_PER_BATCH):
            _add_tombstones(agencies, dict(oldest_first[start : start + TOMBSTONES_PER_BATCH]))
        if whole:
            logged = _latest_times(erasure_log.read_lines())
            known_times = _erasure_times(Tombstone.objects.all()).items()
            erasure_log.append_lines(
                erasure_log.Line(*key, at) for key, at in known_times if at > logged.get(key, NEVER)
            )
    return erased


def _missing_tombstones(agencies: Collection[str], *, whole: bool) -> dict[TombstoneKey, datetime]:
    """Return what the log holds of these agencies and the database lacks, the newest block of lines first."""
    found: dict[TombstoneKey, datetime] = {}
    for lines in erasure_log.read_blocks():
        logged = _latest_times(line for line in lines if line.agency_id in agencies)
        digests = {digest for _, _, digest in logged}
        known_times = _erasure_times(Tombstone.objects.filter(agency__in=agencies, digest__in=digests))
        newer = {key: at for key, at in logged.items() if at > known_times.get(key, NEVER)}
        found |= {key: max(at, found.get(key, NEVER)) for key, at in newer.items()}
        if logged and not newer and not whole:
            break
    return found


def _add_tombstones(agencies: Mapping[str, Agency], missing: Mapping[TombstoneKey, datetime]) -> None:
    """Add tombstones in one statement. Move the time of those that exist with an earlier one."""
    Tombstone.objects.bulk_create(
        [
            Tombstone(agency_id=agency_id, provider=provider, digest=digest, erased_at=at)
            for (agency_id, provider, digest), at in missing.items()
        ],
        ignore_conflicts=True,
    )
    digests = {digest for _, _, digest in missing}
    existing = _erasure_times(Tombstone.objects.filter(agency__in=agencies, digest__in=digests))
    for key, at in missing.items():
        if existing.get(key, NEVER) < at:
            agency_id, provider, digest = key
            add_tombstone(agencies[agency_id], provider=provider, digest=digest, at=at)


def _latest_times(lines: Iterable[erasure_log.Line]) -> dict[TombstoneKey, datetime]:
    found: dict[TombstoneKey, datetime] = {}
    for line in lines:
        key = line.agency_id, line.provider, line.digest
        found[key] = max(line.erased_at, found.get(key, NEVER))
    return found


def _erasure_times(tombstones: QuerySet[Tombstone]) -> dict[TombstoneKey, datetime]:
    rows = tombstones.values_list("agency_id", "provider", "digest", "erased_at")
    return {(agency_id, provider, digest): at for agency_id, provider, digest, at in rows.iterator(2000)}


def _erase_again(agency: Agency, erasure_times: dict[tuple[str, str], datetime]) -> Counter[str]:
    erased: Counter[str] = Counter()
    references = LeadReference.objects.filter(agency=agency).order_by("pk").values_list("provider", "external_id")
    for provider, external_id in list(references):
        at = erasure_times.get((provider, digest_of(agency.pk, external_id)))
        if at and _withdraw(agency, provider, external_id, at):
            erased["leads"] += 1
    for lead in Lead.all_records.filter(agency=agency).select_related("agency").iterator(500):
        at = erasure_times.get((OWN_PROVIDER, digest_of(agency.pk, lead.pk)))
        if at and lead.received_at <= at:
            erased.update(erase_lead(lead, origin=Origin(by=ORIGIN_NAME, at=at)))
    return erased


def _withdraw(agency: Agency, provider: str, external_id: str, at: datetime) -> bool:
    before = LeadReference.objects.filter(agency=agency, provider=provider, external_id=external_id)
    if not before.exists():
        return False
    origin = Origin(by=ORIGIN_NAME, at=at)
    return report_withdrawal(agency, provider=provider, external_id=external_id, origin=origin) is None
