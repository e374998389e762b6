"""Incidents: many drops at once are one matter. `watch` groups them, tells of them once, and closes what is over.

Drops belong together by when they happened (`at`). Everybody's mail about a drop waits `WAIT` from when we learned of
it (`noted_at`): by then it is known whether it is one account's trouble or everybody's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.core.enums import AccountStatus, EventType, IncidentCause
from accounts.events import outbox as events
from accounts.linkedin.outages import QUIET
from accounts.models import Agency, Drop, Incident, IncidentStep

WAIT = timedelta(seconds=60)
WINDOW = timedelta(minutes=5)
FEW = 3  # accounts of one agency within WINDOW are an incident,
MANY = 5  # and so many of one provider,
AGENCIES = 3  # at so many agencies, are the provider's
MAX_IDS = 200  # accounts that a body names
BATCH = 2000


def watch() -> None:
    """Take up new drops, tell of those whose wait is over, and close incidents whose accounts are back. Idempotent."""
    if Drop.objects.filter(watched=True).exists():
        _take_up()
    if Incident.objects.filter(closed_at__isnull=True).exists():
        _look_after()


def probable_cause(drops: Iterable[Drop], *, across_agencies: bool) -> IncidentCause:
    """What most of them point to. At many agencies at once it is no matter of passwords."""
    drops = list(drops)
    counted = Counter(drop.cause for drop in drops)
    if counted[IncidentCause.PROXY] * 2 >= len(drops):
        return IncidentCause.PROXY
    if across_agencies:
        return IncidentCause.PROVIDER
    if counted[IncidentCause.PASSWORD] * 2 > len(drops):
        return IncidentCause.PASSWORD
    return IncidentCause.PROVIDER if len({drop.provider for drop in drops}) == 1 else IncidentCause.UNKNOWN


@transaction.atomic
def _take_up() -> None:
    now = timezone.now()
    # Everybody locks all of them, oldest first: two watchers cannot make two incidents of one.
    watched = Drop.objects.filter(watched=True).order_by("id").select_for_update(of=("self",))
    drops = list(watched.select_related("account__sub_account", "agency")[:BATCH])
    standing = sorted((drop for drop in drops if drop.back_at is None), key=lambda drop: drop.at)
    for rows in _by(standing, "agency_id").values():
        for near in _near_each_other(rows):
            _group_agency(near)
    for rows in _by(standing, "provider").values():
        for near in _near_each_other(rows):
            _group_provider(near)
    for drop in drops:
        trouble = drop.status == AccountStatus.ACTIVE
        alone = drop.back_at is None and drop.incident_id is None
        if alone and not trouble and drop.told_at is None and drop.noted_at + WAIT <= now:
            _tell_staff(drop.agency, subject=drop.account_id, **events.account_fields(drop.account))
            drop.told_at = now
        settled = (drop.told_at is not None or trouble) and drop.noted_at + WINDOW < now
        drop.watched = alone and not settled
    Drop.objects.bulk_update(drops, ["told_at", "watched"])


def _group_agency(drops: Sequence[Drop]) -> None:
    """Add an agency's new drops, oldest first, to its open incident, or open one where FEW are near each other."""
    agency = drops[0].agency
    incident = _near(agency.incidents.all(), drops)
    joining: list[Drop] = []
    alone: list[Drop] = []
    latest = incident.last_drop_at if incident else None
    for drop in drops:
        if latest is None or drop.at - latest > WINDOW:
            alone.append(drop)
            if len(alone) < FEW or drop.at - alone[-FEW].at > WINDOW:
                continue
            _admit(joining, incident, agency)
            incident, joining, alone = None, alone[-FEW:], alone[:-FEW]
        else:
            joining.append(drop)
        latest = max(latest or drop.at, drop.at)
    _admit(joining, incident, agency)


def _group_provider(drops: Sequence[Drop]) -> None:
    """Many of one provider across agencies: each agency's incident, made if there is none, becomes part of one."""
    provider, latest = drops[0].provider, drops[-1].at
    around = Drop.objects.filter(
        provider=provider, at__gte=latest - WINDOW, at__lte=latest, back_at__isnull=True, expected=False
    )
    outage = _near(Incident.objects.filter(agency__isnull=True, provider=provider), drops)
    if outage is None:
        found = around.aggregate(accounts=Count("pk"), agencies=Count("agency", distinct=True))
        if found["accounts"] < MANY or found["agencies"] < AGENCIES:
            return
        outage = _open(list(around.order_by("at")), agency=None, part_of=None)
    elif outage.last_drop_at < latest:
        outage.last_drop_at = latest
        outage.save(update_fields=["last_drop_at"])
    alone = [drop for drop in drops if drop.incident_id is None and drop.at >= latest - WINDOW]
    mine = Incident.objects.filter(closed_at__isnull=True, agency__isnull=False, part_of__isnull=True)
    for incident in mine.filter(pk__in=around.values("incident")):
        incident.part_of, incident.cause = outage, outage.cause
        incident.save(update_fields=["part_of", "cause"])
        _note(incident, "It is part of an outage of the provider across agencies.")
    for rows in _by(alone, "agency_id").values():
        _admit(rows, _near(outage.parts.filter(agency=rows[0].agency), rows), rows[0].agency, part_of=outage)


