"""Retention of many leads, killed in the middle, beside webhooks that go on: all of them go, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e import figures
from tests.e2e.client import Client
from tests.e2e.stack import Run, rows, wait_for
from tests.e2e.traffic import Traffic, traffic
from tests.notifications.receiver import receiver
from tests.settings import SQLITE

pytestmark = pytest.mark.fault

LEADS = 400
KILLS = 2
SECONDS = 240  # a killed round holds up the next for a minute
SLOWEST = 2.5  # seconds of one answer: ingest gives up waiting for its row after 1.7, and the machine is busy


def test_retention_that_is_killed_ends_all_the_same_and_loses_nothing(run: Run) -> None:
    checkout = run.checkout
    api = Client(run, "Retention & Sons")
    old: dict[str, Any] = checkout.manage("create_source", "sendpilot", "--agency", str(api.agency))
    of_old = f"SELECT lead_id FROM leads_leadreference WHERE external_id LIKE 'lead_{old['source_id']}-%'"
    not_fanned_out = f"SELECT COUNT(*) FROM accounts_event WHERE subject IN ({of_old}) AND fanned_out_at IS NULL"
    with receiver() as listener:
        Traffic(run, old, listener).post(f"{old['source_id']}-{number}" for number in range(LEADS))
        wait_for(lambda: len(rows(checkout, of_old)) == LEADS and rows(checkout, not_fanned_out) == [(0,)], 60)
        assert api("POST", "channels", {"kind": "webhook", "url": listener.url})[0] == 201
        source = checkout.manage("create_source", "sendpilot", "--agency", str(api.agency))
        with traffic(run, source, listener) as flow:
            age(run, old["source_id"], of_old)
            for kill in range(1, KILLS + 1):
                wait_for(lambda kill=kill: len(rows(checkout, of_old)) <= LEADS - kill * LEADS // 4, SECONDS, 0.01)
                for process in run.find("run_worker", "sync"):
                    process.kill()
                assert len(rows(checkout, of_old)) > 0, "it was not the middle"
            wait_for(lambda: rows(checkout, of_old) == [], SECONDS)
            wait_for(
                lambda: rows(checkout, "SELECT failures FROM accounts_retentionrun WHERE finished_at > started_at"), 60
            )
        accepted, processed, delivered, lost, invented = flow.drain()
    assert (lost, invented) == (0, 0)
    assert flow.slowest < SLOWEST
    assert flow.statuses.keys() <= {200, 503}
    assert rows(checkout, "SELECT failures FROM accounts_retentionrun") == [(0,)]
    kept = f"SELECT COUNT(*) FROM webhooks_receipt WHERE source_id = '{old['source_id']}'"
    assert rows(checkout, kept) == [(0,)]
    alive = f"SELECT COUNT(*) FROM leads_leadreference WHERE external_id LIKE 'lead_{source['source_id']}-%'"
    assert rows(checkout, alive) == [(accepted,)]
    erasures = (
        "SELECT COUNT(*), COUNT(DISTINCT subject) FROM accounts_event "
        f"WHERE event_type = 'lead_erased' AND agency_id = '{api.agency}'"
    )
    assert rows(checkout, erasures) == [(LEADS, LEADS)]
    backend = "SQLite" if SQLITE else "PostgreSQL"
    row = figures.Figures(
        fault="retention is killed", backend=backend, accepted=accepted, processed=processed, delivered=delivered,
        lost=lost, invented=invented,
    )  # fmt: skip
    figures.write_row(row)


def age(run: Run, source: str, leads: str) -> None:
    """Let what came of a source, and every receipt before it, be of long ago, and retention due.

    Receipts of other tests come before: the keys of receipts follow time, and retention relies on it.
    """
    now = datetime.now(UTC)  # noqa: TID251
    then, yesterday = (f"{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}" for days in (400, 2))
    for statement in (
        f"UPDATE accounts_event SET created_at = '{then}' WHERE subject IN ({leads}) RETURNING id",
        f"UPDATE leads_lead SET updated_at = '{then}' WHERE id IN ({leads}) RETURNING id",
        f"UPDATE webhooks_receipt SET received_at = '{then}' "
        f"WHERE sequence <= (SELECT MAX(sequence) FROM webhooks_receipt WHERE source_id = '{source}') RETURNING 1",
        f"UPDATE accounts_heartbeat SET at = '{yesterday}' WHERE name = 'purge' RETURNING name",
    ):
        assert rows(run.checkout, statement)
