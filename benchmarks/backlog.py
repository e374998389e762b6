"""Measure how fast a backlog of receipts is processed on PostgreSQL, beside two yardsticks in the same run.

Measured: `process_due_receipts` in one process, with accounts that disconnect and reconnect and with leads that move;
then the reactions to the accounts' changes, in the same process. The yardsticks: a Celery task for each account report
(prefork, two processes, Celery's defaults), and pgbench with one transaction an event and the fewest statements that an
account's change needs, on one connection.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.figures import write_figures
from tests import servers
from tests.e2e.stack import wait_for

ROUNDS = 3  # a third lost connection within the hour would make the account flap
SOURCES, ACCOUNTS = 4, 1000
COUNT = ROUNDS * ACCOUNTS
TASKS = ACCOUNTS
BARS = {"pgbench": 0.9, "task per event": 6.0}
ACCOUNT_STATUSES = ("ACCOUNT_ACTIVE", "ACCOUNT_BLOCKED")
LEAD_STATUSES = ("CONNECTION_SENT", "CONNECTION_ACCEPTED", "MESSAGE_SENT", "REPLY_RECEIVED")

PGBENCH_SCRIPT = """
\\set n random(1, {accounts})
\\set s random(1, {receipts})
BEGIN;
SELECT id FROM accounts_account
    WHERE agency_id = '{agency}' AND provider = 'salesflow' AND external_id = :n::text FOR UPDATE;
INSERT INTO accounts_accountreport
    (account_id, from_status, to_status, occurred_at, reported_by, receipt_id, applied, note, created_at)
    SELECT id, 'active', 'disconnected', now(), 'salesflow', 'rct_1', true, '', now()
    FROM accounts_account WHERE agency_id = '{agency}' AND provider = 'salesflow' AND external_id = :n::text;
UPDATE accounts_account SET status = 'active', status_since = now(), reported_at = now(), updated_at = now()
    WHERE agency_id = '{agency}' AND provider = 'salesflow' AND external_id = :n::text;
INSERT INTO accounts_event (id, agency_id, event_type, payload, subject, location_id, receipt_id, channel_id, recipient,
    is_test, creation_locale, occurred_at, created_at, attempts, next_attempt_at, error)
    VALUES ('evt_' || md5(random()::text), '{agency}', 'linkedin_disconnected', '{payload}', '', '', 'rct_1', '', '',
    false, '', now(), now(), 0, now(), '');
