"""Retention: what is older than RETENTION_DAYS goes, batch by batch; erasures that a backup undid are done again."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, connections
from django.db.models import Model
from django.utils import timezone

from accounts.models import Event, Heartbeat
from accounts.reauth import recipients
from accounts.tasks import beat
from leads.privacy import retention
from webhooks.models import Receipt, RejectedRequest

log = structlog.get_logger(__name__)

PURGE = "purge"
EVERY = timedelta(hours=24)
OVERDUE = timedelta(hours=26)
BATCH = 500
Alive = Callable[[], None]


def purge(alive: Alive = lambda: None) -> dict[str, Any]:
    """Everything that is due; how much was erased where. `alive` is called now and then: the caller is not stuck."""
    cutoff = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    erased: Counter[str] = retention.replay()
    erased.update(retention.erase_older_than(cutoff, alive))
    erased["receipts"] += _old_ones(Receipt, "pk", lambda row: row.received_at, cutoff, alive)
    erased["events"] += _old_ones(Event, "pk", lambda row: row.occurred_at, cutoff, alive)
    erased["rejected requests"] += RejectedRequest.objects.filter(last_seen__lt=cutoff).delete()[0]
    erased["addresses without mail"] += recipients.forget(cutoff)
    beat(PURGE)
    return {"older_than": cutoff.isoformat(), "erased": {place: count for place, count in erased.items() if count}}


def catch_up() -> bool:
    """Before a process serves or works: erase again who was erased since the backup that the database may have been
    restored from. Whether the database answered."""
    try:
        if erased := retention.replay(whole=False):
            log.warning("Erased again what a backup had brought back.", **erased)
    except Error as error:
        log.warning("Erasures wait for the database.", error=type(error).__name__)
        return False
    except OSError as error:
        log.error("The erasure journal cannot be used: see manage.py doctor.", error=str(error))
    finally:
        connections.close_all()
    return True


def purge_if_due(alive: Alive = lambda: None) -> None:
    last = Heartbeat.objects.filter(name=PURGE).values_list("at", flat=True).first()
    if last is None or timezone.now() - last >= EVERY:
        purge(alive)


def is_overdue() -> bool:
    """Whether retention ran once and has stopped running."""
    last = Heartbeat.objects.filter(name=PURGE).values_list("at", flat=True).first()
    return last is not None and timezone.now() - last > OVERDUE


def _old_ones(model: type[Model], order: str, when: Callable[[Any], datetime], cutoff: datetime, alive: Alive) -> int:
    """Delete from the oldest key on, until one is young enough: keys follow time, so no index on a time is needed."""
    deleted = 0
    while True:
        rows = list(model._default_manager.order_by(order)[:BATCH])
        doomed = [row.pk for row in rows if when(row) < cutoff]
        model._default_manager.filter(pk__in=doomed).delete()
        alive()
        deleted += len(doomed)
        if len(doomed) < BATCH:
            return deleted
