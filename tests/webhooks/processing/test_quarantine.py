"""What waits in quarantine for something that appears later is processed by itself, and HighLevel's apps and moves."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Account, Agency, Event, SubAccount
from accounts.services import update_account
from accounts.sources.service import get_or_create_sub_account
from accounts.tenancy.agencies import create_agency
from config.celery import app as celery
from config.ops import diagnosis
from tests.receiving import receive, receive_sample, source_of
from webhooks.models import Receipt
from webhooks.processing.processor import process_due_receipts
from webhooks.processing.quarantine import release_missed, release_understood
from webhooks.providers import HIGHLEVEL, sendpilot

LOCATION, COMPANY = "loc-moved", "company-late"


@pytest.fixture
def only_app() -> Iterator[str]:
    HIGHLEVEL.configure(app_id="app-ours")
    yield "app-ours"
    HIGHLEVEL.configure()


def event(kind: str, at: int, /, **fields: str) -> dict[str, str]:
    """HighLevel's body, `at` minutes after a fixed time."""
    sent_at = datetime.fromisoformat("2026-03-21T00:00:00+00:00") + timedelta(minutes=at)
    body = {"type": kind, "appId": "app-ours", "locationId": LOCATION, "timestamp": sent_at.isoformat()}
    return {**body, "webhookId": f"{kind}-{at}-{fields.get('companyId', '')}", **fields}


def process() -> None:
    while process_due_receipts():
        pass


def state(receipt: Receipt) -> tuple[str, str]:
    receipt.refresh_from_db()
    return receipt.status, receipt.reason


def installed(agency: Agency) -> bool | None:
    place = SubAccount.objects.filter(agency=agency, location_id=LOCATION).first()
    return place.installed if place else None


def recorded_types(agency: Agency) -> list[str]:
    return list(Event.objects.filter(agency=agency).order_by("id").values_list("event_type", flat=True))


# --- a location that moves ---------------------------------------------------------------------------


def test_a_location_that_moved_is_uninstalled_where_it_is_installed(agency: Agency, stranger: Agency) -> None:
    source = source_of(None, "highlevel")
    a, b = agency.ghl_company_id, stranger.ghl_company_id
    for body in (event("INSTALL", 1, companyId=a), event("UNINSTALL", 2), event("INSTALL", 3, companyId=b)):
        receive(source, body)
        process()
    receipt = receive(source, event("UNINSTALL", 4))
    process()
    assert state(receipt) == ("processed", "")
    assert receipt.agency == stranger
    assert (installed(agency), installed(stranger)) == (False, False)
    assert (recorded_types(agency), recorded_types(stranger)) == (["install", "uninstall"], ["install", "uninstall"])


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((1, 2, 3, 4), (False, False)),
        ((1, 3, 2), (False, True)),  # the first agency's uninstall comes late
        ((1, 3, 4), (True, False)),  # it never comes: the app was last installed at the second
        ((3, 1, 4), (True, False)),
        ((1, 2, 3, 4, 5), (True, False)),  # back again
        ((1, 2, 3, 4, 5, 6), (False, False)),
    ],
)
def test_the_time_of_an_uninstall_decides_which_agency_it_means(
    agency: Agency, stranger: Agency, order: tuple[int, ...], expected: tuple[bool, bool]
) -> None:
    source = source_of(None, "highlevel")
    first, second = ({"companyId": one.ghl_company_id} for one in (agency, stranger))
    bodies = {
        1: event("INSTALL", 1, **first),
        2: event("UNINSTALL", 2),
        3: event("INSTALL", 3, **second),
        4: event("UNINSTALL", 4),
        5: event("INSTALL", 5, **first),
        6: event("UNINSTALL", 6),
    }
    for place in order:
        receive(source, bodies[place])
        process()
    assert not Receipt.objects.exclude(status="processed").exists()
    assert (installed(agency), installed(stranger)) == expected


def test_a_location_that_several_merely_claim_is_still_nobodys(agency: Agency, stranger: Agency) -> None:
    for claimant in (agency, stranger):
        get_or_create_sub_account(claimant, LOCATION)
    receipt = receive(source_of(None, "highlevel"), event("UNINSTALL", 1))
    process()
    assert state(receipt) == ("quarantined", "unknown_company")


