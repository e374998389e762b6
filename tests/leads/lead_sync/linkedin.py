"""A source of an agency beside LinkedIn's stand-in, and the product's steps, taken one after the other."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import Message
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import time_machine
from django.db.models import Min, Model
from django.test import override_settings
from django.utils import timezone

from accounts.models import Agency, Source
from accounts.providers import linkedin as api
from accounts.providers.client import ApiResponse
from accounts.sources.service import create_source
from config.demo.linkedin_api import Gateway, StandIn, serving
from config.demo.linkedin_api.forms import ACCOUNT
from config.demo.linkedin_api.world import World
from leads.lead_sync import backfill
from leads.lead_sync.fetching import fetch_due
from leads.lead_sync.health_checks import check_due
from leads.lead_sync.labels import label_due
from leads.lead_sync.oauth import complete_connection, connect_link
from leads.lead_sync.subscriptions import want
from leads.models import LeadFetch, LeadSync, Pull, RefusedForm
from tests.receiving import receive
from webhooks.models import Receipt
from webhooks.processing.processor import process_due_receipts

BASE = "https://linkedin.example.com"
SECRET = "li-client-secret-example"
SPONSORED = {"owner": ACCOUNT, "lead_type": "SPONSORED", "form": "", "entity": ""}


@contextmanager
def linkedin(world: World | None = None, *, over_http: bool = False) -> Iterator[StandIn]:
    """The stand-in, where Leadline takes it for LinkedIn; its webhooks' challenge is answered for it.

    Without HTTP its gateway is called in the place of the network: the same answers, at a fraction of the price.
    """
    with serving(world) if over_http else _at_hand(world or World()) as stand_in:
        stand_in.world.challenge = lambda url: True  # type: ignore[method-assign]
        settings = {"LINKEDIN_API_BASE": stand_in.base, "LINKEDIN_OAUTH_BASE": stand_in.oauth_base}
        with override_settings(**settings):
            yield stand_in


@contextmanager
def _at_hand(world: World) -> Iterator[StandIn]:
    gateway = Gateway(world)

    def call(_: str, method: str, url: str, *, headers: Any, body: bytes | None = None, **__: Any) -> ApiResponse:
        sent = Message()
        for name, value in headers.items():
            sent[name] = value
        status, back, content = gateway.answer(method, url.removeprefix(BASE), sent, body or b"")
        return ApiResponse(status, {name.lower(): value for name, value in back.items()}, content)

    with patch("accounts.providers.linkedin.send_request", call):
        yield StandIn(world, BASE)


def source_of(agency: Agency) -> Source:
    source, _ = create_source(
        agency=agency, provider="linkedin", secret=SECRET, credentials={"client_id": "standin-client"}
    )
    want(source, [SPONSORED])
    return source


def agree(url: str) -> dict[str, str]:
    """What the consent page sends the person back with."""
    answer = api.send_request("LinkedIn", "GET", url, headers={})  # type: ignore[attr-defined]
    assert answer.status == 302, answer.content
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def connected(agency: Agency, **options: Any) -> Source:
    source = source_of(agency)
    complete_connection(agree(connect_link(source, **options).url))
    return source


def work() -> None:
    """Do everything that is due, as the workers would, until one round finds nothing."""
    jobs: tuple[Callable[[], object], ...] = (process_due_receipts, fetch_due, check_due, backfill.pull_due, label_due)
    while [job for job in jobs if finish(job)]:
        pass


def finish(job: Callable[[], object]) -> bool:
    """Call a job until nothing is due. Return whether anything was."""
    worked = False
    while job():
        worked = True
    return worked


def let_pass(clock: time_machine.Traveller, *, pace: timedelta, **time: float) -> None:
    """Work, and let time pass: from one moment at which something is due to the next that is at least `pace` later."""
    end = timezone.now() + timedelta(**time)
    work()
    while (now := timezone.now()) < end:
        due = [at for at in _due_after(now) if at is not None]
        clock.move_to(min(end, max(now + pace, min(due, default=end))))
        work()


def _due_after(now: datetime) -> Iterator[datetime | None]:
    models: tuple[type[Model], ...] = (Receipt, LeadFetch, Pull, RefusedForm, LeadSync)
    for model in models:
        rows = model._default_manager.filter(next_attempt_at__gt=now)
        yield rows.aggregate(first=Min("next_attempt_at"))["first"]


def notification(response: dict[str, Any], action: str = "CREATED", occurred_at: int = 0) -> dict[str, Any]:
    return {
        "type": "LEAD_ACTION",
        "leadGenFormResponse": f"urn:li:leadGenFormResponse:{response['id']}",
        "leadGenForm": response["versionedLeadGenFormUrn"].replace(",", ", "),
        "owner": response["owner"],
        "associatedEntity": {"sponsoredCreative": "urn:li:sponsoredCreative:241257736"},
        "leadType": response["leadType"],
        "leadAction": action,
        "occurredAt": occurred_at or response["submittedAt"],
    }


def notify(source: Source, response: dict[str, Any], action: str = "CREATED", occurred_at: int = 0) -> None:
    receive(source, json.dumps(notification(response, action, occurred_at)).encode())


def sync_of(source: Source) -> LeadSync:
    return LeadSync.objects.select_related("account", "source").prefetch_related("subscriptions").get(source=source)