def _admit(drops: Sequence[Drop], incident: Incident | None, agency: Agency, part_of: Incident | None = None) -> None:
    """Make drops part of an incident: of this one, or of a new one that the agency is told of."""
    if not drops:
        return
    new = incident is None
    incident = incident or _open(drops, agency=agency, part_of=part_of)
    for drop in drops:
        drop.incident = incident
    Drop.objects.filter(pk__in=[drop.pk for drop in drops]).update(incident=incident)
    if new:
        _tell_agency(incident, [drop.account_id for drop in drops])
        return
    everyone = list(incident.drops.only("provider", "cause"))
    cause = incident.part_of.cause if incident.part_of else probable_cause(everyone, across_agencies=False)
    _note(incident, f"{_accounts(len(drops))} more dropped.")
    changed = cause != incident.cause
    incident.cause, incident.provider = cause, _only(drop.provider for drop in everyone)
    incident.opened_at = min(incident.opened_at, *(drop.at for drop in drops))
    incident.last_drop_at = max(incident.last_drop_at, *(drop.at for drop in drops))
    incident.save(update_fields=["cause", "provider", "opened_at", "last_drop_at"])
    if changed:
        _note(incident, f"The probable cause is now: {incident.get_cause_display()}.")


def _near(incidents: QuerySet[Incident], drops: Sequence[Drop]) -> Incident | None:
    """Return the open incident that happened not longer than WINDOW before or after the drops (oldest first)."""
    near = incidents.filter(
        closed_at__isnull=True, last_drop_at__gte=drops[0].at - WINDOW, opened_at__lte=drops[-1].at + WINDOW
    )
    return near.select_for_update(of=("self",)).order_by("-id").first()


def _near_each_other(drops: Sequence[Drop]) -> Iterator[list[Drop]]:
    """Split drops, oldest first, where nothing happened for longer than WINDOW."""
    group: list[Drop] = []
    for drop in drops:
        if group and drop.at - group[-1].at > WINDOW:
            yield group
            group = []
        group.append(drop)
    if group:
        yield group


def _open(drops: Sequence[Drop], *, agency: Agency | None, part_of: Incident | None) -> Incident:
    incident = Incident.objects.create(
        agency=agency,
        part_of=part_of,
        provider=_only(drop.provider for drop in drops),
        cause=part_of.cause if part_of else probable_cause(drops, across_agencies=agency is None),
        opened_at=min(drop.at for drop in drops),
        last_drop_at=max(drop.at for drop in drops),
    )
    where = "" if agency else f" at {len({drop.agency_id for drop in drops})} agencies"
    _note(incident, f"Opened: {_accounts(len(drops))} dropped{where} within {WINDOW.seconds // 60} minutes.")
    return incident


@transaction.atomic
def _look_after() -> None:
    """Tell staff of incidents whose wait is over; close those of which no account is down any more."""
    now = timezone.now()
    trouble = Drop.objects.filter(status=AccountStatus.ACTIVE, back_at__isnull=True, last_at__lt=now - QUIET)
    trouble.filter(incident__isnull=False).update(back_at=now)
    down = Drop.objects.filter(Q(incident=OuterRef("pk")) | Q(incident__part_of=OuterRef("pk")), back_at__isnull=True)
    due = Q(told_at__isnull=True, part_of__isnull=True, waited=True)
    waiting = Incident.objects.filter(closed_at__isnull=True).annotate(
        is_down=Exists(down), waited=Exists(down.filter(noted_at__lte=now - WAIT))
    )
    waiting = waiting.filter(due | Q(is_down=False)).select_for_update(of=("self",)).select_related("agency")
    for incident in waiting.order_by("id"):
        if incident.is_down:
            incident.told_at = now
            incident.save(update_fields=["told_at"])
            _tell_staff_of(incident)
            _note(incident, "Staff was told.")
        else:
            _close(incident, now)


def _close(incident: Incident, now: datetime) -> None:
    incident.closed_at = now
    incident.save(update_fields=["closed_at"])
    _note(incident, "Closed: none of its accounts is down any more.")
    if incident.agency_id:
        _tell_agency(incident, [])
    if incident.told_at:
        _tell_staff_of(incident)


def _tell_agency(incident: Incident, account_ids: Sequence[str]) -> None:
    """One event at the beginning and, with a count of zero, one at the end."""
    assert incident.agency is not None  # noqa: S101 (asked by the callers)
    events.record(
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


def _tell_staff_of(incident: Incident) -> None:
    """Recorded with the agency; for an outage, with the one that it hit first."""
    first = Drop.objects.filter(incident__part_of=incident).select_related("agency").order_by("id").first()
    agency = incident.agency or (first.agency if first else None)
    if agency is not None:
        count = 0 if incident.closed_at else 1
        _tell_staff(agency, subject=incident.id, incident_id=incident.id, cause=str(incident.cause), count=count)


def _tell_staff(agency: Agency, *, subject: str, **fields: Any) -> None:
    events.record(agency, EventType.STAFF_ALERT, subject=subject, **fields)


def _note(incident: Incident, text: str) -> None:
    IncidentStep.objects.create(incident=incident, text=text)


def _by(drops: Iterable[Drop], name: str) -> dict[str, list[Drop]]:
    found: defaultdict[str, list[Drop]] = defaultdict(list)
    for drop in drops:
        found[getattr(drop, name)].append(drop)
    return found


def _only(words: Iterable[str]) -> str:
    """The word that all are; empty if they differ."""
    found = set(words)
    return found.pop() if len(found) == 1 else ""


def _accounts(count: int) -> str:
    return f"{count} account{'' if count == 1 else 's'}"
