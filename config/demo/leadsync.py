"""Play LinkedIn's part of the day against its stand-in: connect, subscribe, a lead's life, and its withdrawal."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.conf import settings

from accounts.core.enums import EventType, ProviderSlug
from accounts.models import Event, Source
from accounts.sources.service import create_source, delete_source
from config.demo.lead_life import people_who_take_turns, play_lead_life
from config.demo.runner import Runner, StepResult, wait_for
from leads.lead_sync.oauth import connect_link
from leads.lead_sync.subscriptions import want
from leads.lead_sync.tokens import STAND_IN
from leads.models import Lead, LeadReference, LeadSync
from webhooks.models import Receipt

NAME = "LinkedIn's stand-in (make demo)"
CLIENT = "standin-client"
ACCOUNT = "urn:li:sponsoredAccount:520866471"
_http = urllib3.PoolManager(retries=False, timeout=20)


def play_lead_sync(runner: Runner) -> list[StepResult]:
    """Play a connection, a lead and its withdrawal, and return what became of each."""
    secret = secrets.token_urlsafe(24)
    with _stand_in(secret) as base:
        source, _ = create_source(
            agency=runner.agency, provider=ProviderSlug.LINKEDIN, name=NAME, secret=secret,
            credentials={"client_id": CLIENT, STAND_IN: base},
        )  # fmt: skip
        want(source, [{"owner": ACCOUNT, "lead_type": "SPONSORED"}])
        try:
            return _day(runner, source, base)
        finally:
            LeadSync.objects.filter(source=source).delete()
            delete_source(source)


def _day(runner: Runner, source: Source, base: str) -> list[StepResult]:
    results = [_connect(runner, source)]
    if results[0].faults:
        return results
    with people_who_take_turns(runner.agency) as members:
        lead = _control(base, "submit", {})["id"]
        results.append(_notified(runner, source, base, "CREATED", lead, "lead complete", EventType.LEAD_CREATED))
        if not results[-1].faults:
            reference = LeadReference.objects.get(agency=runner.agency, external_id=lead)
            results += play_lead_life(runner, reference.lead_id, members, secrets.token_hex(4))
        results.append(_notified(runner, source, base, "DELETED", lead, "no lead", EventType.LEAD_ERASED))
    return results


def _connect(runner: Runner, source: Source) -> StepResult:
    """Open the link as a person would, and wait until LinkedIn has validated the address, subscribed and finished the
    back-fill.

    From then on only a notification can tell of a new lead.
    """
    result = StepResult(source.provider, "connect", link=f"/admin/leads/leadsync/{source.pk}/change/")
    there = _http.request("GET", connect_link(source).url, redirect=False)
    back = urlsplit(there.headers.get("location", ""))
    answer = _http.request("GET", f"{runner.base_url}{back.path}?{back.query}")
    result.answer = str(answer.status)
    made = LeadSync.objects.filter(source=source, subscriptions__external_id__gt="", pulls__finished_at__isnull=False)
    subscribed = wait_for(made.exists)
    sync = LeadSync.objects.select_related("account").get(source=source)
    result.state = f"account {sync.account.status}, subscribed" if sync.account and subscribed else "not connected"
    if result.answer != "200" or result.state != "account active, subscribed":
        result.faults.append(f"{result.answer} {result.state}, not 200 account active, subscribed")
    return result


def _notified(
    runner: Runner, source: Source, base: str, action: str, lead: str, becomes: str, event: EventType
) -> StepResult:
    result = StepResult(source.provider, f"{action}, and the answers" if action == "CREATED" else action)
    statuses = _control(base, "notify", {"lead": lead, "action": action})["statuses"]
    result.answer = " ".join(map(str, statuses)) + " accepted"
    wait_for(lambda: _state(runner, lead) == becomes)
    result.state = _state(runner, lead)
    receipt = Receipt.objects.filter(source=source).order_by("-sequence").first()
    if receipt is None or statuses != [200] or result.state != becomes:
        result.faults.append(f"{statuses} {result.state}, not [200] {becomes}")
        return result
    wait_for(lambda: Event.objects.filter(receipt_id=receipt.public_id, event_type=event).exists())
    runner.await_deliveries(receipt, result)
    receipt.refresh_from_db()
    result.receipt, result.link = receipt.status, f"/admin/webhooks/receipt/{receipt.pk}/change/"
    if result.events != [event.value]:
        result.faults.append(f"events: {result.events}, not {event.value}")
    return result


def _state(runner: Runner, external_id: str) -> str:
    references = LeadReference.objects.filter(agency=runner.agency, external_id=external_id)
    lead = Lead.objects.filter(pk__in=references.values("lead_id")).first()
    if lead is None:
        return "no lead"
    return "lead complete" if lead.email and not lead.details_pending else "lead PENDING"


def _control(base: str, what: str, body: dict[str, Any]) -> Any:
    """Make something happen on LinkedIn's side."""
    answer = _http.request("POST", f"{base}/_stand_in/{what}", body=json.dumps(body).encode())
    return json.loads(answer.data)


@contextmanager
def _stand_in(secret: str) -> Iterator[str]:
    command = [sys.executable, "-m", "config.demo.linkedin_api", "--client-id", CLIENT, "--client-secret", secret]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.terminate()
