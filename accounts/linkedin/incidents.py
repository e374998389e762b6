"""Group many outages at once into incidents, report each incident once, and close those that are over.

Outages belong together by when they happened (`at`). All mail about an outage waits for `ALERT_DELAY` from when
Leadline learned of it (`noted_at`), because by then it is known whether one account is down or many are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import sentences
from accounts.core.enums import AccountStatus, EventType, IncidentCause
from accounts.core.sentences import stored
from accounts.core.wording import Sentence
from accounts.events import outbox as events
from accounts.linkedin.outages import PROBLEM_TIMEOUT
from accounts.models import Agency, Incident, IncidentStep, Outage

ALERT_DELAY = timedelta(seconds=60)
WINDOW = timedelta(minutes=5)
MIN_AGENCY_OUTAGES = 3  # accounts of one agency within WINDOW make an incident
MIN_PROVIDER_OUTAGES = 5  # accounts of one provider within WINDOW,
MIN_AGENCIES = 3  # at so many agencies, make an incident of the provider
MAX_IDS = 200  # accounts that the body of an event names
BATCH = 2000


def update_incidents() -> None:
    """Group new outages, report those that waited, and close incidents whose accounts are back. Idempotent."""
    if Outage.objects.filter(pending=True).exists():
        _group_pending_outages()
    if Incident.objects.filter(closed_at__isnull=True).exists():
        _update_open_incidents()


def probable_cause(outages: Iterable[Outage], *, across_agencies: bool) -> IncidentCause:
    """Return the cause that most of the outages point to. Across agencies passwords are no likely cause."""
    outages = list(outages)
    counted = Counter(outage.cause for outage in outages)
    if counted[IncidentCause.PROXY] * 2 >= len(outages):
        return IncidentCause.PROXY
    if across_agencies:
        return IncidentCause.PROVIDER
    if counted[IncidentCause.PASSWORD] * 2 > len(outages):
        return IncidentCause.PASSWORD
    return IncidentCause.PROVIDER if len({outage.provider for outage in outages}) == 1 else IncidentCause.UNKNOWN


@transaction.atomic
def _group_pending_outages() -> None:
    now = timezone.now()
    # Every process locks all of them, oldest first, so that two cannot make two incidents of one.
    pending = Outage.objects.filter(pending=True).order_by("id").select_for_update(of=("self",))
    outages = list(pending.select_related("account__sub_account", "agency")[:BATCH])
    ongoing = sorted((outage for outage in outages if outage.back_at is None), key=lambda outage: outage.at)
    for rows in _group_by(ongoing, "agency_id").values():
        for near in _split_at_gaps(rows):
            _group_agency(near)
    for rows in _group_by(ongoing, "provider").values():
        for near in _split_at_gaps(rows):
            _group_provider(near)
    for outage in outages:
        mere_problem = outage.status == AccountStatus.ACTIVE
        alone = outage.back_at is None and outage.incident_id is None
        if alone and not mere_problem and outage.alerted_at is None and outage.noted_at + ALERT_DELAY <= now:
            _alert_staff(outage.agency, subject=outage.account_id, **events.account_fields(outage.account))
            outage.alerted_at = now
        is_final = (outage.alerted_at is not None or mere_problem) and outage.noted_at + WINDOW < now
        outage.pending = alone and not is_final
    Outage.objects.bulk_update(outages, ["alerted_at", "pending"])


def _group_agency(outages: Sequence[Outage]) -> None:
    """Add an agency's new outages, oldest first, to its open incident. Open an incident where FEW are near each
    other."""
    agency = outages[0].agency
    incident = _nearby_incident(agency.incidents.all(), outages)
    joining: list[Outage] = []
    alone: list[Outage] = []
    latest = incident.last_outage_at if incident else None
    for outage in outages:
        if latest is None or outage.at - latest > WINDOW:
            alone.append(outage)
            if len(alone) < MIN_AGENCY_OUTAGES or outage.at - alone[-MIN_AGENCY_OUTAGES].at > WINDOW:
                continue
            _add_to_incident(joining, incident, agency)
            incident, joining, alone = None, alone[-MIN_AGENCY_OUTAGES:], alone[:-MIN_AGENCY_OUTAGES]
        else:
            joining.append(outage)
        latest = max(latest or outage.at, outage.at)
    _add_to_incident(joining, incident, agency)


def _group_provider(outages: Sequence[Outage]) -> None:
    """Make an incident across agencies of many outages of one provider. Each agency's incident becomes a part of it."""
    provider, latest = outages[0].provider, outages[-1].at
    around = Outage.objects.filter(
        provider=provider, at__gte=latest - WINDOW, at__lte=latest, back_at__isnull=True, expected=False
    )
    provider_incident = _nearby_incident(Incident.objects.filter(agency__isnull=True, provider=provider), outages)
    if provider_incident is None:
        totals = around.aggregate(accounts=Count("pk"), agencies=Count("agency", distinct=True))
        if totals["accounts"] < MIN_PROVIDER_OUTAGES or totals["agencies"] < MIN_AGENCIES:
            return
        provider_incident = _open_incident(list(around.order_by("at")), agency=None, part_of=None)
    elif provider_incident.last_outage_at < latest:
        provider_incident.last_outage_at = latest
        provider_incident.save(update_fields=["last_outage_at"])
    alone = [outage for outage in outages if outage.incident_id is None and outage.at >= latest - WINDOW]
    agency_incidents = Incident.objects.filter(closed_at__isnull=True, agency__isnull=False, part_of__isnull=True)
    for incident in agency_incidents.filter(pk__in=around.values("incident")):
        incident.part_of, incident.cause = provider_incident, provider_incident.cause
        incident.save(update_fields=["part_of", "cause"])
        _add_step(incident, sentences.INCIDENT_JOINED())
    for rows in _group_by(alone, "agency_id").values():
        _add_to_incident(
            rows,
            _nearby_incident(provider_incident.parts.filter(agency=rows[0].agency), rows),
            rows[0].agency,
            part_of=provider_incident,
        )