# --- what appears later ------------------------------------------------------------------------------


def by_service() -> None:
    create_agency(name="Late", company_id=COMPANY)


def by_command() -> None:
    call_command("create_agency", "Late", "--company-id", COMPANY, "--json", stdout=StringIO())


def by_edit() -> None:
    agency, _ = create_agency(name="Late")
    agency.ghl_company_id = COMPANY
    agency.save(update_fields=["ghl_company_id"])


@pytest.mark.parametrize("appear", [by_service, by_command, by_edit])
def test_an_install_before_its_agency_is_processed_when_the_agency_appears(appear: Any, agency: Agency) -> None:
    source = source_of(None, "highlevel")
    waiting = [receive(source, event("INSTALL", 1, companyId=COMPANY)), receive(source, event("UNINSTALL", 2))]
    other = receive(source, event("INSTALL", 3, companyId="somebody-else", locationId="loc-2"))
    process()
    assert [state(receipt)[1] for receipt in (*waiting, other)] == ["unknown_company"] * 3
    appear()
    process()
    assert [state(receipt) for receipt in waiting] == [("processed", "")] * 2
    assert state(other) == ("quarantined", "unknown_company")
    late = Agency.objects.get(ghl_company_id=COMPANY)
    assert (installed(late), recorded_types(late), recorded_types(agency)) == (False, ["install", "uninstall"], [])


def test_staff_give_an_agency_its_company_id_on_its_page(admin_client: Client, agency: Agency) -> None:
    receipt = receive(source_of(None, "highlevel"), event("INSTALL", 1, companyId=COMPANY))
    process()
    path = f"/admin/accounts/agency/{agency.pk}/change/"
    given = {"name": agency.name, "timezone": "UTC", "locale": "en-US", "reauth_contact": "owner"}
    answer = admin_client.post(path, {**given, "ghl_company_id": COMPANY})
    assert answer.status_code == 302
    process()
    assert (state(receipt), receipt.agency) == (("processed", ""), agency)


def test_a_foreign_company_waits_for_the_agency_to_get_its_id(agency: Agency) -> None:
    receipt = receive_sample(source_of(agency, "linkedconnector"), "linkedin_blocked", ghl_company_id=COMPANY)
    process()
    assert state(receipt) == ("quarantined", "foreign_company")
    agency.ghl_company_id = COMPANY
    agency.save()
    process()
    assert state(receipt) == ("processed", "")
    assert Account.objects.get().status == "blocked"


def test_a_report_that_names_only_a_location_waits_for_its_account(agency: Agency) -> None:
    source = source_of(agency, "linkedconnector")
    fields = {"ghl_company_id": agency.ghl_company_id, "ghl_location_id": LOCATION}
    nameless = receive_sample(source, "linkedin_blocked", **fields, linkedin_account_name="")
    process()
    assert state(nameless) == ("quarantined", "unknown_account")
    named = receive_sample(source, "linkedin_reconnected", **fields, timestamp="2020-01-01T00:00:00.000Z")
    process()
    assert [state(receipt) for receipt in (nameless, named)] == [("processed", "")] * 2
    assert Account.objects.get().status == "blocked"


def test_an_account_that_a_person_moves_to_the_location_is_what_it_waited_for(agency: Agency) -> None:
    source = source_of(agency, "linkedconnector")
    receive_sample(source, "linkedin_reconnected", ghl_company_id=agency.ghl_company_id, ghl_location_id="loc-first")
    fields = {"ghl_company_id": agency.ghl_company_id, "ghl_location_id": LOCATION}
    nameless = receive_sample(source, "linkedin_blocked", **fields, linkedin_account_name="")
    process()
    assert state(nameless) == ("quarantined", "unknown_account")
    update_account(Account.objects.get(), sub_account=get_or_create_sub_account(agency, LOCATION))
    process()
    assert state(nameless) == ("processed", "")


