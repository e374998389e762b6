"""What the desk adds to the path of a report: the reactions that it makes for routing, scores and clocks.

The same reports are processed with the desk's subscribers and without them, by turns, so that both see the same
machine. What the reactions do afterwards is no part of it.
"""

import json
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

ROUNDS, PEOPLE = 8, 500
STATUSES = ("CONNECTION_SENT", "CONNECTION_ACCEPTED", "MESSAGE_SENT", "REPLY_RECEIVED")
SUBSCRIBERS = ("routing", "scoring", "response clocks", "duplicates")


def measure_reports() -> dict[str, float]:
    """Return milliseconds of CPU for each report with the desk and without it, the growth, and statements added."""
    from accounts.sources.service import create_source
    from accounts.tenancy.agencies import create_agency

    agency, _ = create_agency(name="Reports")
    source = create_source(agency=agency, provider="sendpilot")[0]
    taken: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for number in range(ROUNDS):
        for on in (True, False) if number % 2 else (False, True):
            taken[on].append(_round(agency, source, on=on, number=2 * number + on))
    with_it, without = (statistics.median(ms for ms, _ in taken[on][1:]) for on in (True, False))
    more = statistics.median(n for _, n in taken[True]) - statistics.median(n for _, n in taken[False])
    return {"on_ms": with_it, "off_ms": without, "growth": with_it / without - 1, "statements": more}


def _round(agency: Any, source: Any, *, on: bool, number: int) -> tuple[float, float]:
    """Process reports about new people, four for each. Return milliseconds of CPU and statements for each report."""
    from django.db import connection

    from accounts.models import Reaction
    from webhooks.models import Receipt
    from webhooks.processing.processor import process_due_receipts

    begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    Receipt.objects.bulk_create(
        Receipt(
            source_id=source.pk,
            agency_id=agency.pk,
            provider="sendpilot",
            dedupe_key=secrets.token_bytes(32),
            body=json.dumps(_report(f"{number}-{who}", step, begin)).encode(),
            received_at=begin,
        )
        for step in range(len(STATUSES))
        for who in range(PEOPLE)
    )
    statements = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    with _subscribers(on=on), connection.execute_wrapper(count):
        began = time.thread_time()
        while process_due_receipts():
            pass
        seconds = time.thread_time() - began
    Reaction.objects.all().delete()
    reports = PEOPLE * len(STATUSES)
    if processed := Receipt.objects.exclude(status="processed").count():
        raise RuntimeError(f"{processed} receipts were not processed.")
    return 1000 * seconds / reports, statements / reports


def _report(person: str, step: int, begin: datetime) -> dict[str, Any]:
    return {
        "eventId": f"evt_{person}_{step}",
        "eventType": "lead.status.changed",
        "timestamp": (begin + timedelta(minutes=step)).isoformat(),
        "data": {
            "leadId": f"lead_{person}",
            "linkedinUrl": f"https://www.linkedin.com/in/person-{person}",
            "campaignId": "camp_1",
            "newStatus": STATUSES[step],
        },
    }


@contextmanager
def _subscribers(*, on: bool) -> Iterator[None]:
    """Have the desk's reactions made, or not."""
    from accounts.events import reactions
    from leads.pipeline import details

    events, changes = dict(reactions._subscriptions), list(details._subscribers)
    if missing := set(SUBSCRIBERS) - events.keys():
        raise RuntimeError(f"There is no subscriber {missing}.")
    if not on:
        for name in SUBSCRIBERS:
            del reactions._subscriptions[name]
        details._subscribers.clear()
    try:
        yield
    finally:
        reactions._subscriptions.clear()
        reactions._subscriptions.update(events)
        details._subscribers[:] = changes
