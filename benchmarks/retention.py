"""Measure how fast retention works on PostgreSQL, beside plain SQL that deletes the same rows.

The database has rows of a year, some of them too old. Receipts and events are erased in batches, leads one by one with
every copy of their data. The yardstick: one DELETE for each table, rolled back. BENCH_SCALE multiplies the rows.
"""

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.figures import write_figures
from tests import servers

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
RECEIPTS, OLD_RECEIPTS = int(200_000 * SCALE), int(20_000 * SCALE)
WAITING = int(2_000 * SCALE)
EVENTS, OLD_EVENTS = int(60_000 * SCALE), int(6_000 * SCALE)
LEADS, INACTIVE = int(20_000 * SCALE), int(500 * SCALE)
BARS = {"receipts": 0.2, "events": 0.05}  # × plain SQL
LEADS_PER_SECOND = 3_000 / 600  # a day of 3,000 within ten minutes


def main() -> int:
    name = f"leadline_bench_{secrets.token_hex(4)}"
    with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    url = urlunsplit(urlsplit(servers.DATABASE_URL)._replace(path=f"/{name}"))
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_FORMAT": "json"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["LEADLINE_TEST_SCRATCH"] = folder
            return run(url)
    finally:
        with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(url: str) -> int:
    import django

    django.setup()
    import logging

    from django.core.management import call_command
    from django.utils import timezone

    logging.getLogger().setLevel("ERROR")
    call_command("migrate", verbosity=0)
    cutoff = timezone.now() - timedelta(days=365)
    with psycopg.connect(url, autocommit=True) as database:
        fill_tables(database)
        database.execute("VACUUM ANALYZE")
        plain = plain_sql_rates(database, cutoff)
    ours = retention_rates(cutoff)
    erasure = time_erasure()
    ratios = {name: round(ours[name] / plain[name], 3) for name in plain}
    print("Retention, rows/s: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in ours.items()))
    print("  plain SQL: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in plain.items()))
    for name, ratio in ratios.items():
        bar = f" (bar {BARS[name]})" if name in BARS else f" (bar: {LEADS_PER_SECOND:.0f} leads/s)"
        print(f"  {name}: {ratio:.3f} × plain SQL{bar}")
    print(f"  a lead erased on request: {1000 * erasure:.1f} ms")
    write_figures(
        "retention", {"rows_per_second": ours, "plain_sql": plain, "ratios": ratios, "erase_one_seconds": erasure}
    )
    return int(any(ratios[name] < bar for name, bar in BARS.items()) or ours["leads"] < LEADS_PER_SECOND)


def fill_tables(database: psycopg.Connection[Any]) -> None:
    """Fill the tables with copies of one row each, created by the product."""
    from accounts.models import Agency
    from accounts.sources.service import create_source
    from accounts.tenancy.agencies import create_agency
    from leads.models import Lead, LeadReference
    from leads.pipeline import changes
    from notifications.channels.service import create_channel
    from notifications.delivery.fan_out import fan_out_due_events
    from notifications.models import Attempt, Delivery
    from webhooks.models import Receipt

    agency: Agency = create_agency(name="Retention")[0]
    source, _ = create_source(agency=agency, provider="sendpilot")
    create_channel(agency, kind="webhook", url="https://receiver.example.com/hook")
    lead = changes.create_lead(agency, email="a@example.com")
    LeadReference.objects.create(
        lead=lead, agency=agency, provider="sendpilot", external_id="0", source=source, status_since=lead.created_at
    )
    fan_out_due_events()
    delivery = Delivery.objects.get()
    Delivery.objects.update(status="delivered", attempts=1, next_attempt_at=None)
    Attempt.objects.create(delivery=delivery, at=lead.created_at, duration_ms=1, response_excerpt="ok")
    Receipt.objects.create(
        source=source, agency=agency, provider="sendpilot", dedupe_key=secrets.token_bytes(32), status="processed",
        body=secrets.token_hex(320).encode(), received_at=lead.created_at,
    )  # fmt: skip
    event = delivery.event
    old, active = "now() - interval '400 days'", f"n > {INACTIVE}"
    of_lead = "'lead_' || lpad(n::text, 26, '0')"
    its_time = f"CASE WHEN {active} THEN now() ELSE {old} END"
    copy_rows(database, Lead, LEADS, id=of_lead, email="'p' || n || '@example.com'", linkedin_key="'in/' || n",
         updated_at=its_time, received_at=its_time, status_since=its_time)  # fmt: skip
    copy_rows(database, lead.references.model, LEADS, id="n + 10", lead_id=of_lead, external_id="'ext-' || n")
    of_some_lead = f"'lead_' || lpad((n % {LEADS} + 1)::text, 26, '0')"
    copy_rows(database, lead.changes.model, 3 * LEADS, id="n + 10", lead_id=of_some_lead, occurred_at=old)
    is_old = f"CASE WHEN n <= {OLD_RECEIPTS} THEN {old} ELSE now() END"
    copy_rows(database, Receipt, RECEIPTS, sequence="n + 10", dedupe_key="sha256(n::text::bytea)", received_at=is_old,
         lead_id=of_some_lead,
         status=f"CASE WHEN n > {RECEIPTS - WAITING} THEN 'quarantined' ELSE 'processed' END")  # fmt: skip
    database.execute("UPDATE webhooks_receipt SET lead_id = '' WHERE status = 'quarantined'")
    of_event = "'evt_' || lpad(n::text, 26, '0')"
    copy_rows(database, type(event), EVENTS, id=of_event, subject=of_some_lead,
         created_at=f"CASE WHEN n <= {OLD_EVENTS} THEN {old} ELSE now() END")  # fmt: skip
    of_delivery = "'dlv_' || lpad(n::text, 26, '0')"
    copy_rows(database, Delivery, EVENTS, id=of_delivery, event_id=of_event)
    copy_rows(database, Attempt, EVENTS, id="n + 10", delivery_id=of_delivery)


def copy_rows(database: psycopg.Connection[Any], model: Any, count: int, **columns: str) -> None:
    """Insert `count` copies of a table's one row. `columns` are expressions of `n`, which counts from 1."""
    pairs = ", ".join(f"'{name}', {expression}" for name, expression in columns.items())
    table, key = model._meta.db_table, model._meta.pk.column
    database.execute(
        f"INSERT INTO {table} SELECT copied.* FROM (SELECT * FROM {table} ORDER BY {key} LIMIT 1) AS t,"
        f" generate_series(1, {count}) AS n, LATERAL jsonb_populate_record(t::{table}, jsonb_build_object({pairs}))"
        " AS copied"
    )


def plain_sql_rates(database: psycopg.Connection[Any], cutoff: datetime) -> dict[str, float]:
    """Return the rows a second of plain statements, each rolled back."""

    def delete(*statements: str) -> float:
        began = time.monotonic()
        with database.transaction(force_rollback=True):
            counts = [database.execute(statement, {"cutoff": cutoff}).rowcount for statement in statements]
        return counts[-1] / (time.monotonic() - began)

    events = "SELECT id FROM accounts_event WHERE created_at < %(cutoff)s"
    deliveries = f"SELECT id FROM notifications_delivery WHERE event_id IN ({events})"
    leads = "SELECT id FROM leads_lead WHERE updated_at < %(cutoff)s"
    return {
        "receipts": delete("DELETE FROM webhooks_receipt WHERE received_at < %(cutoff)s"),
        "events": delete(
            f"DELETE FROM notifications_attempt WHERE delivery_id IN ({deliveries})",
            f"DELETE FROM notifications_delivery WHERE event_id IN ({events})",
            "DELETE FROM accounts_event WHERE created_at < %(cutoff)s",
        ),
        "leads": delete(
            f"DELETE FROM leads_leadchange WHERE lead_id IN ({leads})",
            f"DELETE FROM leads_leadreference WHERE lead_id IN ({leads})",
            "DELETE FROM leads_lead WHERE updated_at < %(cutoff)s",
        ),
    }


def retention_rates(cutoff: datetime) -> dict[str, float]:
    """Return the rows a second of each step, without the worker's pauses."""
    from config.ops.purge import STEPS

    def rate(name: str, expected: int) -> float:
        began, erased = time.monotonic(), 0
        for progress in STEPS[name]("", cutoff):
            if progress.failure:
                raise RuntimeError(progress.failure)
            erased += progress.erased[name]
        if erased < expected:
            raise RuntimeError(f"{erased} of {expected} {name} were erased.")
        return erased / (time.monotonic() - began)

    return {
        "receipts": rate("receipts", OLD_RECEIPTS),
        "leads": rate("leads", INACTIVE),
        "events": rate("events", OLD_EVENTS - INACTIVE),
    }


def time_erasure() -> float:
    """Return the seconds of an active lead's erasure on request."""
    from leads.models import Lead
    from leads.privacy.erasure import erase_lead

    leads = list(Lead.objects.select_related("agency").order_by("-pk")[:20])
    return min(time_call(lambda lead=lead: erase_lead(lead)) for lead in leads)  # type: ignore[misc]


def time_call(function: Callable[[], Any]) -> float:
    began = time.monotonic()
    function()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
