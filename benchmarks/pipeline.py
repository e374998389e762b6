"""Measure the way from a provider's POST to the API and to a receiver, and how fast a backlog is processed.

Latency: a real `make run` on its embedded back ends gets 20 signed posts a second. From each 200, it is measured how
long until the API shows the account, and until a local receiver has its webhook. Throughput, on PostgreSQL: see
`benchmarks.backlog`.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import FIGURES_FOLDER, percentile, write_figures
from config.demo.receiver import Receiver
from tests import servers
from tests.e2e.stack import Checkout, Run, http, running, wait_for

RATE = 20  # posts a second
SECONDS = 15
BARS = {"p50": 0.100, "p99": 2.000}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(
            Path(folder, "leadline"), {"API_RATE": "1000000", "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8"}
        )
        with running(checkout) as run:
            latency = measure_latency(run)
    within = print_latency(latency)
    figures: dict[str, Any] = {"posts_per_second": RATE, "latency": latency, "bars": BARS}
    if reason := servers.missing():
        print(f"Backlog: skipped, {reason}.")
    else:
        result = subprocess.run([sys.executable, "-m", "benchmarks.backlog"])
        within = within and result.returncode == 0
        if (FIGURES_FOLDER / "backlog.json").is_file():
            figures["backlog"] = json.loads((FIGURES_FOLDER / "backlog.json").read_text())
    write_figures("pipeline", figures)
    return 0 if within else 1


def measure_latency(run: Run) -> dict[str, dict[str, float]]:
    """Return the seconds from the 200, as p50, p99 and the longest."""
    agency = run.checkout.manage("create_agency", "Benchmark")
    source = run.checkout.manage("create_source", "salesflow", "--agency", agency["agency_id"])
    wait_for(lambda: http.request("GET", f"{run.checkout.url}/readyz").status == 200, 60)
    with TimingReceiver() as receiver:
        receiver.secret = create_webhook_channel(run, agency["api_key"], receiver.url)
        poller = AccountPoller(run, agency["api_key"])
        answered = post_steadily(source)
        wait_for(lambda: len(poller.seen) == len(answered) and len(receiver.times) == len(answered), 30)
        poller.stop()
    return {
        "api": percentiles_of([poller.seen[name] - at for name, at in answered.items()]),
        "webhook": percentiles_of([receiver.times[name] - at for name, at in answered.items()]),
    }


def post_steadily(source: dict[str, Any]) -> dict[str, float]:
    """Post at RATE. Return when each account's post was answered, by the account's e-mail address."""
    answered = {}
    for number in range(RATE * SECONDS):
        due = time.monotonic() + 1 / RATE
        name = f"p{number}@example.com"
        payload = {
            "EventType": "ACCOUNT_STATUS_CHANGED",
            "Payload": {"Data": {"Status": "ACCOUNT_ACTIVE"}},
            "LinkedInAccountId": 1000 + number,
            "LinkedInEmail": name,
        }
        headers = {"x-webhook-secret": source["secret"], "content-type": "application/json"}
        answer = http.request("POST", source["webhook_url"], body=json.dumps(payload), headers=headers)
        answered[name] = time.monotonic()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.data!r}")
        time.sleep(max(0.0, due - time.monotonic()))
    return answered


def create_webhook_channel(run: Run, key: str, url: str) -> str:
    """Create a webhook channel and return its secret."""
    answer = http.request(
        "POST",
        f"{run.checkout.url}/api/v1/channels",
        json={"kind": "webhook", "name": "benchmark", "url": url},
        headers={"Authorization": f"Bearer {key}"},
    )
    if answer.status != 201:
        raise RuntimeError(f"{answer.status}: {answer.data!r}")
    return str(answer.json()["secret"])


class TimingReceiver(Receiver):
    """Note when each account's webhook arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.times: dict[str, float] = {}

    def take(self, body: bytes, headers: dict[str, str]) -> bool:
        accepted = super().take(body, headers)
        if accepted:
            self.times.setdefault(json.loads(body)["linkedin_account_email"], time.monotonic())
        return accepted


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
        while not self._stopped.wait(0.02):
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


def print_latency(latency: dict[str, dict[str, float]]) -> bool:
    """Print the figures. Return whether all are within their bars."""
    print(f"From the 200, at {RATE} posts/s for {SECONDS} s (bars: p50 < 100 ms, p99 < 2 s)")
    for name, figures in latency.items():
        words = "   ".join(f"{share} {value * 1000:6.0f} ms" for share, value in figures.items())
        print(f"  to {'the API' if name == 'api' else 'a receiver':<12}{words}")
    return all(figures[share] < bar for figures in latency.values() for share, bar in BARS.items())


if __name__ == "__main__":
    sys.exit(main())
