"""Measure how long `accounts/{id}/readiness` takes, beside `/healthz` under the same load in the same run.

A real `make run` on its embedded back ends gets 50 requests a second of each in turn, whether or not the earlier ones
were answered. A response's time counts from when its request was due. Bar: the 99th percentile of readiness is at most
three times that of `/healthz`.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.figures import percentile, write_figures
from tests.e2e.stack import Checkout, Run, http, running, wait_for

RATE = 50  # requests a second, of each
SECONDS = 30
WARM_UP = 3
ACCOUNTS = 20
BAR = 3.0


def main(seconds: int = SECONDS) -> int:
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder, "leadline"), {"API_RATE": "1000000"})
        with running(checkout) as run:
            targets = prepare(run)
            measure(targets, WARM_UP)
            times = measure(targets, seconds)
    figures = {
        name: {f"p{share}": percentile(found, share / 100) for share in (50, 99)} for name, found in times.items()
    }
    ratio = figures["readiness"]["p99"] / figures["healthz"]["p99"]
    for name, found in figures.items():
        print(f"{name:10} p50 {found['p50'] * 1000:6.2f} ms   p99 {found['p99'] * 1000:6.2f} ms")
    print(f"readiness / healthz at p99: {ratio:.2f} (bar: at most {BAR:g})")
    write_figures("readiness", {"per_second": RATE, "seconds": seconds, "times": figures, "ratio": ratio, "bar": BAR})
    return 0 if ratio <= BAR else 1


def prepare(run: Run) -> dict[str, list[tuple[str, dict[str, str]]]]:
    """Report accounts by webhook. Return the URLs to request, with their headers."""
    url = run.checkout.url
    agency = run.checkout.manage("create_agency", "Benchmark")
    source = run.checkout.manage("create_source", "salesflow", "--agency", agency["agency_id"])
    wait_for(lambda: http.request("GET", f"{url}/readyz").status == 200, 60)
    for number in range(ACCOUNTS):
        body = {
            "EventType": "ACCOUNT_STATUS_CHANGED",
            "Payload": {"Data": {"Status": "ACCOUNT_ACTIVE"}},
            "LinkedInAccountId": 1000 + number,
            "LinkedInEmail": f"a{number}@example.com",
        }
        answer = http.request(
            "POST", source["webhook_url"], body=json.dumps(body), headers={"x-webhook-secret": source["secret"]}
        )
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.data!r}")
    key = {"Authorization": f"Bearer {agency['api_key']}"}

    def accounts() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = http.request("GET", f"{url}/api/v1/accounts", headers=key).json()["results"]
        return found if len(found) == ACCOUNTS else []

    asked = [(f"{url}/api/v1/accounts/{account['id']}/readiness", key) for account in wait_for(accounts, 30)]
    return {"healthz": [(f"{url}/healthz", {})], "readiness": asked}


def measure(targets: dict[str, list[tuple[str, dict[str, str]]]], seconds: int) -> dict[str, list[float]]:
    """Return the seconds from when each request was due to its response, by name. Names get RATE requests a second."""
    step = 1 / (RATE * len(targets))
    found: dict[str, list[Future[float]]] = {name: [] for name in targets}
    with ThreadPoolExecutor(16) as pool:
        begin = time.monotonic() + 0.1
        for turn in range(RATE * seconds):
            for place, (name, urls) in enumerate(targets.items()):
                due = begin + (turn * len(targets) + place) * step
                time.sleep(max(0.0, due - time.monotonic()))
                found[name].append(pool.submit(time_request, due, *urls[turn % len(urls)]))
    return {name: [future.result() for future in futures] for name, futures in found.items()}


def time_request(due: float, url: str, headers: dict[str, str]) -> float:
    answer = http.request("GET", url, headers=headers)
    if answer.status != 200:
        raise RuntimeError(f"{url}: {answer.status}")
    return time.monotonic() - due


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
