"""Measure how many webhooks a second one worker delivers on PostgreSQL, beside a Celery task for each delivery.

Measured: `drain_deliveries` in one process. The yardstick: one Celery worker process with a task for each delivery,
which gets the row, posts with `requests`, and saves the attempt and the row. Both send to the same receiver, in a
process of its own.
"""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.figures import write_figures
from tests import servers

COUNT = 3000
TASKS = 300
HANGING = 20
BAR = 10.0
DELAY_BAR = 2.0  # seconds that hanging receivers may add to a healthy one's 95th percentile


def main() -> int:
    if reason := servers.missing():
        print(f"Skipped: {reason}.")
        return 0
    name = f"leadline_bench_{secrets.token_hex(4)}"
    url = urlunsplit(urlsplit(servers.DATABASE_URL)._replace(path=f"/{name}"))
    prefix = f"leadline-bench-{secrets.token_hex(4)}"
    os.environ |= {
        "DATABASE_URL": url,
        "REDIS_URL": servers.REDIS_URL,
        "REDIS_KEY_PREFIX": prefix,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            return measure()
        finally:
            from django.db import connections

            connections.close_all()
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            servers.forget_keys(prefix)


def measure() -> int:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    call_command("migrate", verbosity=0)
    with running_receiver() as good, running_receiver("hang") as hanging:
        channel = make_channel(good)
        create_deliveries(channel, COUNT)
        ours = drain_rate(COUNT)
        create_deliveries(channel, TASKS)
        per_task = task_per_delivery_rate()
        alone, beside = healthy_p95(channel, hanging)
    ratio, delay = ours / per_task, beside - alone
    print(f"Deliveries/s: drain {ours:,.0f}, task per delivery {per_task:,.0f}")
    print(f"  {ratio:.2f} × task per delivery (bar {BAR})")
    print(f"A healthy receiver's p95: {alone * 1000:,.0f} ms alone, {beside * 1000:,.0f} ms beside {HANGING} that hang")
    write_figures(
        "delivery",
        {
            "deliveries_per_second": {"drain": ours, "task per delivery": per_task},
            "ratio": round(ratio, 2),
            "bar": BAR,
            "healthy_p95_seconds": {"alone": alone, f"beside {HANGING} hanging": beside},
        },
    )
    return int(ratio < BAR or delay > DELAY_BAR)


@contextmanager
def running_receiver(behaviour: str = "answer") -> Iterator[str]:
    """Run a receiver and yield its URL."""
    command = [sys.executable, "-m", "benchmarks.delivery_receiver", behaviour]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/hook"
        finally:
            process.terminate()


def make_channel(url: str) -> str:
    from accounts.tenancy.agencies import create_agency
    from notifications.channels.service import create_channel

    return create_channel(create_agency(name="Bench")[0], kind="webhook", url=url)[0].pk


def create_deliveries(channel_id: str, count: int) -> None:
    """Create due deliveries as fan-out does."""
    from django.utils import timezone

    from accounts.models import Event
    from notifications.models import Channel, Delivery

    channel = Channel.objects.get(pk=channel_id)
    body = {"event_type": "linkedin_disconnected", "ghl_company_id": channel.agency_id, "linkedin_account_name": "John"}
    now = timezone.now()
    events = Event.objects.bulk_create(
        Event(
            agency_id=channel.agency_id,
            event_type="linkedin_disconnected",
            payload=body | {"event_id": f"evt_{number}", "timestamp": "2026-01-01T00:00:00.000Z"},
            occurred_at=now,
            fanned_out_at=now,
        )
        for number in range(count)
    )
    Delivery.objects.bulk_create(
        Delivery(agency_id=channel.agency_id, event=event, channel=channel) for event in events
    )


def drain_rate(count: int) -> float:
    """Return the deliveries a second of one run."""
    from notifications.delivery import drain_deliveries
    from notifications.models import Delivery, DeliveryStatus

    began = time.monotonic()
    drain_deliveries()
    took = time.monotonic() - began
    done = Delivery.objects.filter(status=DeliveryStatus.DELIVERED).count()
    if done != count:
        raise RuntimeError(f"{done} of {count} were delivered.")
    return count / took


def task_per_delivery_rate() -> float:
    """Return the deliveries a second of one worker process that runs a task for each."""
    from benchmarks.delivery_per_task import deliver
    from notifications.models import Delivery, DeliveryStatus

    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    for pk in waiting.values_list("pk", flat=True):
        deliver.delay(pk)
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "benchmarks.delivery_per_task", "worker"]
    options = ["--concurrency", "1", "--loglevel", "CRITICAL"]
    with subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL) as worker:
        try:
            while (first := waiting.count()) == TASKS:
                if worker.poll() is not None:
                    raise RuntimeError("The worker did not start.")
                time.sleep(0.01)
            began = time.monotonic()
            while waiting.exists():
                time.sleep(0.01)
            return first / (time.monotonic() - began)
        finally:
            worker.terminate()


def healthy_p95(channel_id: str, hanging: str) -> tuple[float, float]:
    """Return a healthy receiver's 95th percentile from due to delivered, in seconds: alone, and beside hanging ones."""
    alone = _p95_of_channel(channel_id)
    others = [make_channel(hanging) for _ in range(HANGING)]
    for other in others:
        create_deliveries(other, 20)
    return alone, _p95_of_channel(channel_id, run_seconds=3)


def _p95_of_channel(channel_id: str, run_seconds: float = 30) -> float:
    from benchmarks.figures import percentile
    from notifications.delivery import drain_deliveries
    from notifications.models import Delivery

    create_deliveries(channel_id, 200)
    newest = list(Delivery.objects.filter(channel_id=channel_id).order_by("-pk").values_list("pk", flat=True)[:200])
    drain_deliveries(run_seconds=run_seconds)
    rows = Delivery.objects.filter(pk__in=newest).values_list("delivered_at", "next_attempt_at", "created_at")
    return percentile([(delivered - created).total_seconds() for delivered, _, created in rows if delivered], 0.95)


if __name__ == "__main__":
    sys.exit(main())
