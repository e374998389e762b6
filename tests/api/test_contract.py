"""The shape of every resource, to the letter."""

import re
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from django.utils import timezone

from accounts.core.enums import AccountStatus, IssueKind
from accounts.models import Account, Campaign
from accounts.sources import issues
from tests.api.client import Api
from tests.cases import one_by_one
from tests.factories import World

FIELDS = {
    "accounts": "id provider external_id name email profile status status_reason status_since suggested_action "
    "rate_limited_until campaigns_paused source location_id linked_accounts worst_status created_at updated_at",
    "leads": "id name first_name last_name email phone phone_e164 title company company_size industry country state "
    "postal_code linkedin_url location references answers consents hidden_fields details_pending source lead_type form "
    "owner associated_entity campaign account status status_label status_since score priority assigned_to tags is_test "
    "received_at first_response_at created_at updated_at",
    "sub-accounts": "id location_id name installed installed_at installer_name installer_email ghl_user_id "
    "uninstalled_at",
    "campaigns": "id provider external_id name status paused_by pause_reason account",
    "sources": "id provider name webhook_url enabled health last_receipt_at location_id allowed_networks subscriptions",
    "receipts": "id provider source event_type status received_at processed_at error payload",
    "rejected-requests": "source reason diagnosis count first_seen last_seen",
    "events": "id event_type payload subject occurred_at created_at",
    "event-types": "name description schema example",
    "deliveries": "id event channel recipient status attempts next_attempt_at",
}
#: What is listed and has no page of its own.
WITHOUT_PAGE = {"rejected-requests", "event-types"}
TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@one_by_one("resource", FIELDS)
def test_a_list_has_the_fields_of_the_contract_in_their_order(resource: str, world: World, api: Api) -> None:
    answer = api.get(resource)
    assert answer.status_code == 200
    assert list(answer.json()) == ["results", "next", "previous"]
    assert list(answer.json()["results"][0]) == FIELDS[resource].split()


@one_by_one("resource", sorted(FIELDS.keys() - WITHOUT_PAGE))
def test_an_object_is_what_its_list_shows(resource: str, world: World, api: Api) -> None:
    body = api.get(f"{resource}/{world.ids[resource]}").json()
    row = next(row for row in api.get(resource).json()["results"] if row["id"] == world.ids[resource])
    log = body.pop("attempt_log", None)
    if resource == "deliveries":
        assert (body.pop("reason"), body.pop("sent_with")) == (None, None)
    assert body == row
    assert (log is not None) == (resource == "deliveries")


def test_a_delivery_shows_its_attempts(world: World, api: Api) -> None:
    (attempt,) = api.get(f"deliveries/{world.delivery.id}").json()["attempt_log"]
    assert TIMES.fullmatch(attempt.pop("at"))
    assert attempt == {
        "duration_ms": 12,
        "status_code": 500,
        "error": "500 Internal Server Error",
        "response_excerpt": None,
    }


def test_channels_show_what_their_kind_has(world: World, api: Api) -> None:
    common = ["id", "kind", "name", "event_types", "locations", "lead_statuses", "creation_locales"]
    common += ["conditions", "sentence", "test_events", "status", "disabled_reason"]
    peoples = ["mode", "digest_at", "quiet_hours", "working_days", "timezone"]
    peoples += ["conflation_seconds", "urgent_event_types"]
    webhook = api.get(f"channels/{world.channel.id}").json()
    email = api.get(f"channels/{world.email_channel.id}").json()
    assert sorted(webhook) == sorted([*common, "url", "headers", "rate_per_second"])
    assert sorted(email) == sorted([*common, "email", *peoples])
    assert (webhook["url"], webhook["status"]) == ("https://crm-a.example.com/hook", "enabled")
    assert (email["email"], email["mode"], email["quiet_hours"]) == ("team-a@example.com", "instant", None)
    assert email["digest_at"] == "08:00"


def test_histories_have_the_fields_of_the_contract(world: World, api: Api) -> None:
    report = api.get(f"accounts/{world.account.id}/history").json()["results"][0]
    assert list(report) == ["from_status", "to_status", "occurred_at", "reported_by", "receipt_id", "applied"]
    assert (report["from_status"], report["to_status"], report["receipt_id"]) == (None, "active", "rct_1")
    change = api.get(f"leads/{world.lead.id}/history").json()["results"][0]
    assert list(change) == [
        *("previous_status", "new_status", "changed_by", "occurred_at", "receipt_id", "applied", "note")
    ]
    assert (change["previous_status"], change["new_status"], change["changed_by"]) == (None, "PENDING", "api")


def test_parts_have_the_fields_of_the_contract(world: World, api: Api) -> None:
    account = api.get(f"accounts/{world.account.id}").json()
    assert list(account["profile"]) == ["first_name", "last_name", "public_identifier", "occupation", "premium"]
    lead = api.get(f"leads/{world.lead.id}").json()
    (reference,) = lead["references"]
    assert TIMES.fullmatch(reference.pop("status_since"))
    assert reference == {
        "provider": "sendpilot",
        "source": None,
        "external_id": "lead-a",
        "campaign": world.campaign.id,
        "status": "PENDING",
    }


