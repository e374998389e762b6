"""Every status × every report of every provider about an account: its event, its campaign and its prompt."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import services
from accounts.campaigns import service as campaigns
from accounts.core.enums import AccountStatus, RequestAction
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Campaign, Event, ReauthPrompt, Source
from tests.reactions import react
from tests.receiving import receive, source_of
from tests.webhooks.providers.wire import PAYLOADS, payload
from webhooks.models import Receipt
from webhooks.processing.processor import process_due_receipts, register_request

LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)
FIELDS = {"linkedconnector": "ghl_location_id", "highlevel": "locationId"}
STATUSES = ("active", "incomplete", "disconnected", "auth_error", "blocked", "deleted")
ASKED = ("incomplete", "disconnected", "auth_error")

#: Report --> the status that it says, and the event of that name.
REPORTS = {
    "salesflow/account_active": "active",
    "salesflow/account_paused": "incomplete",
    "salesflow/account_blocked": "disconnected",
    "salesflow/account_deleted": "deleted",
    "welink/login_success": "active",
    "welink/login_pin_required": "incomplete",
    "welink/login_pin_required_named": "incomplete",
    "welink/recruiter_acknowledgement_required": "incomplete",
    "welink/login_failed": "auth_error",
    "welink/login_failed_error_model": "auth_error",
    "welink/login_failed_named": "auth_error",
    "welink/login_failed_text": "auth_error",
    "welink/account_restricted": "blocked",
    "linkedconnector/linkedin_reconnected": "active",
    "linkedconnector/linkedin_disconnected": "disconnected",
    "linkedconnector/linkedin_auth_error": "auth_error",
    "linkedconnector/linkedin_blocked": "blocked",
    "linkedconnector/linkedin_deleted": "deleted",
}
#: Reports that leave the status as it is --> the event, once.
WITHOUT_STATUS = {
    "welink/rate_limited": ["linkedin_rate_limit"],
    "welink/proxy_error": [],
    "welink/profile_not_found": [],
    "linkedconnector/linkedin_rate_limit": ["linkedin_rate_limit"],
    "linkedconnector/install": ["install"],
    "highlevel/install": ["install"],
}
UNINSTALLS = ("linkedconnector/uninstall", "highlevel/uninstall")

# Before ↓, then the event; the campaign: runs, pauses, resumes, stays; the prompt: none, opens, stays, done, revoked.
_LEAVES = {"incomplete": "opens", "disconnected": "opens", "auth_error": "opens", "blocked": "none", "deleted": "none"}
_FROM_ASKED = {
    "active": ("linkedin_reconnected", "resumes", "done"),
    "incomplete": ("linkedin_incomplete", "stays", "stays"),
    "disconnected": ("linkedin_disconnected", "stays", "stays"),
    "auth_error": ("linkedin_auth_error", "stays", "stays"),
    "blocked": ("linkedin_blocked", "stays", "revoked"),
    "deleted": ("linkedin_deleted", "stays", "revoked"),
}
TABLE: dict[str, dict[str, tuple[str, str, str]]] = {
    "": {
        "active": ("linkedin_connected", "none", "none"),
        **{after: (f"linkedin_{after}", "none", prompt) for after, prompt in _LEAVES.items()},
    },
    "active": {
        "active": ("", "runs", "none"),
        **{after: (f"linkedin_{after}", "pauses", prompt) for after, prompt in _LEAVES.items()},
    },
    "incomplete": {**_FROM_ASKED, "incomplete": ("", "stays", "stays")},
    "disconnected": {**_FROM_ASKED, "disconnected": ("", "stays", "stays")},
    "auth_error": {**_FROM_ASKED, "auth_error": ("", "stays", "stays")},
    "blocked": {
        "active": ("linkedin_reconnected", "resumes", "none"),
        **{after: (f"linkedin_{after}", "stays", prompt) for after, prompt in _LEAVES.items()},
        "blocked": ("", "stays", "none"),
    },
    "deleted": {
        "active": ("linkedin_connected", "stays", "none"),
        **{after: (f"linkedin_{after}", "stays", prompt) for after, prompt in _LEAVES.items()},
        "deleted": ("", "stays", "none"),
    },
}


class Case:
    """An account in a status, with a campaign that ran on it while it was active; and a provider that reports."""

    def __init__(self, agency: Agency, case: str, before: str) -> None:
        self.agency, self.case = agency, case
        self.provider = case.split("/")[0]
        self.body: dict[str, Any] = json.loads(payload(case))
        self.source: Source = source_of(agency, self.provider)
        self.account: Account | None = None
        if before:
            self._make("active", 0)
            campaign = campaigns.campaign_of(agency, provider="sendpilot", external_id="c1", name="Spring")
            campaigns.update_campaign(campaign, account=self.account)
            if before != "active":
                self._make(before, 1)
        self.prompt_before = ReauthPrompt.objects.filter(closed_at=None).first()
        Event.objects.all().delete()

    def _make(self, status: str, day: int) -> None:
        location = str(self.body.get(FIELDS.get(self.provider, ""), ""))
        name = str(self.body.get("linkedin_account_name", "John Doe"))
        ids = {"salesflow": str(self.body.get("LinkedInAccountId")), "welink": "jane-doe-123"}
        by_name = self.provider in FIELDS
        self.account = services.report_status(
            self.agency,
            provider="linkedconnector" if by_name else self.provider,
            identity=AccountIdentity(
                external_id="" if by_name else ids[self.provider],
                location_id=location,
                name=name,
                email="a@example.com",
            ),
            status=AccountStatus(status),
            origin=Origin(by=self.provider, at=LONG_AGO + timedelta(days=day), source=self.source),
        )
        react()

    def happens(self) -> Receipt:
        if self.provider == "welink" and self.account:
            [name] = {"request_id", "requestId", "requestID"} & set(self.body)
            register_request(self.source, request_id=self.body[name], action=RequestAction.LOGIN, account=self.account)
        receipt = receive(self.source, self.body)
        while process_due_receipts():
            pass
        react()
        receipt.refresh_from_db()
        return receipt

    def events(self) -> list[str]:
        about_it = Event.objects.exclude(event_type__in=["reauth_requested", "campaign_paused", "campaign_resumed"])
        return list(about_it.order_by("id").values_list("event_type", flat=True))

    def campaign(self) -> str:
        campaign = Campaign.objects.first()
        if campaign is None:
            return "none"
        recorded = set(Event.objects.filter(event_type__startswith="campaign_").values_list("event_type", flat=True))
        if recorded:
            [word] = recorded
            assert (campaign.status, campaign.paused_by) == {
                "campaign_paused": ("paused", "system"),
                "campaign_resumed": ("active", ""),
            }[word]
            return {"campaign_paused": "pauses", "campaign_resumed": "resumes"}[word]
        return "runs" if campaign.status == "active" else "stays"

    def prompt(self) -> str:
        """What became of the prompt; whoever is asked is asked once, and only when one is opened."""
        now = ReauthPrompt.objects.filter(closed_at=None).first()
        asked = Event.objects.filter(event_type="reauth_requested").exclude(recipient="").count()
        if self.prompt_before is not None:
            assert asked == 0
            if now is None:
                self.prompt_before.refresh_from_db()
                return str(self.prompt_before.closed_as)
            assert now.pk == self.prompt_before.pk
            return "stays"
        addresses = len(now.recipients) if now else 0
        assert asked == addresses
        return "opens" if now else "none"


def expected(case: str, before: str) -> tuple[list[str], str, str]:
    after = REPORTS[case]
    event, campaign, prompt = TABLE[before][after]
    if case.startswith("linkedconnector/"):  # always passed on, under its own name
        event = case.split("/")[1]
    if case == "linkedconnector/linkedin_disconnected" and before != "disconnected":  # on purpose: nobody is asked
        prompt = "revoked" if before in ASKED else "none"
    return [event] if event else [], campaign, prompt


@pytest.mark.once
@pytest.mark.parametrize("before", ["", *STATUSES])
@pytest.mark.parametrize("case", REPORTS)
def test_a_report_of_a_status(agency: Agency, stranger: Agency, case: str, before: str) -> None:
    it = Case(agency, case, before)
    receipt = it.happens()
    if case.startswith("welink/") and not before and case != "welink/login_success":
        assert (receipt.status, Account.objects.count(), it.events()) == ("quarantined", 0, [])
        return
    assert receipt.status == "processed"
    account = Account.objects.get()
    assert account.status == REPORTS[case]
    assert (it.events(), it.campaign(), it.prompt()) == expected(case, before)
    row = account.reports.latest("id")
    assert (row.from_status, row.to_status, row.applied) == (before, REPORTS[case], True)
    assert not Event.objects.filter(agency=stranger).exists()


@pytest.mark.once
@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("case", WITHOUT_STATUS)
def test_a_report_that_leaves_the_status(agency: Agency, case: str, before: str) -> None:
    it = Case(agency, case, before)
    assert it.happens().status == "processed"
    account = Account.objects.get()
    assert account.status == before
    assert it.events() == WITHOUT_STATUS[case]
    assert it.campaign() == ("runs" if before == "active" else "stays")
    assert it.prompt() == ("stays" if before in ASKED else "none")
    assert (account.rate_limited_until is not None) == (WITHOUT_STATUS[case] == ["linkedin_rate_limit"])


@pytest.mark.once
@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("case", UNINSTALLS)
def test_an_uninstall(agency: Agency, case: str, before: str) -> None:
    it = Case(agency, case, before)
    assert it.happens().status == "processed"
    account = Account.objects.get()
    assert account.status == ("deleted" if before == "deleted" else "disconnected")
    assert it.events() == ["uninstall"]
    assert it.campaign() == ("pauses" if before == "active" else "stays")
    assert it.prompt() == ("revoked" if before in ASKED else "none")


def test_every_report_of_every_provider_about_accounts_is_in_the_table() -> None:
    """What is about leads, campaigns or requests alone has its own tables (tests/webhooks, tests/leads)."""
    about_leads = (
        "legacy_",
        "connection_",
        "message_",
        "profile_viewed",
        "profile_data",
        "search_",
        "plan_",
        "install_",
    )
    providers = ("salesflow", "welink", "linkedconnector", "highlevel")
    files = {f"{path.parent.name}/{path.stem}" for provider in providers for path in (PAYLOADS / provider).iterdir()}
    about_accounts = {case for case in files if not case.split("/")[1].startswith(about_leads)}
    assert about_accounts == {*REPORTS, *WITHOUT_STATUS, *UNINSTALLS}
