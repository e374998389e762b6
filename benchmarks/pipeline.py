"""Measure the way from a provider's POST to a receiver and to the API, and how fast a backlog is processed.

A real `make run` gets signed posts, one every so often: 20 a second on its embedded back ends, 20 and 200 a second on
PostgreSQL and Redis. From the start of each post, it is measured how long until a local receiver has its webhook. At
the lower rate one agency's API is polled as well, until it shows the account. Throughput, on PostgreSQL: see
`benchmarks.backlog`.
"""

import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import FIGURES_FOLDER, percentile, write_figures
from tests import servers
from tests.e2e.stack import Checkout, Run, http, running, wait_for

SECONDS = 15
WARM_UP_SECONDS = 2
SETTINGS = {"API_RATE": "1000000", "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8"}


@dataclass(frozen=True)
class Trial:
    name: str
    rate: int  # posts a second
    polls_api: bool
    bars: dict[str, float]  # seconds


EMBEDDED = [Trial("SQLite and the embedded broker", 20, True, {"p50": 0.050, "p99": 0.120})]
SERVERS = [
    Trial("PostgreSQL and Redis", 20, True, {"p50": 0.050, "p99": 0.120}),
    Trial("PostgreSQL and Redis", 200, False, {"p99": 0.150}),
]


def main() -> int:
    print(f"From a POST, for {SECONDS} s; bars in brackets")
    backlog = None
    figures: dict[str, Any] = {"seconds": SECONDS, "trials": [measure_run(SETTINGS, trial) for trial in EMBEDDED]}
    if reason := servers.missing():
        print(f"PostgreSQL and Redis, and the backlog: skipped, {reason}.")
    else:
        with server_settings() as settings:
            figures["trials"] += [measure_run(settings, trial) for trial in SERVERS]
        backlog = subprocess.run([sys.executable, "-m", "benchmarks.backlog"])
        if (FIGURES_FOLDER / "backlog.json").is_file():
            figures["backlog"] = json.loads((FIGURES_FOLDER / "backlog.json").read_text())
    write_figures("pipeline", figures)
    within = all(trial["webhook"][share] <= bar for trial in figures["trials"] for share, bar in trial["bars"].items())
    return 0 if within and not (backlog and backlog.returncode) else 1


@contextmanager
def server_settings() -> Iterator[dict[str, str]]:
    name = f"leadline_bench_{secrets.token_hex(4)}"
    with servers.database(name) as url:
        try:
            yield {**SETTINGS, "DATABASE_URL": url, "REDIS_URL": servers.REDIS_URL, "REDIS_KEY_PREFIX": name}
        finally:
            servers.forget_keys(name)


def measure_run(settings: dict[str, str], trial: Trial) -> dict[str, Any]:
    """Return the trial's figures, in seconds from the start of a post."""
    with tempfile.TemporaryDirectory() as folder, running(Checkout(Path(folder, "leadline"), settings)) as run:
        times = measure_latency(run, trial)
    found = {name: percentiles_of(values) for name, values in times.items()}
    for name, shares in found.items():
        words = "   ".join(
            f"{share} {value * 1000:5.0f} ms" + bar_of(trial, share, name) for share, value in shares.items()
        )
        print(f"  {trial.name}, {trial.rate}/s, to {'a receiver' if name == 'webhook' else 'the API'}: {words}")
    return {"backend": trial.name, "posts_per_second": trial.rate, "bars": trial.bars, **found}


def bar_of(trial: Trial, share: str, name: str) -> str:
    return f" ({trial.bars[share] * 1000:.0f})" if name == "webhook" and share in trial.bars else ""


def measure_latency(run: Run, trial: Trial) -> dict[str, list[float]]:
    agency = run.checkout.manage("create_agency", f"Benchmark {trial.rate}")
    source = run.checkout.manage("create_source", "salesflow", "--agency", agency["agency_id"])
    wait_for(lambda: http.request("GET", f"{run.checkout.url}/readyz").status == 200, 60)
    with timing_receiver() as url:
        create_webhook_channel(run, agency["api_key"], url)
        warmed_up = post_steadily(source, trial.rate, WARM_UP_SECONDS, "w")
        wait_for(lambda: warmed_up.keys() <= times_at(url).keys(), 30)
        poller = AccountPoller(run, agency["api_key"]) if trial.polls_api else None
        began = post_steadily(source, trial.rate, SECONDS, "p")
        wait_for(lambda: began.keys() <= times_at(url).keys(), 30, pause=0.5)
        received = times_at(url)
        times = {"webhook": [received[name] - at for name, at in began.items()]}
        if poller:
            wait_for(lambda: began.keys() <= poller.seen.keys(), 30)
            poller.stop()
            times["api"] = [poller.seen[name] - at for name, at in began.items()]
    return times


def post_steadily(source: dict[str, Any], rate: int, seconds: int, prefix: str) -> dict[str, float]:
    """Post at `rate`. Return when each account's post began, by the account's e-mail address."""
    began: dict[str, float] = {}
    begin = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        posts = []
        for number in range(rate * seconds):
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))
            posts.append(threads.submit(post, source, f"{prefix}{number}@example.com", began))
        for done in posts:
            done.result()
    return began


def post(source: dict[str, Any], name: str, began: dict[str, float]) -> None:
    payload = {
        "EventType": "ACCOUNT_STATUS_CHANGED",
        "Payload": {"Data": {"Status": "ACCOUNT_ACTIVE"}},
        "LinkedInAccountId": name,
        "LinkedInEmail": name,
    }
    headers = {"x-webhook-secret": source["secret"], "content-type": "application/json"}
    began[name] = time.monotonic()
    answer = http.request("POST", source["webhook_url"], body=json.dumps(payload), headers=headers)
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.data!r}")


@contextmanager
def timing_receiver() -> Iterator[str]:
    """Start the receiver, and yield its URL."""
    command = [sys.executable, "-m", "benchmarks.timing_receiver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/leadline"
        finally:
            process.terminate()


def times_at(url: str) -> dict[str, float]:
    found: dict[str, float] = http.request("GET", url).json()
    return found


def create_webhook_channel(run: Run, key: str, url: str) -> None:
    answer = http.request(
        "POST",
        f"{run.checkout.url}/api/v1/channels",
        json={"kind": "webhook", "name": "benchmark", "url": url},
        headers={"Authorization": f"Bearer {key}"},
    )
    if answer.status != 201:
        raise RuntimeError(f"{answer.status}: {answer.data!r}")


class AccountPoller:
    """Poll the API for the newest accounts, and note when each of them first appears."""

    def __init__(self, run: Run, key: str) -> None:
        self.seen: dict[str, float] = {}
        self._url = f"{run.checkout.url}/api/v1/accounts?limit=50"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._stopped = threading.Event()
        threading.Thread(target=self._poll, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _poll(self) -> None:
        while not self._stopped.wait(0.1):
            answer = http.request("GET", self._url, headers=self._headers)
            if answer.status == 200:
                for account in answer.json()["results"]:
                    self.seen.setdefault(account["email"], time.monotonic())


def percentiles_of(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(percentile(values, 0.5), 4),
        "p99": round(percentile(values, 0.99), 4),
        "longest": round(max(values), 4),
    }


if __name__ == "__main__":
    sys.exit(main())
