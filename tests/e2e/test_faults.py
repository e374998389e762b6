"""Processes killed and brokers emptied in the middle of the work: nothing lost, nothing done twice."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest
import redis

from notifications.delivery.concurrency import MAIL_LIMIT as AT_ONCE
from tests.e2e import figures
from tests.e2e.stack import Checkout, Run, change, http, is_writable, rows, wait_for
from webhooks.providers import PROVIDERS

pytestmark = pytest.mark.fault

COUNT = 2000
MAILS = 120
DEMO = "fhRhvcLbntMZs3hVo5L4"


@pytest.fixture
def source(run: Run) -> dict[str, Any]:
    """Return a source of an agency without channels."""
    agency = run.checkout.manage("create_agency", "Fault & Sons")
    made: dict[str, Any] = run.checkout.manage("create_source", "sendpilot", "--agency", agency["agency_id"])
    return {**made, "agency_id": agency["agency_id"]}


def post_all(source: dict[str, Any], *, status: str = "MESSAGE_SENT", count: int = COUNT) -> None:
    """Post as many leads, each at once news, until each is accepted: with 503 a busy machine asks for it again."""

    def post(number: int) -> int:
        name = f"{source['source_id']}-{number}"
        payload = {
            "eventId": f"evt_{name}",
            "eventType": "lead.updated",
            "timestamp": "2026-02-24T10:30:00.000Z",
            "workspaceId": "ws_1",
            "data": {"leadId": f"lead_{name}", "campaignId": "camp_1", "newStatus": status},
        }
        body, headers = PROVIDERS["sendpilot"].sign(
            json.dumps(payload).encode(),
            source["secret"],
            at=datetime.now(UTC),  # noqa: TID251
        )
        while (code := http.request("POST", source["webhook_url"], body=body, headers=headers).status) == 503:
            time.sleep(0.1)
        return code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(post, range(count))) == [200] * count


def statuses(checkout: Checkout, source: dict[str, Any]) -> dict[str, int]:
    query = "SELECT status, COUNT(*) FROM webhooks_receipt WHERE source_id = '{}' GROUP BY status"
    return dict(rows(checkout, query.format(source["source_id"])))  # type: ignore[arg-type]


def assert_each_has_its_effect_once(checkout: Checkout, source: dict[str, Any], fault: str) -> None:
    began = time.monotonic()
    wait_for(lambda: statuses(checkout, source) == {"processed": COUNT}, 65)
    seconds = time.monotonic() - began
    agency = source["agency_id"]
    events = (
        "SELECT event_type, COUNT(*), COUNT(DISTINCT receipt_id) FROM accounts_event WHERE agency_id = '{}' GROUP BY 1"
    )
    assert sorted(rows(checkout, events.format(agency))) == [
        ("lead_created", COUNT, COUNT),
        ("lead_status_changed", COUNT, COUNT),
    ]
    changes = (
        "SELECT COUNT(*), COUNT(DISTINCT c.receipt_id) FROM leads_leadchange c "
        "JOIN leads_lead l ON l.id = c.lead_id WHERE l.agency_id = '{}' AND c.applied"
    )
    assert rows(checkout, changes.format(agency)) == [(COUNT, COUNT)]
    write_figures(checkout, fault, accepted=COUNT, processed=COUNT, seconds=seconds)


def write_figures(checkout: Checkout, fault: str, **counted: Any) -> None:
    backend = "PostgreSQL, Redis" if "DATABASE_URL" in checkout.settings else "SQLite, spool"
    figures.write_row(figures.Figures(fault=fault, backend=backend, **counted))


def suspend(checkout: Checkout, processes: Iterable[psutil.Process]) -> None:
    """Suspend processes, none of them while it holds SQLite's only lock for writing."""

    def suspend_and_check() -> bool:
        for process in processes:
            process.suspend()
        is_free = is_writable(checkout)
        if not is_free:
            resume(processes)
        return is_free

    wait_for(suspend_and_check)


