"""Play LinkedIn's part of the day against its stand-in: connect, subscribe, submit a form and withdraw it."""

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
from config.demo.play import Seen, Stage, wait_for
from leads.lead_sync.oauth import connect_link
from leads.lead_sync.subscriptions import want
from leads.lead_sync.tokens import STAND_IN
from leads.models import Lead, LeadReference, LeadSync
from webhooks.models import Receipt

NAME = "LinkedIn's stand-in (make demo)"
CLIENT = "standin-client"
ACCOUNT = "urn:li:sponsoredAccount:520866471"
_http = urllib3.PoolManager(retries=False, timeout=20)


def play_lead_sync(stage: Stage) -> list[Seen]:
    """Play a connection, a lead and its withdrawal, and return what became of each."""
    secret = secrets.token_urlsafe(24)
    with _stand_in(secret) as base:
        source, _ = create_source(
            agency=stage.agency, provider=ProviderSlug.LINKEDIN, name=NAME, secret=secret,
            credentials={"client_id": CLIENT, STAND_IN: base},
        )  # fmt: skip
        want(source, [{"owner": ACCOUNT, "lead_type": "SPONSORED"}])
        try:
            return _day(stage, source, base)
        finally:
            LeadSync.objects.filter(source=source).delete()
            delete_source(source)


def _day(stage: Stage, source: Source, base: str) -> list[Seen]:
    seen = [_connect(stage, source)]
    if seen[0].faults:
        return seen
    lead = _tell(base, "submit", {})["id"]
    seen.append(_notified(stage, source, base, "CREATED", lead, "lead complete", EventType.LEAD_CREATED))
    seen.append(_notified(stage, source, base, "DELETED", lead, "no lead", EventType.LEAD_ERASED))
    return seen


def _connect(stage: Stage, source: Source) -> Seen:
    """Open the link as a person would, and wait until LinkedIn has validated the address, subscribed and finished the
    back-fill.

    From then on only a notification can tell of a new lead.
    """
    seen = Seen(source.provider, "connect", link=f"/admin/leads/leadsync/{source.pk}/change/")
    there = _http.request("GET", connect_link(source).url, redirect=False)
    back = urlsplit(there.headers.get("location", ""))
    answer = _http.request("GET", f"{stage.base_url}{back.path}?{back.query}")
    seen.answer = str(answer.status)
    made = LeadSync.objects.filter(source=source, subscriptions__external_id__gt="", pulls__finished_at__isnull=False)
    subscribed = wait_for(made.exists)
    sync = LeadSync.objects.select_related("account").get(source=source)
    seen.state = f"account {sync.account.status}, subscribed" if sync.account and subscribed else "not connected"
    if seen.answer != "200" or seen.state != "account active, subscribed":
        seen.faults.append(f"{seen.answer} {seen.state}, not 200 account active, subscribed")
    return seen


def _notified(stage: Stage, source: Source, base: str, action: str, lead: str, becomes: str, event: EventType) -> Seen:
    seen = Seen(source.provider, f"{action}, and the answers" if action == "CREATED" else action)
    statuses = _tell(base, "notify", {"lead": lead, "action": action})["statuses"]
    seen.answer = " ".join(map(str, statuses)) + " accepted"
    wait_for(lambda: _state(stage, lead) == becomes)
    seen.state = _state(stage, lead)
    receipt = Receipt.objects.filter(source=source).order_by("-sequence").first()
    if receipt is None or statuses != [200] or seen.state != becomes:
        seen.faults.append(f"{statuses} {seen.state}, not [200] {becomes}")
        return seen
    wait_for(lambda: Event.objects.filter(receipt_id=receipt.public_id, event_type=event).exists())
    stage.follow(receipt, seen)
    receipt.refresh_from_db()
    seen.receipt, seen.link = receipt.status, f"/admin/webhooks/receipt/{receipt.pk}/change/"
    if seen.events != [event.value]:
        seen.faults.append(f"events: {seen.events}, not {event.value}")
    return seen


def _state(stage: Stage, external_id: str) -> str:
    references = LeadReference.objects.filter(agency=stage.agency, external_id=external_id)
    lead = Lead.objects.filter(pk__in=references.values("lead_id")).first()
    if lead is None:
        return "no lead"
    return "lead complete" if lead.email and not lead.details_pending else "lead PENDING"


def _tell(base: str, what: str, body: dict[str, Any]) -> Any:
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
