"""Measure how many signed webhooks a second are verified, stored and answered, beside two yardsticks.

pgbench inserts the same row, one in each transaction, over as many connections: with simple statements, and with
prepared ones, which are half as fast again and the harder yardstick. A plain Django REST Framework view does the same
work (verify, `create`, `.delay`) under gunicorn. Every request is different and sent once, and the rows are counted:
unless they equal the responses, the run is void.
"""

import os
import secrets
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.figures import write_figures
from tests import servers

if TYPE_CHECKING:
    from accounts.models import Source
    from benchmarks.ingest.traffic import Measurement, Traffic

ROUNDS = 3
SECONDS = 3.0
CONNECTIONS = (1, 16, 64)
WORKERS = int(os.environ.get("BENCH_WORKERS") or 2)
BARS = {1: 0.5, 64: 1.2}  # × pgbench with simple statements
BAR_PLAIN = 30.0  # × the better plain view, at 64 connections
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def main() -> int:
    if reason := servers.missing():
        print(f"Skipped: {reason}.")
        return 0
    name = f"leadline_bench_{secrets.token_hex(4)}"
    url = urlunsplit(urlsplit(servers.DATABASE_URL)._replace(path=f"/{name}"))
    os.environ |= {
        "DATABASE_URL": url,
        "REDIS_URL": servers.REDIS_URL,
        "REDIS_KEY_PREFIX": name.replace("_", "-"),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            with tempfile.TemporaryDirectory() as folder:
                return measure(Path(folder), url)
        finally:
            from django.db import connections

            connections.close_all()
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            servers.forget_keys(name.replace("_", "-"))


def measure(folder: Path, url: str) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from accounts.sources.service import create_source
    from accounts.tenancy.agencies import create_agency
    from benchmarks.ingest.traffic import Traffic

    agency, _ = create_agency(name="Benchmark")
    source, _ = create_source(agency=agency, provider="sendpilot", secret=SECRET)
    traffic = Traffic(folder)
    print(f"{WORKERS} workers, {ROUNDS} rounds of {SECONDS:.0f} s, load generator in {traffic.generator}")
    rounds = beside_pgbench(traffic, source, url)
    return report_rounds(rounds, measure_plain_views(traffic, source))


class Round(NamedTuple):
    """Hold one round: pgbench's rows a second with simple and with prepared statements, and our measurement."""

    simple: float
    prepared: float
    ours: "Measurement"


def beside_pgbench(traffic: "Traffic", source: "Source", url: str) -> dict[int, list[Round]]:
    """Return the rounds for each number of connections."""
    from benchmarks.ingest.yardsticks import insert_rate, our_server

    rounds: dict[int, list[Round]] = {count: [] for count in CONNECTIONS}
    with our_server(WORKERS) as port:
        measure_checked(traffic, port, source, connections=8, max_requests=100_000)  # warms up both workers
        for _ in range(ROUNDS):
            for count in CONNECTIONS:
                simple, prepared = (
                    insert_rate(url, source, connections=count, seconds=SECONDS, mode=mode)
                    for mode in ("simple", "prepared")
                )
                max_requests = int(prepared * SECONDS * 4) + 5_000
                ours = measure_checked(traffic, port, source, connections=count, max_requests=max_requests)
                rounds[count].append(Round(simple, prepared, ours))
    return rounds


def measure_plain_views(traffic: "Traffic", source: "Source") -> dict[str, "Measurement"]:
    from benchmarks.ingest.yardsticks import plain_server

    found = {}
    for kind in ("gthread", "sync"):
        with plain_server(kind) as port:
            traffic.send(port, source, SECRET, connections=8, seconds=1, max_requests=20_000)
            found[kind] = measure_checked(traffic, port, source, connections=64, max_requests=20_000)
    return found


def measure_checked(
    traffic: "Traffic", port: int, source: "Source", *, connections: int, max_requests: int
) -> "Measurement":
    """Measure a load. Raise RuntimeError unless every response is an acceptance and every acceptance a row."""
    from webhooks.models import Receipt

    before = Receipt.objects.count()
    found = traffic.send(port, source, SECRET, connections=connections, seconds=SECONDS, max_requests=max_requests)
    rows = Receipt.objects.count() - before
    if not found.is_valid or rows != found.accepted:
        raise RuntimeError(f"{rows} rows for {found}")
    return found


def report_rounds(rounds: dict[int, list[Round]], plain: dict[str, "Measurement"]) -> int:
    """Print and write the medians of the rounds. Return 1 if one is below its bar."""
    lines: dict[int, dict[str, float]] = {}
    print(f"\n{'':>11} {'pgbench':>8} {'':>6} {'':>5} {'prepared':>9}")
    print(f"{'connections':>11} {'rows/s':>8} {'ratio':>6} {'bar':>5} {'rows/s':>9} {'ratio':>6}  ours/s, p50, p99")
    for count, found in rounds.items():
        line = lines[count] = {
            "pgbench": statistics.median(one.simple for one in found),
            "ratio": statistics.median(one.ours.rate / one.simple for one in found),
            "pgbench_prepared": statistics.median(one.prepared for one in found),
            "ratio_prepared": statistics.median(one.ours.rate / one.prepared for one in found),
            "ours": statistics.median(one.ours.rate for one in found),
            "p50": statistics.median(one.ours.p50 for one in found),
            "p99": statistics.median(one.ours.p99 for one in found),
        }
        print(
            f"{count:>11} {line['pgbench']:>8,.0f} {line['ratio']:>6.2f} {BARS.get(count, ''):>5}"
            f" {line['pgbench_prepared']:>9,.0f} {line['ratio_prepared']:>6.2f}"
            f"  {line['ours']:,.0f}, {line['p50'] * 1000:.2f} ms, {line['p99'] * 1000:.2f} ms"
        )
    for kind, plain_result in plain.items():
        print(
            f"  plain DRF, gunicorn {kind:<8}{plain_result.rate:>8,.0f}/s at 64, p99 {plain_result.p99 * 1000:.0f} ms"
        )
    times = lines[64]["ours"] / max(plain_result.rate for plain_result in plain.values())
    print(f"  ours at 64: {times:.1f} × the better of them (bar {BAR_PLAIN:.0f} ×)")
    answers = sum(one.ours.answers for found in rounds.values() for one in found)
    print(f"  {answers:,} answers of 200, as many rows.")
    figures = {
        "workers": WORKERS,
        "connections": lines,
        "plain": {kind: {"rate": plain_result.rate, "p99": plain_result.p99} for kind, plain_result in plain.items()},
        "times_plain": times,
        "answers": answers,
        "bars": {"pgbench": BARS, "plain": BAR_PLAIN},
    }
    write_figures("ingest", figures)
    fine = all(lines[count]["ratio"] >= bar for count, bar in BARS.items())
    return 0 if fine and times >= BAR_PLAIN else 1


if __name__ == "__main__":
    sys.exit(main())