def test_every_time_has_three_digits_and_z(world: World, api: Api) -> None:
    found = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for inner_name, inner in value.items():
                walk(inner_name, inner)
        elif isinstance(value, list):
            for inner in value:
                walk(name, inner)
        elif value and name.endswith(("_at", "_since", "_seen", "_until", "timestamp")):
            found.append((name, value))

    for resource in FIELDS:
        if resource != "event-types":
            walk(resource, api.get(resource).json()["results"])
    assert len(found) >= 15
    assert [pair for pair in found if not TIMES.fullmatch(pair[1])] == []


def test_event_types_are_the_catalogue_and_its_examples_fit_their_schemas(api: Api) -> None:
    kinds = api.get("event-types", {"limit": 200}).json()["results"]
    assert "linkedin_disconnected" in [kind["name"] for kind in kinds]
    for kind in kinds:
        jsonschema.validate(kind["example"], kind["schema"])
        assert kind["example"]["event_type"] == kind["name"]


def test_a_receipt_shows_the_body_as_json_without_what_text_cannot_hold(world: World, api: Api) -> None:
    world.receipt.body = b'{"preview": "half \\ud83d and \\u0000", "n": [1.5, {"\\ud800": null}]}'
    world.receipt.save()
    body = api.get(f"receipts/{world.receipt.public_id}").json()
    assert body["id"] == world.receipt.public_id
    assert body["payload"] == {"preview": "half \ufffd and \ufffd", "n": [1.5, {"\ufffd": None}]}
    world.receipt.body = b""
    world.receipt.save()
    assert api.get("receipts").json()["results"][0]["payload"] is None


def test_an_account_knows_its_campaigns_pause_and_the_persons_other_accounts(world: World, api: Api) -> None:
    path = f"accounts/{world.account.id}"
    assert api.get(path).json()["campaigns_paused"] is False
    Campaign.objects.filter(pk=world.campaign.pk).update(status="paused", paused_by="system")
    other = Account.objects.create(
        agency=world.agency,
        provider="salesflow",
        external_id="7",
        email=world.account.email.upper(),
        status=AccountStatus.BLOCKED,
        status_since=timezone.now(),
    )
    body = api.get(path).json()
    assert (body["campaigns_paused"], body["linked_accounts"], body["worst_status"]) == (True, [other.id], "blocked")
    Campaign.objects.create(agency=world.agency, provider="sendpilot", external_id="runs", account=world.account)
    Account.objects.filter(pk=other.pk).update(status=AccountStatus.DELETED)
    body = api.get(path).json()
    assert (body["campaigns_paused"], body["linked_accounts"], body["worst_status"]) == (False, [], "active")


NOW = timezone.now()


@pytest.mark.once
@pytest.mark.parametrize(
    ("changes", "action", "codes"),
    [
        ({}, None, []),
        ({}, "send_message", []),
        ({"status": "blocked"}, None, ["status_blocked"]),
        ({"status": "auth_error"}, "sync", ["status_auth_error"]),
        ({"rate_limited_until": NOW + timedelta(days=30)}, "view_profile", ["rate_limited"]),
        ({"rate_limited_until": NOW - timedelta(days=30)}, None, []),
        ({"reported_at": NOW - timedelta(days=8)}, None, ["stale"]),
        ({"reported_at": NOW - timedelta(days=6)}, None, []),
        ({"paused": True}, None, ["campaigns_paused"]),
        ({"paused": True}, "send_invitation", ["campaigns_paused"]),
        ({"paused": True}, "sync", []),
        ({"paused": True, "status": "deleted"}, "view_profile", ["status_deleted"]),
    ],
)
def test_readiness_says_whether_and_why_not(
    changes: dict[str, Any], action: str | None, codes: list[str], world: World, api: Api
) -> None:
    changes = dict(changes)
    if changes.pop("paused", False):
        Campaign.objects.filter(pk=world.campaign.pk).update(status="paused")
    Account.objects.filter(pk=world.account.pk).update(**({"status_reason": ""} | changes))
    found = api.get(f"accounts/{world.account.id}/readiness", {"action": action} if action else None).json()
    assert [reason["code"] for reason in found["reasons"]] == codes
    assert found["ready"] is (codes == [])
    assert all(reason["message"] for reason in found["reasons"])
    assert (found["retry_at"] is not None) == ("rate_limited" in codes)
    assert isinstance(found["evidence_age_seconds"], int)
    assert list(found) == ["ready", "reasons", "retry_at", "evidence_age_seconds"]


def test_a_sources_health_names_its_open_troubles(api: Api, world: World) -> None:
    issues.open_issue(world.source, IssueKind.SILENT, detail="Nothing has come for 3 hours.")
    issues.open_issue(world.source, IssueKind.REJECTING, detail="")
    issues.close_issues(world.source, IssueKind.REJECTING)
    health = api.get(f"sources/{world.source.pk}").json()["health"]
    assert health["status"] == "attention"
    assert [(row["kind"], row["detail"]) for row in health["troubles"]] == [("silent", "Nothing has come for 3 hours.")]