def _add_to_incident(
    outages: Sequence[Outage], incident: Incident | None, agency: Agency, part_of: Incident | None = None
) -> None:
    """Add outages to an incident, or to a new one, which is reported to the agency."""
    if not outages:
        return
    new = incident is None
    incident = incident or _open_incident(outages, agency=agency, part_of=part_of)
    for outage in outages:
        outage.incident = incident
    Outage.objects.filter(pk__in=[outage.pk for outage in outages]).update(incident=incident)
    if new:
        _record_incident(incident, [outage.account_id for outage in outages])
        return
    everyone = list(incident.outages.only("provider", "cause"))
    cause = incident.part_of.cause if incident.part_of else probable_cause(everyone, across_agencies=False)
    _add_step(incident, sentences.INCIDENT_GREW(count=len(outages)))
    changed = cause != incident.cause
    incident.cause, incident.provider = cause, _common_value(outage.provider for outage in everyone)
    incident.opened_at = min(incident.opened_at, *(outage.at for outage in outages))
    incident.last_outage_at = max(incident.last_outage_at, *(outage.at for outage in outages))
    incident.save(update_fields=["cause", "provider", "opened_at", "last_outage_at"])
    if changed:
        _add_step(incident, sentences.INCIDENT_CAUSE_CHANGED(cause=str(cause)))


def _nearby_incident(incidents: QuerySet[Incident], outages: Sequence[Outage]) -> Incident | None:
    """Return the open incident that happened within WINDOW before or after the outages (oldest first)."""
    near = incidents.filter(
        closed_at__isnull=True, last_outage_at__gte=outages[0].at - WINDOW, opened_at__lte=outages[-1].at + WINDOW
    )
    return near.select_for_update(of=("self",)).order_by("-id").first()


def _split_at_gaps(outages: Sequence[Outage]) -> Iterator[list[Outage]]:
    """Split outages, oldest first, at gaps longer than WINDOW."""
    group: list[Outage] = []
    for outage in outages:
        if group and outage.at - group[-1].at > WINDOW:
            yield group
            group = []
        group.append(outage)
    if group:
        yield group