UPDATE webhooks_receipt SET status = 'processed', processed_at = now() WHERE sequence = :s;
COMMIT;
"""


def main() -> int:
    name = f"leadline_bench_{secrets.token_hex(4)}"
    with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    url = urlunsplit(urlsplit(servers.DATABASE_URL)._replace(path=f"/{name}"))
    prefix = name.replace("_", "-")
    os.environ |= {"DATABASE_URL": url, "REDIS_URL": servers.REDIS_URL, "REDIS_KEY_PREFIX": prefix}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_FORMAT": "json"}
    try:
        return run(url)
    finally:
        servers.forget_keys(prefix)
        with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(url: str) -> int:
    import django

    django.setup()
    import logging

    from django.core.management import call_command

    logging.getLogger().setLevel("WARNING")
    call_command("migrate", verbosity=0)
    from accounts.tenancy.agencies import create_agency

    agency, _ = create_agency(name="Backlog")
    from accounts.sources.service import create_source

    def sources(provider: str) -> list[str]:
        return [create_source(agency=agency, provider=provider)[0].id for _ in range(SOURCES)]

    rates, cpu_ms = {}, {}
    for provider, name in (("salesflow", "account reports"), ("sendpilot", "lead reports")):
        source_ids = sources(provider)
        insert_receipts(agency.id, source_ids, provider, range(ACCOUNTS))
        process_backlog()
        process_reactions(0, 1)
        insert_receipts(agency.id, source_ids, provider, range(ACCOUNTS, ACCOUNTS + COUNT))
        rates[name], cpu_ms[name] = process_backlog()
        if provider == "salesflow":
            rates["with their reactions"] = process_reactions(COUNT, rates[name])
    insert_receipts(agency.id, sources("salesflow"), "salesflow", range(ACCOUNTS + COUNT, ACCOUNTS + COUNT + TASKS))
    rates["task per event"] = task_per_event_rate()
    rates["pgbench"] = pgbench_rate(url, agency.id)
    ratios = {name: round(rates["account reports"] / rates[name], 2) for name in BARS}
    print("Backlog, events/s: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items()))
    print("  processor, ms an event: " + ", ".join(f"{name} {cpu_seconds:.2f}" for name, cpu_seconds in cpu_ms.items()))
    for name, bar in BARS.items():
        print(f"  account reports {ratios[name]:.2f} × {name} (bar {bar})")
    write_figures("backlog", {"events_per_second": rates, "cpu_ms_per_event": cpu_ms, "ratios": ratios, "bars": BARS})
    return int(any(ratios[name] < bar for name, bar in BARS.items()))


def insert_receipts(agency: str, sources: list[str], provider: str, numbers: range) -> None:
    """Insert receipts as ingest does. Each of them is a change."""
    from django.utils import timezone

    from webhooks.models import Receipt

    body = {"salesflow": account_report, "sendpilot": lead_report}[provider]
    Receipt.objects.bulk_create(
        Receipt(
            source_id=sources[number % SOURCES],
            agency_id=agency,
            provider=provider,
            dedupe_key=secrets.token_bytes(32),
            body=json.dumps(body(number)).encode(),
            received_at=timezone.now(),
        )
        for number in numbers
    )


def account_report(number: int) -> dict[str, Any]:
    return {
        "EventType": "ACCOUNT_STATUS_CHANGED",
        "Payload": {"Data": {"Status": ACCOUNT_STATUSES[number // ACCOUNTS % len(ACCOUNT_STATUSES)]}},
        "LinkedInAccountId": 1 + number % ACCOUNTS,
        "LinkedInEmail": f"a{number % ACCOUNTS}@example.com",
    }


def lead_report(number: int) -> dict[str, Any]:
    who, at = number % ACCOUNTS, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
    return {
        "eventId": f"evt_{number}",
        "eventType": "lead.status.changed",
        "timestamp": at.isoformat(),
        "data": {
            "leadId": f"lead_{who}",
            "linkedinUrl": f"https://www.linkedin.com/in/person-{who}",
            "campaignId": f"camp_{who % 10}",
            "newStatus": LEAD_STATUSES[number // ACCOUNTS % len(LEAD_STATUSES)],
        },
    }


def process_backlog() -> tuple[float, float]:
    """Process all due receipts. Return events a second, and this process's milliseconds of CPU for each."""
    from webhooks.models import Receipt
    from webhooks.processing.processor import process_due_receipts

    waiting = Receipt.objects.filter(status="received").count()
    began, cpu_seconds = time.monotonic(), time.process_time()
    while process_due_receipts():
        pass
    took, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_seconds
    if found := Receipt.objects.exclude(status="processed").count():
        raise RuntimeError(f"{found} receipts were not processed.")
    return waiting / took, 1000 * cpu_seconds / waiting


def process_reactions(count: int, rate: float) -> float:
    """Process the reactions to `count` events processed at this rate. Return events a second of both together."""
    from accounts.events.reactions import carry_out_due_reactions

    began = time.monotonic()
    while carry_out_due_reactions():
        pass
    return count / (count / rate + time.monotonic() - began)


def task_per_event_rate() -> float:
    """Return the events a second of a worker that runs one task for each receipt."""
    from benchmarks.per_event import process_receipt
    from webhooks.models import Receipt, ReceiptStatus

    waiting = Receipt.objects.filter(status=ReceiptStatus.RECEIVED)
    for sequence in waiting.order_by("sequence").values_list("sequence", flat=True):
        process_receipt.delay(sequence)
    command = [sys.executable, "-m", "celery", "--app", "benchmarks.per_event", "worker", "--concurrency", "2"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*command, "--loglevel", "CRITICAL"], **quiet) as worker:
        try:
            wait_for(lambda: waiting.count() < TASKS, 60)
            began = time.monotonic()
            first = waiting.count()
            wait_for(lambda: not waiting.exists(), 120, pause=0.01)
            return first / (time.monotonic() - began)
        finally:
            worker.terminate()


def pgbench_rate(url: str, agency: str) -> float:
    """Return pgbench's transactions a second."""
    payload = json.dumps(
        {"event_type": "linkedin_disconnected", "linkedin_account_email": "a@example.com"} | padding_fields()
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(PGBENCH_SCRIPT.format(accounts=ACCOUNTS, receipts=COUNT, agency=agency, payload=payload))
        script.flush()
        command = ["pgbench", "-n", "-c", "1", "-T", "5", "-M", "prepared", "-f", str(Path(script.name)), url]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+)", result.stdout)
    if found is None:
        raise RuntimeError(result.stdout + result.stderr)
    return float(found.group(1))


def padding_fields() -> dict[str, str]:
    """Return the fields that make the yardstick's event as long as a real one."""
    return {"event_id": "evt_" + "0" * 26, "ghl_company_id": "0" * 26, "timestamp": "2026-01-01T00:00:00.000Z"} | {
        "linkedin_account_id": "acc_" + "0" * 26,
        "linkedin_account_name": "a@example.com",
        "provider": "salesflow",
    }


if __name__ == "__main__":
    sys.exit(main())
