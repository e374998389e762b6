"""Measure how long an honest provider waits for its response, alone and beside 100 hostile connections.

A real `make run` on PostgreSQL and Redis gets 25 signed webhooks a second, whether or not the earlier ones were
answered. A response's time counts from when its request was due. The webhooks come alone first, then beside the clients
of `tests/e2e/hostile_clients.py`: slow heads, long paths, bodies of brackets and small ones with a forged We-Link
signature, idle connections, half-sent forms and webhooks. Every honest webhook must be accepted. Bar: the 99th
percentile beside the hostile clients is under 250 ms.
"""

import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import percentile, write_figures
from tests import servers
from tests.e2e.stack import Checkout, Run, http, redis_server, running, wait_for

RATE = 25  # honest webhooks a second
SECONDS = 20
WARM_UP = 3
CONNECTIONS = 100
BAR = 0.250


def main(seconds: int = SECONDS) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.database(f"leadline_bench_{secrets.token_hex(4)}") as database,
        redis_server() as redis,
        running(Checkout(Path(folder, "leadline"), {"DATABASE_URL": database, "REDIS_URL": redis})) as run,
    ):
        honest, attacked = prepare(run)
        post_steadily(honest, WARM_UP)
        times = {"alone": post_steadily(honest, seconds)}
        with hostile_clients(run.checkout.port, attacked, seconds + WARM_UP) as clients:
            time.sleep(WARM_UP / 2)
            times["beside"] = post_steadily(honest, seconds)
            outcomes: dict[str, int] = json.loads(clients.communicate()[0])
    figures = {
        name: {f"p{share}": percentile(found, share / 100) for share in (50, 99)} for name, found in times.items()
    }
    for name, found in figures.items():
        print(f"honest, {name:7} p50 {found['p50'] * 1000:7.2f} ms   p99 {found['p99'] * 1000:7.2f} ms")
    print(f"{CONNECTIONS} hostile connections: " + ", ".join(f"{name} × {count}" for name, count in outcomes.items()))
    p99 = figures["beside"]["p99"]
    print(f"p99 beside them: {p99 * 1000:.0f} ms (bar: under {BAR * 1000:.0f} ms)")
    write_figures(
        "hostile", {"per_second": RATE, "seconds": seconds, "times": figures, "hostile": outcomes, "bar": BAR}
    )
    return 0 if p99 < BAR else 1


@contextmanager
def hostile_clients(port: int, path: str, seconds: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.e2e.hostile_clients", str(port), path, str(seconds), str(CONNECTIONS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clients:
        try:
            yield clients
        finally:
            clients.terminate()


def prepare(run: Run) -> tuple[dict[str, Any], str]:
    """Return the honest provider's source, and the path of the source that is attacked."""
    agency = run.checkout.manage("create_agency", "Benchmark")["agency_id"]
    honest = run.checkout.manage("create_source", "salesflow", "--agency", agency)
    attacked = run.checkout.manage("create_source", "welink", "--agency", agency)
    wait_for(lambda: http.request("GET", f"{run.checkout.url}/readyz").status == 200, 60)
    return honest, urlsplit(attacked["webhook_url"]).path


def post_steadily(source: dict[str, Any], seconds: int) -> list[float]:
    """Return the seconds from when each webhook was due to its 200."""
    with ThreadPoolExecutor(16) as pool:
        begin = time.monotonic() + 0.1
        found = []
        for turn in range(RATE * seconds):
            due = begin + turn / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            found.append(pool.submit(time_post, source, due, turn))
    return [future.result() for future in found]


def time_post(source: dict[str, Any], due: float, number: int) -> float:
    body = {
        "EventType": "ACCOUNT_STATUS_CHANGED",
        "Payload": {"Data": {"Status": "ACCOUNT_ACTIVE"}},
        "LinkedInAccountId": 1000 + number,
    }
    headers = {"x-webhook-secret": source["secret"]}
    answer = http.request("POST", source["webhook_url"], body=json.dumps(body), headers=headers)
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.data!r}")
    return time.monotonic() - due


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