def resume(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        process.resume()


def worker(run: Run) -> list[psutil.Process]:
    return wait_for(lambda: run.find("run_worker", "receipts"))


def test_killing_the_worker_in_the_middle_loses_nothing_and_repeats_nothing(run: Run, source: dict[str, Any]) -> None:
    checkout = run.checkout
    processes = worker(run)
    suspend(checkout, processes)
    post_all(source)
    resume(processes)
    wait_for(lambda: statuses(checkout, source).get("processed", 0), pause=0.001)
    for process in processes:
        process.kill()
    assert statuses(checkout, source).get("received", 0) > 0, "it was not the middle"
    assert_each_has_its_effect_once(checkout, source, "the worker is killed")


def test_killing_the_worker_that_mails_loses_no_message_and_splits_none(run: Run) -> None:
    """Each lead's three events are one mail; what was on its way at a kill may come again, under the same id."""
    checkout = run.checkout
    [(agency,)] = rows(checkout, f"SELECT id FROM accounts_agency WHERE ghl_company_id = '{DEMO}'")
    source = checkout.manage("create_source", "sendpilot", "--agency", agency)
    before = mails(checkout)
    kills = 3
    post_all(source, status="REPLY_RECEIVED", count=MAILS)
    for number in range(1, kills + 1):
        wait_for(lambda number=number: len(mails(checkout)) - len(before) >= number * MAILS // 6, pause=0.001)
        for process in run.find("run_worker", "deliveries"):
            process.kill()
    assert len(mails(checkout)) - len(before) < MAILS, "it was not the middle"
    mine = f"SELECT lead_id FROM leads_leadreference WHERE external_id LIKE 'lead_{source['source_id']}-%'"
    mails_to_send = (
        "SELECT d.id, d.status, d.carrier_id FROM notifications_delivery d JOIN accounts_event e ON e.id = d.event_id "
        f"JOIN notifications_channel c ON c.id = d.channel_id WHERE c.kind = 'email' AND d.agency_id = '{agency}' "
        f"AND e.subject IN ({mine})"
    )
    wait_for(lambda: [status for _, status, _ in rows(checkout, mails_to_send)].count("delivered") == 3 * MAILS, 150)
    sent = Counter(mails(checkout)) - Counter(before)
    assert set(sent) == {f"<{pk}@example.com>" for pk, _, carrier in rows(checkout, mails_to_send) if carrier is None}
    assert len(sent) == MAILS
    assert sent.total() - MAILS <= kills * AT_ONCE
    write_figures(checkout, "the worker that mails is killed", accepted=MAILS, processed=MAILS, delivered=len(sent))


def mails(checkout: Checkout) -> list[str]:
    """The ids of the mails that lie in the folder."""
    found = []
    for path in (checkout.folder / "var" / "mail").glob("*.eml"):
        match = re.search(rb"^Message-ID: (\S+)", path.read_bytes(), re.MULTILINE)
        found.append(match[1].decode() if match else path.name)
    return found


def test_emptying_the_broker_in_the_middle_loses_nothing(run: Run, source: dict[str, Any]) -> None:
    checkout = run.checkout
    processes = worker(run)
    suspend(checkout, processes)
    post_all(source)
    if url := checkout.settings.get("REDIS_URL"):
        redis.Redis.from_url(url).flushall()
    else:
        (checkout.folder / "var" / "spool").rename(checkout.folder / "var" / "gone")
    resume(processes)
    assert_each_has_its_effect_once(checkout, source, "the broker is emptied")


def test_a_clock_that_was_set_back_by_an_hour_holds_up_nothing(run: Run, source: dict[str, Any]) -> None:
    """Receipts and events are dated an hour ahead, as by the clock that they came under."""
    checkout = run.checkout
    processes = [*worker(run), *run.find("run_worker", "deliveries")]
    later = "next_attempt_at + interval '1 hour'"
    if "DATABASE_URL" not in checkout.settings:
        later = "strftime('%Y-%m-%d %H:%M:%f', next_attempt_at, '+1 hour')"
    suspend(checkout, processes)
    post_all(source)
    mine = f"WHERE source_id = '{source['source_id']}'"
    assert change(checkout, f"UPDATE webhooks_receipt SET next_attempt_at = {later} {mine}") == COUNT
    resume(worker(run))
    wait_for(lambda: statuses(checkout, source) == {"processed": COUNT}, 65)
    unsent = f"WHERE agency_id = '{source['agency_id']}' AND fanned_out_at IS NULL"
    assert change(checkout, f"UPDATE accounts_event SET next_attempt_at = {later} {unsent}") == 2 * COUNT
    resume(run.find("run_worker", "deliveries"))
    began = time.monotonic()
    wait_for(lambda: rows(checkout, f"SELECT COUNT(*) FROM accounts_event {unsent}") == [(0,)], 65)
    write_figures(checkout, "the clock is set back", accepted=COUNT, processed=COUNT, seconds=time.monotonic() - began)


def test_killing_any_process_of_the_product_brings_it_back(run: Run) -> None:
    for words in (("run_web",), ("run_worker", "deliveries"), ("run_scheduler",)):
        old = wait_for(lambda words=words: run.find(*words))
        for process in old:
            process.kill()
        wait_for(lambda words=words, old=old: set(run.find(*words)) - set(old))
    wait_for(run.healthy)
    answer = run.checkout.manage("send_sample", "salesflow", "account_active", "--set", "LinkedInAccountId=43")
    assert answer["status_code"] == 200
