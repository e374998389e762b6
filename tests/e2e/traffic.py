"""Webhooks that go on while something is broken. What is not accepted is sent again, as a provider does."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import urllib3

from tests.e2e.stack import Run, http, rows, wait_for
from tests.notifications.receiver import Receiver
from webhooks.providers import PROVIDERS

SENDERS = 4
PAUSE = 0.2  # seconds between two events of one sender
TIMEOUT = 5.0


@dataclass
class Traffic:
    """Events of one source, a lead each, and what the receiver of its agency got of them."""

    run: Run
    source: dict[str, Any]
    receiver: Receiver
    accepted: dict[str, float] = field(default_factory=dict)  # lead --> when
    statuses: dict[int, int] = field(default_factory=dict)
    slowest: float = 0.0
    _posted: set[str] = field(default_factory=set)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def send(self, sender: int) -> None:
        """Post new events until the traffic ends, each until it is accepted."""
        number = 0
        while not self._stopped.wait(PAUSE):
            number += 1
            name = f"{self.source['source_id']}-{sender}-{number}"
            self.post([name])

    def post(self, names: Iterable[str]) -> None:
        """Post an event of each lead until it is accepted."""
        for name in names:
            self._posted.add(name)
            while not self._post(name):
                time.sleep(PAUSE)

    def _post(self, name: str) -> bool:
        payload = {
            "eventId": f"evt_{name}",
            "eventType": "lead.updated",
            "timestamp": "2026-02-24T10:30:00.000Z",
            "workspaceId": "ws_1",
            "data": {"leadId": f"lead_{name}", "campaignId": "camp_1", "newStatus": "MESSAGE_SENT"},
        }
        now = datetime.now(UTC)  # noqa: TID251
        body, headers = PROVIDERS["sendpilot"].sign(json.dumps(payload).encode(), self.source["secret"], at=now)
        began = time.monotonic()
        try:
            status = http.request(
                "POST", self.source["webhook_url"], body=body, headers=headers, timeout=TIMEOUT
            ).status
        except urllib3.exceptions.HTTPError:
            status = 0
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 200:
            self.accepted[name] = time.monotonic()
        return status == 200

    def stop(self) -> None:
        self._stopped.set()

    def delivered(self) -> dict[str, float]:
        """When the agency first heard of each lead (monotonic)."""
        found: dict[str, float] = {}
        for request in self.receiver.requests:
            body = json.loads(request.body)
            name = str(body.get("lead_external_id", "")).removeprefix("lead_")
            if body["event_type"] == "lead_created" and name.startswith(self.source["source_id"]):
                found.setdefault(name, request.at)
        return found

    def processed(self) -> int:
        [(count,)] = rows(
            self.run.checkout,
            f"SELECT COUNT(*) FROM webhooks_receipt WHERE source_id = '{self.source['source_id']}' "
            "AND status = 'processed'",
        )
        return int(count)

    def seconds_to_recover(self, since: float) -> float:
        """Wait until everything accepted by then and something later was delivered. Return how long that took."""

        def alerted_at() -> float:
            delivered, accepted = self.delivered(), dict(self.accepted)
            before = [name for name, at in accepted.items() if at < since]
            later = [delivered[name] for name, at in accepted.items() if at >= since and name in delivered]
            if not later or any(name not in delivered for name in before):
                return 0.0
            return max([min(later), *(delivered[name] for name in before)])

        return float(wait_for(alerted_at, 90)) - since

    def drain(self) -> tuple[int, int, int, int, int]:
        """Let everything that was accepted have its effect: accepted, processed, delivered, lost, invented."""
        wait_for(lambda: self.processed() >= len(self.accepted) and len(self.delivered()) >= len(self.accepted), 90)
        delivered = self.delivered()
        lost, invented = self.accepted.keys() - delivered.keys(), delivered.keys() - self._posted
        return len(self.accepted), self.processed(), len(delivered), len(lost), len(invented)


@contextmanager
def traffic(run: Run, source: dict[str, Any], receiver: Receiver) -> Iterator[Traffic]:
    it = Traffic(run, source, receiver)
    threads = [threading.Thread(target=it.send, args=(number,), daemon=True) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(it.delivered()) > SENDERS)
        yield it
    finally:
        it.stop()
        for thread in threads:
            thread.join(30)
