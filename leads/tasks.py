"""Check the connections of Lead Sync periodically. A task that is lost or runs twice changes nothing."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from accounts.models import Heartbeat
from accounts.tasks import write_heartbeat
from leads.lead_sync import backfill
from leads.lead_sync.health_checks import look_after_all

HEARTBEAT_NAME = "lead sync"
MAX_HEARTBEAT_AGE = timedelta(minutes=5)


@shared_task(name="leads.tasks.look_after")
def look_after() -> None:
    """Warn of tokens that expire soon, and plan back-fills after an outage of Leadline."""
    last = Heartbeat.objects.filter(name=HEARTBEAT_NAME).values_list("at", flat=True).first()
    if last is not None and timezone.now() - last > MAX_HEARTBEAT_AGE:
        backfill.plan_all()
    write_heartbeat(HEARTBEAT_NAME)
    look_after_all()
