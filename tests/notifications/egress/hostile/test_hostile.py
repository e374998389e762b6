"""A receiver that does everything wrong meets many deliveries: the good one beside it does not notice."""

import asyncio
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from aiohttp.abc import AbstractResolver, ResolveResult
from django.db import connection
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Agency
from accounts.tenancy.agencies import create_agency
from notifications.channels.service import create_channel, rotate_secret
from notifications.delivery import drain_deliveries
from notifications.egress import session as egress
from notifications.egress.session import GuardedSession
from notifications.models import Attempt, Channel, ChannelStatus, Delivery, DeliveryStatus, Hold
from tests.notifications.egress.hostile.receiver import ATTACKS
from tests.notifications.receiver import Receiver, receiver

pytestmark = pytest.mark.django_db(transaction=True)
MEMORY = 150 * 1024 * 1024  # over what it was before; what is thrown at it is more than a gibibyte
CLOSED = "The receiver closed the connection without an answer."
UNREADABLE = "The receiver's answer is not HTTP that can be read."
TLS = {
    "expired": "The receiver's TLS certificate has expired.",
    "wrong_name": "The receiver's TLS certificate is for another name.",
    "unknown_issuer": "The receiver's TLS certificate is signed by nobody that we know, or its chain is not complete.",
    "old_protocol": "No secure connection: the receiver broke off the TLS handshake. Does it speak TLS 1.2 or newer?",
}


def reasons() -> dict[str, set[str]]:
    """What the log may say of each way to misbehave; empty: it arrived."""
    slow = {f"No answer within {egress.TOTAL_TIMEOUT} seconds."}
    return {
        "hang": slow,
        "drip_head": slow,
        "drip_body": {"The receiver answered 500."},
        "gibibyte": {"The receiver answered 500."},
        "five_megabytes_of_headers": {UNREADABLE},
        "redirect_inside": {f"The receiver answered {status}." for status in (301, 302, 307)},
        "reset": {CLOSED},
        "recover": {"The receiver answered 500.", ""},
        "too_many": {"The receiver answered 429."},
        "gone": {"The receiver answered 410."},
        "close_in_the_head": {UNREADABLE, CLOSED},
        "close_in_the_body": {"The receiver answered 500."},
        "no_http": {UNREADABLE},
        "rebind": {"The receiver answered 500.", "The address is outside the public internet."},
        "silent": {f"No connection within {egress.CONNECT_TIMEOUT} seconds."},
        **{name: {reason} for name, reason in TLS.items()},
    }


