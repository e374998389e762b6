"""An archive of 10,000 leads is pulled by a real worker, which is killed on the way, while notifications arrive."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from config.demo.linkedin_api import StandIn
from config.demo.linkedin_api.world import World
from tests.e2e import figures
from tests.e2e.client import Client
from tests.e2e.stack import Run, rows, wait_for

pytestmark = pytest.mark.fault

OWNER = "urn:li:sponsoredAccount:10000"
ARCHIVED = 10_000
RECORDED = 500  # half of them of leads that the archive has too
GROWTH = 12 * 1024 * 1024  # bytes that the worker may take more in the second half of the pull than at its beginning


def test_an_archive_is_pulled_whole_whatever_happens_on_the_way(run: Run, linkedin: StandIn) -> None:
    world = linkedin.world
    world.account_roles[OWNER] = "ACCOUNT_MANAGER"
    owner = {"sponsoredAccount": OWNER}
    world.submit_many(ARCHIVED, owner=owner)
    api = Client(run, "Archive & Sons")
    source = api.source(world, OWNER)
    pull = f"SELECT position, found, finished_at, total FROM leads_pull WHERE sync_id = '{source['id']}'"

    def position() -> int:
        return next((found for found, *_ in rows(run.checkout, pull)), 0)

    with notifications(world, owner) as notified:
        world.held_from = ARCHIVED // 4
        api.connect(source)
        assert world.held.wait(120)
        for process in run.find("run_worker", "sync"):
            process.kill()
        assert position() == ARCHIVED // 4
        world.held_from = None
        world.released.set()
        wait_for(lambda: position() > ARCHIVED // 2, 120)
        [worker] = [process for process in run.find("run_worker", "sync") if not process.children()]
        sizes, began = [worker.memory_info().rss], time.monotonic()
        while rows(run.checkout, pull)[0][2] is None:
            sizes.append(worker.memory_info().rss)
            time.sleep(0.05)
        rate = ARCHIVED / 2 / (time.monotonic() - began)
        assert notified.wait(240)
    wait_for(lambda: rows(run.checkout, waiting(source["id"])) == [(0, 0)], 120)
    sys.stdout.write(f"{rate:.0f} leads a second; the worker grew by {max(sizes) - sizes[0]:,} bytes\n")

    seen, found, _, total = rows(run.checkout, pull)[0]
    assert ARCHIVED <= seen == total
    expected = {name for name, lead in world.leads.items() if lead["owner"] == owner}
    mine = f"FROM leads_leadreference r JOIN leads_lead l ON l.id = r.lead_id WHERE l.agency_id = '{api.agency}'"
    kept = [name for (name,) in rows(run.checkout, f"SELECT r.external_id {mine}")]
    assert (len(kept), set(kept)) == (ARCHIVED + RECORDED // 2, expected)
    assert rows(run.checkout, f"SELECT COUNT(*), COUNT(DISTINCT l.id) {mine} AND l.email <> ''") == [(len(kept),) * 2]
    assert rows(run.checkout, f"SELECT COUNT(*) FROM leads_lead WHERE agency_id = '{api.agency}'") == [(len(kept),)]
    assert found == rows(run.checkout, f"SELECT COUNT(*) {mine} AND l.recovered")[0][0]
    created = f"SELECT subject FROM accounts_event WHERE agency_id = '{api.agency}' AND event_type = 'lead_created'"
    counts = Counter(subject for (subject,) in rows(run.checkout, created))
    assert set(counts.values()) == {1}
    old = rows(run.checkout, f"SELECT COUNT(*) {mine} AND l.recovered AND r.external_id LIKE 'old-%'")[0][0]
    assert len(counts) == len(kept) - old  # old ones that no notification named first alert nobody
    assert max(sizes) - sizes[0] < GROWTH
    figures.write_row(
        figures.Figures(
            fault="the worker that pulls is killed",
            backend="PostgreSQL, Redis" if "DATABASE_URL" in run.checkout.settings else "SQLite, spool",
            accepted=len(expected),
            processed=len(kept),
            delivered=len(counts),
        )
    )


def test_whoever_pulls_at_a_terminal_sees_how_far_it_is(run: Run, linkedin: StandIn) -> None:
    world, owner = linkedin.world, "urn:li:sponsoredAccount:250"
    world.account_roles[owner] = "ACCOUNT_MANAGER"
    world.submit_many(250, prefix="seen", owner={"sponsoredAccount": owner})
    api = Client(run, "Bars & Sons")
    source = api.source(world, owner)
    api.connect(source)
    done = f"SELECT COUNT(*) FROM leads_pull WHERE sync_id = '{source['id']}' AND finished_at IS NOT NULL"
    wait_for(lambda: rows(run.checkout, done) == [(1,)], 60)
    code, seen = run.checkout.at_terminal("sync_leads", "--source", source["id"], "--since", "2020-01-01")
    assert code == 0, seen
    assert "\r[" + "█" * 30 + "] 250 of 250 leads" in seen
    assert "\x1b[31" not in seen, "a bar is no error"
    assert "250 pulled, 0 of them new." in seen.splitlines()[-1]


def waiting(source: str) -> str:
    return (
        f"SELECT (SELECT COUNT(*) FROM webhooks_receipt WHERE source_id = '{source}' AND status = 'received'), "
        f"(SELECT COUNT(*) FROM leads_leadfetch WHERE source_id = '{source}' AND next_attempt_at IS NOT NULL)"
    )


@contextmanager
def notifications(world: World, owner: dict[str, str]) -> Iterator[threading.Event]:
    """Notifications from the moment LinkedIn knows where to send them; what is given is set after the last."""
    done = threading.Event()

    def send() -> None:
        wait_for(lambda: [row for row in world.subscriptions.values() if row["owner"] == owner], 120)
        for number in range(RECORDED // 2):
            fresh = world.submit(owner=owner)
            for name in (fresh["id"], f"old-{number * (2 * ARCHIVED // RECORDED)}-6"):
                wait_for(lambda name=name: world.notify(name) == [200])  # LinkedIn tries again as well
        done.set()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    yield done
    thread.join(240)
