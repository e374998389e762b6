"""How long providers wait for their answers is counted, and adds up over processes."""

import asyncio
import time
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Agency
from accounts.sources.service import create_source
from tests.webhooks.ingest_server import serving
from webhooks.ingest import group_commit, latency
from webhooks.ingest.writers.base import ReceiptRow, StoredReceipt
from webhooks.models import LatencyTally

pytestmark = pytest.mark.django_db(transaction=True)
CODE = "890e4665-4dfe-4ab1-b689-ed553bceeed0"


def counted(source: Any) -> list[tuple[int, int]]:
    return list(LatencyTally.objects.filter(source=source).values_list("requests", "slow"))


def test_answers_are_counted_by_source_when_the_server_stops_too(agency: Agency) -> None:
    source, secret = create_source(agency=agency, provider="salesflow")
    linkedin, _ = create_source(agency=agency, provider="linkedin", secret="client-secret")
    with serving() as server:
        for _ in range(7):
            headers = {"x-webhook-secret": secret or ""}
            assert server.post(f"/webhooks/salesflow/{source.token}", b"{}", headers).status == 200
        assert server.send("GET", f"/webhooks/linkedin/{linkedin.token}?challengeCode={CODE}").status == 200
    assert counted(source) == [(7, 0)]
    assert counted(linkedin) == [(1, 0)]


def test_what_two_processes_counted_adds_up(agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="salesflow")
    began = latency.tally_start(timezone.now())
    latency._write({source.pk: [10, 1], "src_gone": [5, 5]}, began)
    latency._write({source.pk: [20, 2]}, began)
    assert counted(source) == [(30, 3)]


def test_an_answer_that_waited_for_the_database_is_slow() -> None:
    noted: list[tuple[str, float]] = []

    class Slow:
        async def write(self, rows: Any) -> Any:
            await asyncio.sleep(1.1)
            return [StoredReceipt(number, duplicate=False) for number, _ in enumerate(rows)]

        async def close(self) -> None:
            pass

    async def run() -> None:
        commit = group_commit.GroupCommit(writer=Slow(), on_answered=lambda *args: noted.append(args))  # type: ignore[arg-type]
        row = ReceiptRow("src_1", None, "salesflow", b"1", {}, b"{}", timezone.now())
        await commit.store(row)
        await commit.close()

    began = time.monotonic()
    asyncio.run(run())
    [(source_id, seconds)] = noted
    assert source_id == "src_1"
    assert latency.SLOW_SECONDS < seconds <= time.monotonic() - began
