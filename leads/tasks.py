"""Wake-ups for what Lead Sync has to do. A task that is lost or runs twice changes nothing."""

import time
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from accounts.models import Heartbeat
from accounts.tasks import WORKERS, beat
from leads import wakeups
from leads.enrichment.service import enrich_due
from leads.lead_sync import backfill
from leads.lead_sync.fetching import fetch_due, tell_overdue
from leads.lead_sync.health_checks import check_due, look_after_all
from leads.lead_sync.labels import label_due

SIGN_OF_LIFE = 5.0  # seconds
RUN_FOR = 30.0  # seconds after which a task hands over to its successor
CARETAKER = "lead sync"
OUTAGE = timedelta(minutes=5)


@shared_task(name="leads.tasks.sync")
def sync() -> None:
    """Ask LinkedIn for what is due, live leads first, and enrichers last, until nothing is left."""
    began = beaten = time.monotonic()
    while fetch_due() or check_due() or backfill.pull_due() or label_due() or enrich_due():
        now = time.monotonic()
        if now - began > RUN_FOR:
            return wakeups.wake_up()
        if now - beaten > SIGN_OF_LIFE:
            beat(WORKERS["sync"])
            beaten = now
    return None


@shared_task(name="leads.tasks.tell_overdue")
def tell() -> None:
    """Tell agencies of leads whose answers are late."""
    while tell_overdue():
        pass


@shared_task(name="leads.tasks.look_after")
def look_after() -> None:
    """Warn ahead of expiries; after a block or an outage of ours close every gap."""
    last = Heartbeat.objects.filter(name=CARETAKER).values_list("at", flat=True).first()
    if last is not None and timezone.now() - last > OUTAGE:
        backfill.plan_all()
    beat(CARETAKER)
    look_after_all()
