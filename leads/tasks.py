"""Looks after the connections of Lead Sync. A task that is lost or runs twice changes nothing."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from accounts.models import Heartbeat
from accounts.tasks import write_heartbeat
from leads.lead_sync import backfill
from leads.lead_sync.health_checks import look_after_all

CARETAKER = "lead sync"
OUTAGE = timedelta(minutes=5)


@shared_task(name="leads.tasks.look_after")
def look_after() -> None:
    """Warn ahead of expiries; after a block or an outage of ours close every gap."""
    last = Heartbeat.objects.filter(name=CARETAKER).values_list("at", flat=True).first()
    if last is not None and timezone.now() - last > OUTAGE:
        backfill.plan_all()
    write_heartbeat(CARETAKER)
    look_after_all()
