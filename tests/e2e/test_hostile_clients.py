"""Real processes under hostile connections: honest webhooks are taken, memory stays, nobody is locked out."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.e2e.stack import ROOT, Checkout, Run, free_port, http, rows, wait_for

pytestmark = pytest.mark.fault

MEBIBYTE = 1024 * 1024


@pytest.fixture
def sources(run: Run) -> dict[str, dict[str, Any]]:
    agency = run.checkout.manage("create_agency", "Honest & Sons")["agency_id"]
    return {
        provider: run.checkout.manage("create_source", provider, "--agency", agency)
        for provider in ("salesflow", "welink")
    }


def post(source: dict[str, Any], number: int, base: str = "") -> int:
    body = {"EventType": "ACCOUNT_STATUS_CHANGED", "Payload": {"Data": {"Status": "ACCOUNT_ACTIVE"}}}
    path = urlsplit(source["webhook_url"]).path
    url = f"{base}{path}" if base else source["webhook_url"]
    content = json.dumps({**body, "LinkedInAccountId": 1000 + number})
    return http.request("POST", url, body=content, headers={"x-webhook-secret": source["secret"]}).status


def test_honest_webhooks_are_taken_beside_a_hundred_hostile_connections(
    run: Run, sources: dict[str, dict[str, Any]]
) -> None:
    path = urlsplit(sources["welink"]["webhook_url"]).path
    attack = [sys.executable, "-m", "tests.e2e.hostile_clients", str(run.checkout.port), path, "300", "100"]
    with subprocess.Popen(attack, cwd=ROOT, stdout=subprocess.PIPE, text=True) as clients:
        for number in range(60):
            post_as_a_provider(sources["salesflow"], number)
        assert clients.poll() is None
        clients.terminate()
        outcomes = json.loads(clients.communicate(timeout=60)[0])

    query = f"SELECT COUNT(*) FROM webhooks_receipt WHERE source_id = '{sources['salesflow']['source_id']}'"
    assert rows(run.checkout, query)[0][0] >= 60
    assert {name for name in outcomes if name.startswith("forged_")} <= {
        f"forged_{kind} {outcome}" for kind in ("brackets", "flood") for outcome in ("began", "401", "429", "503")
    }
    assert outcomes["long_path 414"] > 0


def post_as_a_provider(source: dict[str, Any], number: int) -> None:
    """Post until it is accepted: on a machine that is busy otherwise a 503 may come first, but nothing else."""
    for _ in range(20):
        status = post(source, number)
        assert status in {200, 503}
        if status == 200:
            return
    raise AssertionError("never accepted")


@contextmanager
def web_process(checkout: Checkout, files: int) -> Iterator[tuple[str, psutil.Process]]:
    """A `run_web` that may open so many files, beside the others."""
    port = free_port()
    command = f"ulimit -n {files} && exec .venv/bin/python manage.py run_web --port {port}"
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=checkout.folder,
        env=checkout.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            wait_for(lambda: _healthy(base), 60)
            yield base, psutil.Process(process.pid)
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(20)


def _healthy(base: str) -> bool:
    try:
        return http.request("GET", f"{base}/healthz", timeout=2).status == 200
    except Exception:
        return False


def hold(stack: ExitStack, base: str, data: bytes, count: int) -> None:
    for _ in range(count):
        client = stack.enter_context(socket.socket())
        client.settimeout(10)
        client.connect(("127.0.0.1", urlsplit(base).port))
        try:
            client.sendall(data)
        except OSError:  # it had to make room already
            continue


@pytest.mark.parametrize(
    "data", [b"", b"POST /webhooks/salesflow/x HTTP/1.1\r\nHost: x\r\n"], ids=["idle", "half head"]
)
def test_320_idle_connections_lock_nobody_out_of_256_files(
    run: Run, sources: dict[str, dict[str, Any]], data: bytes
) -> None:
    with web_process(run.checkout, 256) as (base, _), ExitStack() as stack:
        hold(stack, base, data, 320)
        http.clear()  # an idle connection of ours may have had to go, too
        assert [post(sources["salesflow"], number, base) for number in range(20)] == [200] * 20


def test_half_sent_forms_take_bounded_memory_and_give_it_back(run: Run, sources: dict[str, dict[str, Any]]) -> None:
    head = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3100000\r\n\r\n"
    with web_process(run.checkout, 1024) as (base, process):
        assert post(sources["salesflow"], 1, base) == 200
        before = process.memory_info().rss
        with ExitStack() as stack:
            hold(stack, base, head + b"x" * 2_900_000, 120)
            during = process.memory_info().rss
            assert post(sources["salesflow"], 2, base) == 200
        wait_for(lambda: process.memory_info().rss < before + 24 * MEBIBYTE, 20)

    assert during < before + 96 * MEBIBYTE


def test_an_endless_head_takes_no_memory(run: Run) -> None:
    with web_process(run.checkout, 1024) as (base, process):
        before = process.memory_info().rss
        with ExitStack() as stack:
            fields = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-n: aaaa\r\n" * 600_000
            hold(stack, base, fields, 3)
            hold(stack, base, b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 20 * MEBIBYTE, 3)
            assert process.memory_info().rss < before + 32 * MEBIBYTE
            assert http.request("GET", f"{base}/healthz").status == 200