def test_what_was_put_away_while_its_agency_was_being_made_is_found(agency: Agency) -> None:
    receipt = receive(source_of(None, "highlevel"), event("INSTALL", 1, companyId=agency.ghl_company_id))
    place = receive(source_of(None, "highlevel"), event("UNINSTALL", 2))
    get_or_create_sub_account(agency, LOCATION)
    for row, named in ((receipt, agency.ghl_company_id), (place, LOCATION)):
        Receipt.objects.filter(pk=row.pk).update(
            status="quarantined", reason="unknown_company", correlation=named, processed_at=timezone.now()
        )
    release_missed()
    process()
    assert [state(row) for row in (receipt, place)] == [("processed", "")] * 2


def test_the_look_for_what_was_missed_ends_after_two_minutes(agency: Agency) -> None:
    receipt = receive(source_of(None, "highlevel"), event("INSTALL", 1, companyId=agency.ghl_company_id))
    Receipt.objects.filter(pk=receipt.pk).update(
        status="quarantined", reason="unknown_company", correlation=agency.ghl_company_id
    )
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        release_missed()
    assert state(receipt) == ("quarantined", "unknown_company")


def test_words_that_an_update_teaches_are_processed_by_themselves(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(agency, "sendpilot")
    body = json.loads(Path("webhooks/samples/sendpilot/lead_updated.json").read_text())
    receipt = receive_sample(source, "lead_updated", data={**body["data"], "newStatus": "GHOSTED"})
    never = receive_sample(source, "lead_updated", eventId="evt_2", data={**body["data"], "newStatus": "VANISHED"})
    process()
    assert release_understood() == 0
    monkeypatch.setitem(sendpilot.STATUSES, "GHOSTED", sendpilot.STATUSES["NOT_INTERESTED"])
    assert release_understood() == 1
    process()
    assert [state(row) for row in (receipt, never)] == [("processed", ""), ("quarantined", "unknown_status")]


def test_both_looks_are_in_the_schedule() -> None:
    tasks = {entry["task"] for entry in celery.conf.beat_schedule.values()}
    assert {"webhooks.tasks.release_waiting", "webhooks.tasks.release_understood"} <= tasks


# --- other apps --------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("app_id", ["app-theirs", "", " ", "APP-OURS", 7])
@pytest.mark.parametrize("kind", ["INSTALL", "UNINSTALL", "PLAN_CHANGE"])
def test_an_event_of_another_app_changes_nothing(agency: Agency, only_app: str, app_id: Any, kind: str) -> None:
    body = {**event(kind, 1, companyId=agency.ghl_company_id), "appId": app_id}
    receipt = receive(source_of(None, "highlevel"), body)
    process()
    assert state(receipt) == ("quarantined", "other_app")
    assert (installed(agency), recorded_types(agency)) == (None, [])


def test_an_event_that_names_no_app_is_not_ours(agency: Agency, only_app: str) -> None:
    body = event("INSTALL", 1, companyId=agency.ghl_company_id)
    del body["appId"]
    receipt = receive(source_of(agency, "highlevel"), body)
    process()
    assert state(receipt) == ("quarantined", "other_app")


def test_our_own_apps_events_count(agency: Agency, only_app: str) -> None:
    receipt = receive(source_of(None, "highlevel"), event("INSTALL", 1, companyId=agency.ghl_company_id))
    process()
    assert (state(receipt), installed(agency)) == (("processed", ""), True)


def test_events_are_released_when_the_setting_is_corrected(agency: Agency, only_app: str) -> None:
    receipt = receive(
        source_of(None, "highlevel"), event("INSTALL", 1, companyId=agency.ghl_company_id, appId="app-new")
    )
    process()
    HIGHLEVEL.configure(app_id="app-new")
    assert release_understood() == 1
    process()
    assert (state(receipt), installed(agency)) == (("processed", ""), True)


def test_the_doctor_asks_for_the_app_id_where_highlevel_is_used(settings: Settings, agency: Agency) -> None:
    settings.LOOPBACK = False
    assert diagnosis.diagnose_one("highlevel").ok
    source_of(None, "highlevel")
    check = diagnosis.diagnose_one("highlevel")
    assert (check.ok, "HIGHLEVEL_APP_ID" in check.remedy) == (False, True)
    settings.HIGHLEVEL_APP_ID = "app-ours"
    assert diagnosis.diagnose_one("highlevel").ok
