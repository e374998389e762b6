"""What the API changes, and that it does so through the services: with history, with events."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Account, Event, Member, Source
from accounts.sources.service import valid_secrets
from leads.models import Lead, LeadChange, ScoreLearning
from leads.pipeline.merge import merge_leads
from leads.scoring.learning.jobs import learn_due
from notifications.delivery import fan_out_due_events
from notifications.delivery.digest import build_digests
from notifications.models import Channel, ChannelStatus, Delivery
from tests.api.client import Api
from tests.factories import World
from tests.reactions import react
from webhooks.models import ProviderRequest, Receipt, ReceiptStatus


def recorded(world: World) -> list[str]:
    return list(Event.objects.filter(agency=world.agency).order_by("id").values_list("event_type", flat=True))


# --- accounts and campaigns -----------------------------------------------------------------------


def test_an_account_can_be_renamed_moved_and_cleared(world: World, api: Api) -> None:
    path = f"accounts/{world.account.id}"
    changed = api.patch(path, {"name": "  Ada King ", "email": "ada@example.com", "location_id": None}).json()
    assert (changed["name"], changed["email"], changed["location_id"]) == ("Ada King", "ada@example.com", None)
    moved = api.patch(path, {"location_id": world.sub_account.location_id, "email": None}).json()
    assert (moved["name"], moved["email"], moved["location_id"]) == ("Ada King", None, "loca")
    assert api.patch(path, {}).json()["name"] == "Ada King"


def test_two_accounts_cannot_become_one_by_moving(world: World, api: Api) -> None:
    def nameless(**place: Any) -> Account:
        return Account.objects.create(
            agency=world.agency,
            provider="linkedconnector",
            folded_name="ada",
            status="active",
            status_since=timezone.now(),
            **place,
        )

    nameless(sub_account=world.sub_account)
    other = world.agency.sub_accounts.create(location_id="elsewhere")
    answer = api.patch(f"accounts/{nameless(sub_account=other).id}", {"location_id": "loca"})
    assert answer.status_code == 409


def test_pausing_a_campaign_is_the_apis_doing_and_is_told(world: World, api: Api) -> None:
    path = f"campaigns/{world.campaign.id}"
    before = recorded(world)
    paused = api.patch(path, {"status": "paused", "pause_reason": "holidays"}).json()
    assert (paused["status"], paused["paused_by"], paused["pause_reason"]) == ("paused", "api", "holidays")
    assert recorded(world) == [*before, "campaign_paused"]
    resumed = api.patch(path, {"status": "active"}).json()
    assert (resumed["status"], resumed["paused_by"], resumed["pause_reason"]) == ("active", None, None)
    assert api.patch(path, {"account": None}).json()["account"] is None
    assert recorded(world) == [*before, "campaign_paused", "campaign_resumed"]


# --- leads ----------------------------------------------------------------------------------------


def test_a_priority_that_is_raised_to_high_is_told_once(world: World, api: Api) -> None:
    for priority in ("low", "high", "high"):
        assert api.patch(f"leads/{world.lead.id}", {"priority": priority}).status_code == 200
    [event] = Event.objects.filter(event_type="lead_high_priority")
    assert (event.subject, event.payload["lead_name"]) == (world.lead.id, world.lead.display_name)


def test_a_lead_is_made_with_history_and_event(world: World, api: Api) -> None:
    body = {
        "name": "Katherine Johnson",
        "linkedin_url": "https://www.linkedin.com/in/katherine/",
        "campaign": world.campaign.id,
        "account": world.account.id,
        "status": "MESSAGE_SENT",
        "tags": ["nasa", "maths", "nasa"],
        "priority": "high",
    }
    made = api.post("leads", body)
    assert made.status_code == 201
    lead = made.json()
    assert {name: lead[name] for name in body} == body | {"tags": ["nasa", "maths"]}
    assert (lead["status_label"], lead["email"], lead["references"]) == ("Message sent", None, [])
    (change,) = api.get(f"leads/{lead['id']}/history").json()["results"]
    assert (change["new_status"], change["changed_by"], change["applied"]) == ("MESSAGE_SENT", "api", True)
    subject = Event.objects.filter(subject=lead["id"]).order_by("id")
    assert [event.event_type for event in subject] == ["lead_created", "lead_status_changed", "lead_high_priority"]


def test_a_lead_needs_an_address_of_some_kind(agency: Any, api: Api) -> None:
    for body in ({}, {"name": "Nobody"}, {"email": "", "phone": None}):
        answer = api.post("leads", body)
        assert answer.status_code == 400
        assert "linkedin_url, email, phone" in answer.json()["detail"]
    for body in ({"phone": "+49 30 1234567"}, {"email": "x@example.com"}, {"linkedin_url": "linkedin.com/in/x"}):
        assert api.post("leads", body).status_code == 201
    assert Lead.objects.count() == 3


@pytest.mark.once
@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "data:text/html,x", "ftp://example.com/", "two words", "/in/x", "N/A", "-", "unknown"),
        *("null", "https://null", "https://ann@linkedin.com/in/x", "https://evil.example\\.linkedin.com/in/x"),
    ],
)
def test_a_lead_cannot_have_an_address_that_is_no_page(url: str, api: Api) -> None:
    answer = api.post("leads", {"linkedin_url": url})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "linkedin_url")


def test_leads_whose_address_names_nobody_are_many(api: Api) -> None:
    for url in ("https://www.linkedin.com/in/null", "https://www.linkedin.com/company/example-inc", "lnkd.in/abc"):
        for _ in range(2):
            assert api.post("leads", {"linkedin_url": url}).status_code == 201, url


def test_one_person_is_one_lead(world: World, strange_api: Api, api: Api) -> None:
    assert api.post("leads", {"linkedin_url": "https://www.linkedin.com/in/One/"}).status_code == 201
    again = api.post("leads", {"linkedin_url": "http://linkedin.com/in/one?trk=1"})
    assert again.status_code == 409
    moved = api.patch(f"leads/{world.lead.id}", {"linkedin_url": "linkedin.com/in/one"})
    assert moved.status_code == 409
    assert strange_api.post("leads", {"linkedin_url": "https://www.linkedin.com/in/One/"}).status_code == 201


def test_the_id_of_a_merged_lead_goes_on_answering(world: World, api: Api, strange_api: Api) -> None:
    other = api.post("leads", {"linkedin_url": "https://www.linkedin.com/in/one"}).json()["id"]
    survivor, record = (Lead.objects.get(pk=pk) for pk in (world.lead.id, other))
    merge_leads(survivor, record)
    for pk in (survivor.id, other):
        answer = api.get(f"leads/{pk}")
        assert (answer.status_code, answer.json()["id"], answer.json()["merged_from"]) == (200, survivor.id, [other])
        assert strange_api.get(f"leads/{pk}").status_code == 404
    assert [row["id"] for row in api.get("leads").json()["results"]] == [survivor.id]
    assert api.patch(f"leads/{other}", {"company": "Example"}).json()["id"] == survivor.id
    assert len(api.get(f"leads/{other}/history").json()["results"]) == LeadChange.objects.filter(lead=survivor).count()
    assert api.post("leads", {"linkedin_url": "linkedin.com/in/one"}).status_code == 409


def test_update_lead_status(world: World, api: Api) -> None:
    path = f"leads/{world.lead.id}"
    changed = api.patch(path, {"status": "MEETING_BOOKED", "note": "Tuesday, 10 o'clock", "title": "CTO"})
    assert changed.status_code == 200
    assert (changed.json()["status"], changed.json()["title"]) == ("MEETING_BOOKED", "CTO")
    (newest, *_) = api.get(f"{path}/history").json()["results"]
    assert newest["note"] == "Tuesday, 10 o'clock"
    assert (newest["previous_status"], newest["new_status"], newest["changed_by"]) == (
        "PENDING",
        "MEETING_BOOKED",
        "api",
    )
    event = Event.objects.filter(subject=world.lead.id).latest("id")
    assert (event.event_type, event.payload["changed_by"]) == ("lead_status_changed", "api")
    alone = api.patch(path, {"note": "why?"})
    assert (alone.status_code, alone.json()["errors"][0]["field"]) == (400, "note")


def test_a_change_that_is_refused_changes_nothing_at_all(world: World, api: Api) -> None:
    api.post("leads", {"linkedin_url": "linkedin.com/in/taken"})
    before = (LeadChange.objects.count(), Event.objects.count(), api.get(f"leads/{world.lead.id}").json())
    body = {"name": "New", "linkedin_url": "linkedin.com/in/taken", "status": "DONE"}
    assert api.patch(f"leads/{world.lead.id}", body).status_code == 409
    assert (LeadChange.objects.count(), Event.objects.count(), api.get(f"leads/{world.lead.id}").json()) == before


def test_a_lead_is_assigned_to_a_member_of_the_agency_only(world: World, stranger: Any, api: Api) -> None:
    users = get_user_model().objects
    ours = Member.objects.create(agency=world.agency, user=users.create_user("ours"), role="owner")
    theirs = Member.objects.create(agency=stranger, user=ours.user, role="owner")
    path = f"leads/{world.lead.id}"
    assert api.patch(path, {"assigned_to": theirs.id}).status_code == 400
    assert api.patch(path, {"assigned_to": str(ours.user_id)}).status_code == 400
    assert api.patch(path, {"assigned_to": ours.id}).json()["assigned_to"] == ours.id
    assert api.patch(path, {"assigned_to": ours.id, "tags": ["warm"]}).status_code == 200
    assert len(api.get("leads", {"assigned_to": ours.id}).json()["results"]) == 1
    assert api.get("leads", {"assigned_to": theirs.id}).json()["results"] == []
    assert api.patch(path, {"assigned_to": None}).json()["assigned_to"] is None
    made = api.post("leads", {"email": "mary@example.com", "assigned_to": ours.id}).json()
    events = Event.objects.filter(event_type="lead_assigned").order_by("id")
    assert [event.subject for event in events] == [world.lead.id, made["id"]]
    for event in events:
        assert (event.payload["assigned_to"], event.payload["assigned_to_name"]) == (ours.id, "ours")


def test_leads_are_filtered(world: World, api: Api) -> None:
    then = timezone.now() - timedelta(days=3)
    other = Lead.objects.create(
        agency=world.agency,
        name="Mary Jackson",
        company="NASA",
        account=world.account,
        source=world.source,
        status="DONE",
        status_since=then,
        received_at=then,
        tags=["a b", 'q"uote', "ü"],
        priority="high",
        is_test=True,
        lead_type="SPONSORED",
        form="f1",
        creation_locale="de_DE",
    )
    day = (then + timedelta(days=1)).isoformat()
    found = {
        ("status", "DONE"): [other],
        ("status", "PENDING"): [world.lead],
        ("campaign", world.campaign.id): [world.lead],
        ("account", world.account.id): [other],
        ("account_active", "true"): [other],
        ("account_active", "false"): [world.lead],
        ("source", world.source.id): [other],
        ("lead_type", "SPONSORED"): [other],
        ("form", "f1"): [other],
        ("creation_locale", "de_DE"): [other],
        ("creation_locale", "de"): [],
        ("is_test", "true"): [other],
        ("is_test", "false"): [world.lead],
        ("tag", "a b"): [other],
        ("tag", 'q"uote'): [other],
        ("tag", "ü"): [other],
        ("tag", "a"): [],
        ("tag", "%"): [],
        ("external_id", "lead-a"): [world.lead],
        ("priority", "high"): [other],
        ("received_after", day): [world.lead],
        ("received_before", day): [other],
        ("updated_after", day): [other, world.lead],
        ("q", "jackson"): [other],
        ("q", "nasa"): [other],
        ("q", "GRACE-A@"): [world.lead],
        ("q", "%"): [],
        ("q", "_race"): [],
    }
    for (name, value), leads in found.items():
        answer = api.get("leads", {name: value}).json()
        assert [row["id"] for row in answer["results"]] == [lead.id for lead in leads], (name, value)
    both = api.get("leads", {"status": "DONE", "is_test": "false"}).json()
    assert both["results"] == []


def test_accounts_and_locations_are_filtered(world: World, api: Api) -> None:
    def ids(resource: str, name: str, value: str) -> list[str]:
        return [row["id"] for row in api.get(resource, {name: value}).json()["results"]]

    for name, value in (("status", "active"), ("provider", "welink"), ("location_id", "loca"), ("q", "lovelace")):
        assert ids("accounts", name, value) == [world.account.id]
    for name, value in (("status", "blocked"), ("provider", "salesflow"), ("location_id", "x"), ("q", "hopper")):
        assert ids("accounts", name, value) == []
    assert ids("sub-accounts", "installed", "true") == [world.sub_account.id]
    assert ids("sub-accounts", "installed", "false") == []


# --- sources --------------------------------------------------------------------------------------


def test_a_source_is_made_and_shows_its_secret_once(agency: Any, api: Api) -> None:
    made = api.post("sources", {"provider": "salesflow", "name": "Main", "allowed_networks": ["203.0.113.0/24"]})
    assert made.status_code == 201
    source = made.json()
    assert source["secret"].startswith("whsec_")
    assert source["webhook_url"].startswith(f"{settings.PUBLIC_URL}/webhooks/salesflow/")
    assert (source["enabled"], source["health"]["status"], source["last_receipt_at"]) == (True, "waiting", None)
    result = api.get(f"sources/{source['id']}").json()
    assert result == {name: value for name, value in source.items() if name != "secret"}


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "status", "secret"),
    [
        ({"provider": "linkedin"}, 400, None),
        ({"provider": "linkedin", "secret": "app secret "}, 201, "app secret "),
        ({"provider": "linkedconnector"}, 201, None),
        ({"provider": "linkedconnector", "secret": "x"}, 201, "x"),
        ({"provider": "highlevel"}, 201, None),
        ({"provider": "sendpilot", "secret": ""}, 400, None),
        ({"provider": "sendpilot", "secret": "x" * 256}, 201, "x" * 256),
        ({"provider": "sendpilot", "secret": "x" * 257}, 400, None),
        ({"provider": "unipile"}, 400, None),
        ({"secret": "x"}, 400, None),
        ({"provider": "sendpilot", "allowed_networks": ["everywhere"]}, 400, None),
        ({"provider": "sendpilot", "credentials": {"password": "x"}}, 400, None),
    ],
)
def test_secrets_follow_the_provider(body: Any, status: int, secret: str | None, agency: Any, api: Api) -> None:
    made = api.post("sources", body)
    assert made.status_code == status, made.content
    if status == 201:
        assert made.json()["secret"] == secret


def test_rotating_overlaps_and_a_linkedconnector_source_gets_a_new_url(agency: Any, api: Api) -> None:
    source = api.post("sources", {"provider": "salesflow", "secret": "old"}).json()
    rotated = api.post(f"sources/{source['id']}/rotate-secret", {"secret": "new"})
    assert (rotated.status_code, rotated.json()["secret"]) == (200, "new")
    assert valid_secrets(Source.objects.get(pk=source["id"])) == ["new", "old"]
    assert api.post(f"sources/{source['id']}/rotate-secret").json()["secret"].startswith("whsec_")
    linked = api.post("sources", {"provider": "linkedconnector"}).json()
    turned = api.post(f"sources/{linked['id']}/rotate-secret").json()
    assert turned["secret"] is None
    assert turned["webhook_url"] != linked["webhook_url"]
    app = api.post("sources", {"provider": "linkedin", "secret": "x"}).json()
    assert api.post(f"sources/{app['id']}/rotate-secret").status_code == 400


def test_a_source_is_changed_but_not_its_provider(world: World, api: Api) -> None:
    path = f"sources/{world.source.id}"
    changed = api.patch(path, {"name": "Other", "enabled": False, "secret": "mine", "location_id": "loca"}).json()
    assert (changed["name"], changed["enabled"], changed["location_id"]) == ("Other", False, "loca")
    assert changed["health"]["status"] == "disabled"
    assert "secret" not in changed
    assert valid_secrets(world.source)[0] == "mine"
    assert api.patch(path, {"secret": None}).status_code == 400
    assert api.patch(path, {"provider": "salesflow"}).status_code == 400
    linked = api.post("sources", {"provider": "linkedconnector", "secret": "x"}).json()
    assert api.patch(f"sources/{linked['id']}", {"secret": None}).status_code == 200
    assert valid_secrets(Source.objects.get(pk=linked["id"])) == []


def test_a_deleted_source_is_gone_and_what_came_by_it_stays(world: World, api: Api) -> None:
    path = f"sources/{world.source.id}"
    answer = api.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(path).status_code == 404
    assert api.get("sources").json()["results"] == []
    assert api.delete(path).status_code == 404
    assert api.get(f"receipts/{world.receipt.public_id}").json()["source"] == world.source.id
    source = Source.objects.get(pk=world.source.pk)
    assert (source.enabled, source.credentials, valid_secrets(source)) == (False, {}, [])


def test_registering_a_request_releases_what_waited_for_it(world: World, api: Api) -> None:
    Receipt.objects.filter(pk=world.receipt.pk).update(
        status=ReceiptStatus.QUARANTINED, correlation="r-a", reason="unknown_request"
    )
    path = f"sources/{world.source.id}/requests"
    body = {"request_id": "r-a", "action": "connect", "account": world.account.id, "lead": world.lead.id}
    answer = api.post(path, body)
    assert (answer.status_code, answer.json()) == (201, body)
    assert Receipt.objects.get(pk=world.receipt.pk).status == ReceiptStatus.RECEIVED
    again = api.post(path, {"request_id": "r-a", "action": "login"})
    assert again.json() == {"request_id": "r-a", "action": "login", "account": None, "lead": None}
    request = ProviderRequest.objects.get()
    assert (request.action, request.account_id, request.lead_id) == ("login", None, None)
    other = api.post("sources", {"provider": "salesflow"}).json()
    assert api.post(f"sources/{other['id']}/requests", body).status_code == 400


def test_a_receipt_is_reprocessed_unless_its_body_is_gone(world: World, api: Api) -> None:
    Receipt.objects.filter(pk=world.receipt.pk).update(status=ReceiptStatus.FAILED, error="boom", attempts=8)
    path = f"receipts/{world.receipt.public_id}/reprocess"
    answer = api.post(path)
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (202, "received", None)
    Receipt.objects.filter(pk=world.receipt.pk).update(body=b"", status=ReceiptStatus.PROCESSED)
    assert api.post(path).status_code == 409
    assert Receipt.objects.get(pk=world.receipt.pk).status == ReceiptStatus.PROCESSED


def test_a_page_of_large_receipts_ends_early_and_goes_on(world: World, api: Api) -> None:
    body = b'{"padding": "' + b"x" * 1_000_000 + b'"}'
    Receipt.objects.bulk_create(
        Receipt(
            source=world.source,
            agency=world.agency,
            provider="welink",
            dedupe_key=bytes([n]) * 32,
            body=body,
            received_at=timezone.now(),
        )
        for n in range(6)
    )
    first = api.get("receipts").json()
    second = api.get(first["next"]).json()
    assert [len(first["results"]), len(second["results"])] == [4, 3]
    assert second["next"] is None
    back = api.get(second["previous"]).json()
    assert back["results"] == first["results"]


# --- channels and deliveries ----------------------------------------------------------------------


def test_a_webhook_channel_shows_its_secret_once_and_can_be_changed(agency: Any, api: Api) -> None:
    made = api.post("channels", {"kind": "webhook", "url": "https://crm.example.com/a", "headers": {"X-Team": "one"}})
    assert made.status_code == 201
    channel = made.json()
    assert channel["secret"].startswith("whsec_")
    assert (channel["status"], channel["headers"], channel["rate_per_second"]) == ("enabled", {"X-Team": "one"}, None)
    path = f"channels/{channel['id']}"
    assert "secret" not in api.get(path).json()
    changed = api.patch(path, {"event_types": ["lead_created"], "rate_per_second": 2.5, "locations": ["loca"]}).json()
    assert (changed["event_types"], changed["rate_per_second"], changed["locations"]) == (
        ["lead_created"],
        2.5,
        ["loca"],
    )
    rotated = api.post(f"{path}/rotate-secret")
    assert rotated.status_code == 200
    assert rotated.json()["secret"] not in (None, channel["secret"])
    off = api.patch(path, {"status": "disabled"}).json()
    assert (off["status"], bool(off["disabled_reason"])) == ("disabled", True)
    assert api.post(f"{path}/test").status_code == 409
    assert api.post(f"{path}/enable").json()["status"] == "enabled"
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/"),
        *("http://169.254.169.254/latest", "https://user:pw@crm.example.com/", "ftp://crm.example.com/"),
        *("https://crm.example.com:22/", "javascript:alert(1)", "crm.example.com", "", None, 7),
    ],
)
def test_a_channels_url_leads_to_the_public_internet(url: Any, agency: Any, api: Api) -> None:
    answer = api.post("channels", {"kind": "webhook", "url": url})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "url")
    assert Channel.objects.count() == 0


def test_an_e_mail_channel_waits_for_its_owner_and_cannot_be_switched_on_by_others(agency: Any, api: Api) -> None:
    made = api.post("channels", {"kind": "email", "email": "team@example.com", "timezone": "Europe/Berlin"})
    assert made.status_code == 201
    channel = made.json()
    assert "secret" not in channel
    path = f"channels/{channel['id']}"
    answers = [channel, api.patch(path, {"status": "enabled"}).json(), api.post(f"{path}/enable").json()]
    assert [answer["status"] for answer in answers] == ["unverified"] * 3
    token = Channel.objects.get().verification_token
    for resource in ("channels", path, "events", "deliveries"):
        assert token.encode() not in api.get(resource).content
    assert api.post(f"{path}/test").status_code == 409
    assert api.post(f"{path}/rotate-secret").status_code == 409
    for body in (
        {"kind": "email", "email": "x"},
        {"kind": "email", "email": "a@example.com", "url": "https://x.example"},
    ):
        assert api.post("channels", body).status_code == 400
    assert api.post("channels", {"kind": "pigeon"}).json()["errors"][0]["field"] == "kind"


def test_a_test_is_for_one_channel_only(world: World, api: Api) -> None:
    answer = api.post(f"channels/{world.channel.id}/test")
    assert (answer.status_code, answer.json()["event_type"]) == (202, "test")
    event = Event.objects.get(pk=answer.json()["id"])
    assert event.agency == world.agency
    assert event.payload["channel_id"] == world.channel.id
    assert api.get(f"events/{event.id}").json() == answer.json()


def test_replay_and_resend_put_deliveries_on_their_way_again(world: World, api: Api) -> None:
    Delivery.objects.filter(pk=world.delivery.pk).update(status="failed", next_attempt_at=None)
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    answer = api.post(f"channels/{world.channel.id}/replay", {"since": since, "status": "failed"})
    assert (answer.status_code, answer.json()) == (202, {"replayed": 1})
    assert api.get(f"deliveries/{world.delivery.id}").json()["status"] == "pending"
    Delivery.objects.filter(pk=world.delivery.pk).update(status="failed", next_attempt_at=None)
    again = api.post(f"deliveries/{world.delivery.id}/resend")
    assert (again.status_code, again.json()["status"], again.json()["id"]) == (202, "pending", world.delivery.id)
    assert api.post(f"channels/{world.channel.id}/replay", {}).json()["errors"][0]["field"] == "since"
    Channel.objects.filter(pk=world.channel.pk).update(status=ChannelStatus.DISABLED)
    assert api.post(f"deliveries/{world.delivery.id}/resend").status_code == 409


def test_people_choose_when_they_get_what_they_hear_of(world: World, api: Api) -> None:
    path = f"channels/{world.email_channel.id}"
    chosen = {
        "mode": "daily",
        "digest_at": "17:30",
        "quiet_hours": {"start": "22:00", "end": "07:00"},
        "working_days": ["mon", "fri"],
        "timezone": "Europe/Berlin",
        "conflation_seconds": 0,
        "urgent_event_types": ["linkedin_disconnected"],
        "lead_statuses": ["OPPORTUNITY"],
        "creation_locales": ["de_DE", "en_US"],
        "test_events": True,
    }
    result = api.patch(path, chosen).json()
    assert {name: result[name] for name in chosen} == chosen
    for name, wrong in (
        ("mode", "weekly"),
        ("digest_at", "7:30"),
        ("digest_at", "24:00"),
        ("digest_at", None),
        ("quiet_hours", {"start": "22:00"}),
        ("quiet_hours", {"start": "22:00", "end": "22:00"}),
        ("working_days", ["monday"]),
        ("timezone", "Mars/Olympus"),
        ("conflation_seconds", 3601),
        ("conflation_seconds", "60"),
        ("conflation_seconds", 1.5),
        ("urgent_event_types", ["nothing"]),
        ("lead_statuses", ["HOT"]),
        ("creation_locales", ["German"]),
        ("creation_locales", "de_DE"),
        ("test_events", "yes"),
    ):
        answer = api.patch(path, {name: wrong})
        assert (answer.status_code, name in answer.json()["detail"]) == (400, True), (name, wrong)
    assert api.patch(f"channels/{world.channel.id}", {"mode": "daily"}).status_code == 400
    assert api.get(path).json() == result


def test_a_channel_takes_conditions_about_leads_and_says_them_in_words(world: World, api: Api) -> None:
    path = f"channels/{world.channel.id}"
    tree = {"all": [{"field": "seniority", "op": "in", "value": ["vp", "c_level"]}]}
    answer = api.patch(path, {"conditions": tree}).json()
    assert (answer["conditions"], answer["sentence"]) == (tree, "The seniority is vice president or C level")
    for wrong, place in (
        ({"all": [{"field": "shoe_size", "op": "exists"}]}, "all.0.field: There is no field “shoe_size”."),
        ({"field": "title", "op": "like", "value": "x"}, "op: “title” has no operator “like”."),
        ({"field": "target_list", "op": "on_list", "value": ["lst_1"]}, "value: There is no target list “lst_1”."),
    ):
        refused = api.patch(path, {"conditions": wrong})
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["field"], place in error["message"]) == (400, "conditions", True), error
    assert api.get(path).json()["conditions"] == tree
    assert api.patch(path, {"conditions": {}}).json()["sentence"] == "Every lead"


def test_points_are_learned_and_taken_over_by_programs_too(world: World, api: Api) -> None:
    assert api.get("scoring-rules/learning").status_code == 404
    begun = api.post("scoring-rules/learning")
    assert (begun.status_code, begun.json()["state"]) == (202, "learning")
    assert learn_due() == 1
    learned = api.get("scoring-rules/learning").json()
    assert (learned["state"], learned["result"]["is_enough"], learned["at"]) == ("learned", False, None)
    rule = world.ids["scoring-rules"]
    feature = {
        "rule": rule, "name": "x", "group": "fit", "points": 1, "cases": 1, "conversions": 1,
        "lift": 1.0, "low": 0.5, "high": 2.0, "suggested": 33, "reason": "",
    }  # fmt: skip
    ScoreLearning.objects.update(result={**learned["result"], "is_enough": True, "features": [feature]})
    assert api.post("scoring-rules/learning/accept", {"rules": ["rule_x"]}).status_code == 400
    scheduled = api.post("scoring-rules/learning/accept", {"at": "2199-01-01T00:00:00Z"})
    assert (scheduled.status_code, scheduled.json()["at"]) == (202, "2199-01-01T00:00:00.000Z")
    assert api.post("scoring-rules/learning").status_code == 409
    assert api.post("scoring-rules/learning/call-off").json()["state"] == "learned"
    taken = api.post("scoring-rules/learning/accept", {"rules": [rule]}).json()
    assert (taken["state"], taken["chosen"]) == ("accepted", [rule])
    assert api.get(f"scoring-rules/{rule}").json()["points"] == 33


def test_a_delivery_says_why_it_waits_and_with_what_it_went(world: World, api: Api) -> None:
    api.patch(f"channels/{world.email_channel.id}", {"mode": "hourly"})
    with time_machine.travel(timezone.now()) as clock:
        for name in ("First", "Second"):
            record_event(world.agency, EventType.LINKEDIN_DELETED, linkedin_account_name=name)
        react()
        fan_out_due_events()
        rows = list(world.email_channel.deliveries.filter(event__event_type="linkedin_deleted").order_by("pk"))
        waiting = api.get(f"deliveries/{rows[0].id}").json()
        assert (waiting["status"], waiting["reason"]) == ("pending", "It waits for the next summary.")
        clock.shift(3600)
        build_digests()
        first, second = (api.get(f"deliveries/{row.id}").json() for row in rows)
    assert second["sent_with"] == (first["sent_with"] or first["id"])