def _open_incident(outages: Sequence[Outage], *, agency: Agency | None, part_of: Incident | None) -> Incident:
    incident = Incident.objects.create(
        agency=agency,
        part_of=part_of,
        provider=_common_value(outage.provider for outage in outages),
        cause=part_of.cause if part_of else probable_cause(outages, across_agencies=agency is None),
        opened_at=min(outage.at for outage in outages),
        last_outage_at=max(outage.at for outage in outages),
    )
    _add_step(incident, opening_sentence(outages, across_agencies=agency is None))
    return incident


def opening_sentence(outages: Sequence[Outage], *, across_agencies: bool) -> Sentence:
    """Return the sentence about how many accounts dropped together."""
    numbers = {"count": len(outages), "minutes": WINDOW.seconds // 60}
    if not across_agencies:
        return sentences.INCIDENT_OPENED(**numbers)
    return sentences.INCIDENT_OPENED_AT_AGENCIES(**numbers, agencies=len({outage.agency_id for outage in outages}))


@transaction.atomic
def _update_open_incidents() -> None:
    """Alert staff about incidents whose wait is over. Close incidents without an account that is down."""
    now = timezone.now()
    mere_problem = Outage.objects.filter(
        status=AccountStatus.ACTIVE, back_at__isnull=True, last_at__lt=now - PROBLEM_TIMEOUT
    )
    mere_problem.filter(incident__isnull=False).update(back_at=now)
    down = Outage.objects.filter(Q(incident=OuterRef("pk")) | Q(incident__part_of=OuterRef("pk")), back_at__isnull=True)
    due = Q(alerted_at__isnull=True, part_of__isnull=True, waited=True)
    waiting = Incident.objects.filter(closed_at__isnull=True).annotate(
        is_down=Exists(down), waited=Exists(down.filter(noted_at__lte=now - ALERT_DELAY))
    )
    waiting = waiting.filter(due | Q(is_down=False)).select_for_update(of=("self",)).select_related("agency")
    for incident in waiting.order_by("id"):
        if incident.is_down:
            incident.alerted_at = now
            incident.save(update_fields=["alerted_at"])
            _alert_staff_about(incident)
            _add_step(incident, sentences.INCIDENT_STAFF_ALERTED())
        else:
            _close_incident(incident, now)


def _close_incident(incident: Incident, now: datetime) -> None:
    incident.closed_at = now
    incident.save(update_fields=["closed_at"])
    _add_step(incident, sentences.INCIDENT_CLOSED())
    if incident.agency_id:
        _record_incident(incident, [])
    if incident.alerted_at:
        _alert_staff_about(incident)


def _record_incident(incident: Incident, account_ids: Sequence[str]) -> None:
    """Record one event at the beginning and, with a count of zero, one at the end."""
    assert incident.agency is not None  # noqa: S101 (callers check this)
    events.record_event(
        incident.agency,
        EventType.ACCOUNTS_INCIDENT,
        subject=incident.id,
        occurred_at=incident.closed_at or incident.opened_at,
        incident_id=incident.id,
        cause=str(incident.cause),
        count=len(account_ids),
        account_ids=list(account_ids[:MAX_IDS]),
        provider=incident.provider,
    )


def _alert_staff_about(incident: Incident) -> None:
    """Record an alert with the incident's agency, or with the agency that a provider's incident hit first."""
    first = Outage.objects.filter(incident__part_of=incident).select_related("agency").order_by("id").first()
    agency = incident.agency or (first.agency if first else None)
    if agency is not None:
        count = 0 if incident.closed_at else 1
        _alert_staff(agency, subject=incident.id, incident_id=incident.id, cause=str(incident.cause), count=count)


def _alert_staff(agency: Agency, *, subject: str, **fields: Any) -> None:
    events.record_event(agency, EventType.STAFF_ALERT, subject=subject, **fields)


def _add_step(incident: Incident, sentence: Sentence) -> None:
    IncidentStep.objects.create(incident=incident, text=sentence, sentence=stored(sentence))


def _group_by(outages: Iterable[Outage], name: str) -> dict[str, list[Outage]]:
    found: defaultdict[str, list[Outage]] = defaultdict(list)
    for outage in outages:
        found[getattr(outage, name)].append(outage)
    return found


def _common_value(words: Iterable[str]) -> str:
    """Return the word that all are, or an empty text if they differ."""
    found = set(words)
    return found.pop() if len(found) == 1 else ""