class LocalResolver(AbstractResolver):
    """Asks the program's name server, over UDP."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        labels = b"".join(bytes([len(label)]) + label.encode() for label in host.split("."))
        query = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.setblocking(False)
            asking.connect(("127.0.0.1", self.port))
            asking.send(query)
            while True:
                try:
                    answer = asking.recv(512)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.01)
        address = socket.inet_ntoa(answer[-4:])
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """It keeps nothing open."""


@dataclass
class Hostile:
    ports: dict[str, int]

    def url(self, attack: str) -> str:
        if attack in TLS:
            return f"https://127.0.0.1:{self.ports[attack]}/{attack}"
        host = {"rebind": "rebind.example.com", "silent": "silent.example.com"}.get(attack, "127.0.0.1")
        return f"http://{host}:{self.ports['http']}/{attack}"

    def report(self) -> Counter[str]:
        """Whole requests, by path."""
        answer = urllib3.request("GET", f"http://127.0.0.1:{self.ports['http']}/report", timeout=10)
        return Counter(answer.json())


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Hostile]:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    command = [sys.executable, "-m", "tests.notifications.egress.hostile.receiver", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=settings.BASE_DIR) as program:
        assert program.stdout is not None
        it = Hostile(json.loads(program.stdout.readline()))
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
        yield it
        program.terminate()


@dataclass
class Day:
    """What happens while deliveries are made: an event every moment, and how much memory is held."""

    agency: Agency
    events: int
    every: float
    happened_at: dict[str, float] = field(default_factory=dict)
    memory: int = 0
    over: bool = False

    def happen(self) -> None:
        try:
            for _ in range(self.events):
                event = record_event(self.agency, EventType.LINKEDIN_BLOCKED, linkedin_account_name="John Doe")
                self.happened_at[event.pk] = time.monotonic()
                time.sleep(self.every)
        finally:
            connection.close()
            self.over = True

    def measure_memory(self) -> None:
        process = psutil.Process()
        before = process.memory_info().rss
        while not self.over:
            self.memory = max(self.memory, process.memory_info().rss - before)
            time.sleep(0.05)


def all_attacks() -> list[str]:
    return [*ATTACKS, "silent", *TLS]


def live_through(hostile: Hostile, agency: Agency, good: Receiver, *, events: int, every: float, seconds: float) -> Day:
    """Let events happen to a good receiver and to every hostile one, deliver for so long, and judge the good one."""
    channel, _ = create_channel(agency, kind="webhook", url=good.url, name="good", event_types=["linkedin_blocked"])
    rotate_secret(channel)
    for attack in all_attacks():
        create_channel(agency, kind="webhook", url=hostile.url(attack), name=attack, event_types=["linkedin_blocked"])
    day = Day(agency, events, every)
    threads = [threading.Thread(target=work) for work in (day.measure_memory, day.happen)]
    for thread in threads:
        thread.start()
    ends_at = time.monotonic() + seconds
    session = partial(GuardedSession, LocalResolver(hostile.ports["dns"]))
    while not day.over or time.monotonic() < ends_at:
        drain_deliveries(run_seconds=2, session=session)
        time.sleep(0.05)  # until somebody rings
    for thread in threads:
        thread.join()
    drain_deliveries(run_seconds=1, session=session)
    return day


def judge(day: Day, hostile: Hostile, good: Receiver) -> None:
    assert sorted(request.message_id for request in good.requests) == sorted(day.happened_at)
    for one in Attempt.objects.filter(delivery__channel__name="good").select_related("delivery"):
        for other in Attempt.objects.filter(delivery__channel__name="hang", delivery__event=one.delivery.event_id):
            assert ended(one) < ended(other)  # nobody waited for who hangs
    old_and_new = [Webhook(row.secret) for row in Channel.objects.get(name="good").secrets.all()]
    assert len(old_and_new) == 2
    for request in good.requests:
        for secret in old_and_new:
            secret.verify(request.body, request.headers)
    assert day.memory < MEMORY
    got, allowed = hostile.report(), reasons()
    assert got["inside"] == 0
    for channel in Channel.objects.exclude(name="good"):
        log = list(Attempt.objects.filter(delivery__channel=channel).values_list("error", "response_excerpt"))
        assert log, f"{channel.name} was never tried"
        assert {error for error, _ in log} <= allowed[channel.name], channel.name
        assert max(len(excerpt) for _, excerpt in log) <= 4096
        # The log has every request that the receiver saw, and nothing else; what waits uses up no attempt.
        assert sum(channel.deliveries.values_list("attempts", flat=True)) == len(log), channel.name
        never_there = {"The address is outside the public internet.", *allowed["silent"]}
        if channel.name not in TLS:
            assert got[channel.name] == sum(error not in never_there for error, _ in log), channel.name
        if channel.name != "gone":
            assert channel.deliveries.count() == len(day.happened_at)
    assert {error for error, _ in _log("rebind")} == allowed["rebind"]
    assert {error for error, _ in _log("recover")} == allowed["recover"]
    assert not Channel.objects.get(name="recover").deliveries.exclude(status=DeliveryStatus.DELIVERED).exists()
    gone = Channel.objects.get(name="gone")
    assert gone.status == ChannelStatus.DISABLED
    assert set(gone.deliveries.values_list("status", flat=True)) <= {DeliveryStatus.CANCELLED, DeliveryStatus.PENDING}
    too_soon = Delivery.objects.filter(channel__name="too_many", attempts=1, hold="")
    for delivery in too_soon:
        last = delivery.attempt_log.latest("pk")
        assert delivery.next_attempt_at is not None
        assert (delivery.next_attempt_at - last.at).total_seconds() >= 120


def ended(attempt: Attempt) -> datetime:
    return attempt.at + timedelta(milliseconds=attempt.duration_ms)


def _log(name: str) -> Any:
    return Attempt.objects.filter(delivery__channel__name=name).values_list("error", "status_code")


@pytest.mark.one_backend
def test_a_hostile_receiver_delays_nobody_and_the_log_says_what_it_did(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "TOTAL_TIMEOUT", 3)
    monkeypatch.setattr(egress, "CONNECT_TIMEOUT", 2)
    monkeypatch.setattr(egress, "BODY_TIMEOUT", 1)
    agency, _ = create_agency(name="Northwind")
    with receiver() as good:
        day = live_through(hostile, agency, good, events=6, every=0.3, seconds=8)
        judge(day, hostile, good)


@pytest.mark.fault
def test_a_thousand_deliveries_meet_a_hostile_receiver(hostile: Hostile) -> None:
    agency, _ = create_agency(name="Northwind")
    with receiver() as good:
        day = live_through(hostile, agency, good, events=60, every=1.0, seconds=110)
        judge(day, hostile, good)
    assert max(request.at - day.happened_at[request.message_id] for request in good.requests) < 2  # seconds
    assert Delivery.objects.exclude(channel__name="good").count() >= 1000
    assert Delivery.objects.filter(hold=Hold.REST, attempts=0).exists()
