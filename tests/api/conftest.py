"""A key for each of two agencies, and an agency that has one of everything."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.core.enums import AccountStatus, EventType, Scope
from accounts.models import Account, AccountReport, Agency, Campaign, CampaignCommand, Source, SubAccount
from accounts.sources.service import create_source
from accounts.tenancy.api_keys import create_api_key
from leads.models import Lead, LeadReference
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from notifications.models import Attempt, Channel, Delivery
from webhooks.models import Receipt, RejectedRequest

BASE = "/api/v1"
SHARED = Client(raise_request_exception=False)  # loading the middleware anew for every test is what costs


@dataclass
class Api:
    """A client of the REST API with one key."""

    key: str
    client: Client = SHARED

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        return self.send("get", path, query or {}, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("post", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.send("patch", path, body, **headers)

    def delete(self, path: str) -> HttpResponse:
        return self.send("delete", path)

    def send(self, method: str, path: str, data: Any = None, **headers: str) -> HttpResponse:
        """`data` is the query of a GET, else the body: JSON is made of it unless it is bytes."""
        url = path if path.startswith(("/", "http")) else f"{BASE}/{path}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        options: dict[str, Any] = {"headers": headers}
        if method in ("get", "head", "options"):
            return getattr(self.client, method)(url, data or {}, **options)
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        content_type = headers.pop("Content-Type", "application/json")
        return getattr(self.client, method)(url, body, content_type=content_type, **options)


@dataclass
class World:
    """One of everything of an agency."""

    agency: Agency
    sub_account: SubAccount
    source: Source
    account: Account
    campaign: Campaign
    lead: Lead
    receipt: Receipt
    rejected: RejectedRequest
    channel: Channel
    email_channel: Channel
    delivery: Delivery

    def make_ready_for(self, rest: str) -> None:
        """Let what follows an id in a path succeed."""
        if rest == "/reauth":
            Account.objects.filter(pk=self.account.pk).update(status=AccountStatus.DISCONNECTED)
        if rest == "/connect":
            self.source.provider, self.source.credentials = "linkedin", {"client_id": "app"}
            self.source.save()

    @property
    def ids(self) -> dict[str, str]:
        """The id of one object of each resource that has a page of its own."""
        return {
            "accounts": self.account.id,
            "leads": self.lead.id,
            "sub-accounts": self.sub_account.id,
            "campaigns": self.campaign.id,
            "sources": self.source.id,
            "receipts": self.receipt.public_id,
            "events": self.delivery.event_id,
            "channels": self.channel.id,
            "deliveries": self.delivery.id,
        }


def make_world(agency: Agency, mark: str) -> World:
    now = timezone.now()
    sub_account = SubAccount.objects.create(agency=agency, location_id=f"loc{mark}", name="Main street", installed=True)
    source, _ = create_source(agency=agency, provider="welink", name=f"We-Link {mark}")
    account = Account.objects.create(
        agency=agency,
        provider="welink",
        external_id=f"profile-{mark}",
        name="Ada Lovelace",
        email=f"ada-{mark}@example.com",
        sub_account=sub_account,
        source=source,
        status=AccountStatus.ACTIVE,
        status_since=now,
        reported_at=now,
    )
    AccountReport.objects.create(
        account=account, to_status="active", occurred_at=now, reported_by="welink", receipt_id="rct_1", applied=True
    )
    campaign = Campaign.objects.create(
        agency=agency, provider="sendpilot", external_id=f"c-{mark}", name="Founders", account=account
    )
    CampaignCommand.objects.create(campaign=campaign, action="pause", status="failed")
    lead = create_lead(agency, name="Grace Hopper", email=f"grace-{mark}@example.com", campaign=campaign)
    LeadReference.objects.create(
        lead=lead, agency=agency, provider="sendpilot", external_id=f"lead-{mark}", campaign=campaign, status_since=now
    )
    receipt = Receipt.objects.create(
        source=source,
        agency=agency,
        provider="welink",
        dedupe_key=mark.encode().ljust(32, b"."),
        body=json.dumps({"request_id": f"r-{mark}", "status": "SUCCESS"}).encode(),
        received_at=now,
    )
    rejected = RejectedRequest.objects.create(
        source=source,
        reason="wrong_signature",
        diagnosis="It was not signed by us.",
        count=3,
        first_seen=now,
        last_seen=now,
    )
    channel, _ = create_channel(agency, kind="webhook", name="CRM", url=f"https://crm-{mark}.example.com/hook")
    email_channel, _ = create_channel(agency, kind="email", email=f"team-{mark}@example.com", verified=True)
    event = agency.events.filter(event_type=EventType.LEAD_CREATED).get()
    delivery = Delivery.objects.create(agency=agency, event=event, channel=channel)
    Attempt.objects.create(
        delivery=delivery, at=now, duration_ms=12, status_code=500, error="500 Internal Server Error"
    )
    return World(
        agency, sub_account, source, account, campaign, lead, receipt, rejected, channel, email_channel, delivery
    )


@pytest.fixture(autouse=True)
def _fresh_limits(fresh_cache: None) -> None:
    """Every test starts with the full rate."""


@pytest.fixture
def world(agency: Agency) -> World:
    return make_world(agency, "a")


@pytest.fixture
def strange_world(stranger: Agency) -> World:
    return make_world(stranger, "b")


@pytest.fixture
def api(agency: Agency) -> Api:
    return Api(create_api_key(agency)[1])


@pytest.fixture
def strange_api(stranger: Agency) -> Api:
    return Api(create_api_key(stranger)[1])


def api_with(agency: Agency, *scopes: Scope) -> Api:
    return Api(create_api_key(agency, scopes=scopes)[1])
