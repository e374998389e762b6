"""Retention counts from when we last heard of somebody, spares what still waits, and tells those who knew them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Agency, Event, RetentionRun
from config.demo.linkedin_api.world import World
from config.ops import purge as rounds
from config.ops.purge import purge
from leads.enums import ChangedBy, LeadStatus
from leads.lead_sync.backfill_import import import_leads
from leads.lead_sync.forms import Form
from leads.models import Lead, Tombstone
from leads.pipeline import changes
from leads.privacy import retention
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from notifications.delivery.fan_out import fan_out_due_events
from notifications.models import Delivery, DeliveryStatus
from tests.notifications.receiver import Receiver, answering, receiver
from tests.receiving import receive_sample, source_of
from webhooks.models import Receipt
from webhooks.processing.erasure import receipts_about
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2021-02-18T16:33:44.590Z"


@pytest.fixture(autouse=True)
def own_erasure_log(settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_JOURNAL = str(tmp_path / "erasures.jsonl")
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver(answering(200)) as one:
        yield one


@pytest.fixture
def failing() -> Iterator[Receiver]:
    with receiver(answering(503)) as one:
        yield one


def in_the_future(**later: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**later))


def report(agency: Agency, provider: str, sample: str, **changed: Any) -> Lead:
    before = set(Lead.objects.values_list("pk", flat=True))
    receive_sample(source_of(agency, provider), sample, **changed)
    process_due_receipts()
    drain_deliveries()
    return Lead.objects.exclude(pk__in=before).get()


def pull(agency: Agency) -> Lead:
    """A lead of the archive that LinkedIn keeps for a year."""
    response = World().submit(id="archived-1") | {"submittedAt": int((timezone.now().timestamp() - 364 * 86400) * 1000)}
    assert import_leads(source_of(agency, "linkedin"), [(response, Form({}))]) == (1, 0)
    return Lead.objects.get()


@pytest.mark.parametrize("came", ["connected in 2021", "moved in 2019", "pulled", "in the far future"])
def test_a_lead_that_came_today_is_here_tomorrow_whatever_its_provider_dates_it(agency: Agency, came: str) -> None:
    create_channel(agency, kind="email", email="team@example.com", verified=True, mode="daily")
    lead = {
        "connected in 2021": lambda: report(agency, "salesflow", "legacy_member_connected"),
        "moved in 2019": lambda: report(agency, "sendpilot", "lead_status_changed", timestamp="2019-01-01T00:00:00Z"),
        "pulled": lambda: pull(agency),
        "in the far future": lambda: report(
            agency, "sendpilot", "lead_status_changed", timestamp="2999-01-01T00:00:00Z"
        ),
    }[came]()
    drain_deliveries()
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING).count()
    kept = Receipt.objects.count(), Event.objects.count()
    for _ in range(2):
        with in_the_future(hours=1):
            assert purge()["erased"] == {}
    assert Lead.objects.get() == lead
    assert (Receipt.objects.count(), Event.objects.count()) == kept
    assert all(bytes(receipt.body) for receipt in Receipt.objects.all())
    assert Delivery.objects.filter(status=DeliveryStatus.PENDING).count() == waiting
    with in_the_future(days=364):
        purge()
        assert Lead.objects.exists()
    with in_the_future(days=373):  # the summary that never went out no longer keeps it
        assert purge()["erased"]["leads"] == 1


def test_a_lead_of_which_we_still_hear_is_kept_however_old_it_is(agency: Agency) -> None:
    with in_the_future(days=-400):
        quiet = changes.create_lead(agency, email="quiet@example.com")
        edited = changes.create_lead(agency, email="edited@example.com")
        moved = report(agency, "sendpilot", "lead_status_changed")
    with in_the_future(days=-300):
        changes.update_lead(edited, company="Example")
    with in_the_future(days=-10):  # with its provider's date of long ago, which changes nothing of where it stands
        receive_sample(moved.source, "lead_status_changed", eventId="another", timestamp=LONG_AGO)
        process_due_receipts()
    assert purge()["erased"]["leads"] == 1
    assert set(Lead.objects.all()) == {edited, moved}
    assert not Lead.objects.filter(pk=quiet.pk).exists()
    with in_the_future(days=66):
        purge()
    assert list(Lead.objects.all()) == [moved]


def test_those_who_got_the_lead_hear_that_it_went_today(agency: Agency, listening: Receiver) -> None:
    create_channel(agency, kind="webhook", url=listening.url)
    with in_the_future(days=-366):
        lead = report(agency, "salesflow", "legacy_member_connected")
        drain_deliveries()
    sent_before = len(listening.requests)
    before = timezone.now()
    purge()
    erased = Event.objects.get(event_type=EventType.LEAD_ERASED)
    assert erased.occurred_at >= before
    assert erased.created_at >= before
    purge()  # nothing of it goes before it was delivered
    drain_deliveries()
    assert len(listening.requests) == sent_before + 1
    assert lead.pk in listening.requests[-1].body.decode()
    with in_the_future(hours=25):
        purge()
        assert list(Event.objects.all()) == [erased]


def test_the_event_of_a_withdrawn_lead_is_dated_today(agency: Agency) -> None:
    """The provider's date says what it stops, not when it was erased."""
    lead = report(agency, "linkedin", "lead_created")
    receive_sample(lead.source, "lead_deleted")
    process_due_receipts()
    erased = Event.objects.get(event_type=EventType.LEAD_ERASED)
    assert timezone.now() - erased.occurred_at < timedelta(minutes=1)


def test_what_waits_to_be_delivered_is_delivered_first(agency: Agency, failing: Receiver, settings: Settings) -> None:
    settings.RETENTION_DAYS = 1
    create_channel(agency, kind="webhook", url=failing.url)
    create_channel(agency, kind="email", email="team@example.com", verified=True, mode="daily")
    with in_the_future(days=-2):
        reported = report(agency, "salesflow", "legacy_member_connected")
        changes.create_lead(agency, email="not.fanned.out@example.com")
    waiting = set(Delivery.objects.filter(status=DeliveryStatus.PENDING))
    assert waiting
    assert purge()["erased"].keys() <= {"receipts"}
    assert Lead.objects.filter(pk=reported.pk).exists()
    assert Lead.objects.count() == 2
    assert set(Delivery.objects.filter(status=DeliveryStatus.PENDING)) == waiting
    with in_the_future(days=7):
        assert purge()["erased"]["leads"] == 2
        assert {row.status for row in Delivery.objects.all()} <= {DeliveryStatus.CANCELLED, DeliveryStatus.PENDING}
        erasures = Event.objects.filter(event_type=EventType.LEAD_ERASED)
        fan_out_due_events()
        assert Delivery.objects.filter(event__in=erasures).count() == 1  # to the webhook, which may have got it


def test_a_receipt_that_waits_is_processed_first(agency: Agency, settings: Settings) -> None:
    settings.RETENTION_DAYS = 1
    source = source_of(agency, "sendpilot")
    receipt = receive_sample(source, "lead_status_changed", at=timezone.now() - timedelta(days=3))
    purge()
    process_due_receipts()
    receipt.refresh_from_db()
    assert receipt.status == "processed"
    assert purge()["erased"]["receipts"] == 1


def test_what_came_lately_and_was_not_understood_outlives_the_lead(agency: Agency) -> None:
    """It is processed when somebody adds the word, and makes the lead anew."""
    with in_the_future(days=-366):
        lead = report(agency, "sendpilot", "lead_status_changed")
    puzzle = receive_sample(lead.source, "lead_status_changed", eventId="another")
    Receipt.objects.filter(pk=puzzle.pk).update(status="quarantined", reason="unknown_status")
    assert purge()["erased"]["leads"] == 1
    puzzle.refresh_from_db()
    assert bytes(puzzle.body)


def test_a_report_that_comes_after_all_makes_the_lead_anew(agency: Agency) -> None:
    """Its tombstone is as old as what we had of it: what happened since and was still under way is news."""
    with in_the_future(days=-366):
        lead = report(agency, "sendpilot", "lead_status_changed")
    yesterday = timezone.now() - timedelta(days=1)
    late = receive_sample(lead.source, "lead_status_changed", eventId="2", timestamp=yesterday.isoformat())
    purge()
    process_due_receipts()
    late.refresh_from_db()
    assert Lead.objects.get().pk == late.lead_id != lead.pk


def test_a_backup_from_before_does_not_bring_back_what_retention_erased(agency: Agency) -> None:
    """Also where its latest report changed nothing of where it stood."""
    with in_the_future(days=-366):
        lead = report(agency, "sendpilot", "lead_status_changed")
        later = (timezone.now() + timedelta(minutes=2)).isoformat()
        receive_sample(lead.source, "lead_status_changed", eventId="2", timestamp=later)
        process_due_receipts()
        lead.refresh_from_db()
    references, history = list(lead.references.all()), list(lead.changes.all())
    purge()
    Tombstone.objects.all().delete()
    for row in (lead, *references, *history):
        row.save(force_insert=True)
    retention.replay_erasure_log()
    assert not Lead.objects.exists()


def test_one_lead_that_cannot_be_erased_does_not_stop_the_others(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_the_future(days=-366):
        names = [changes.create_lead(agency, email=f"{name}@example.com").pk for name in ("a", "b", "c")]
        drain_deliveries()

    def fail_for_one(lead: Lead, **options: Any) -> dict[str, int]:
        pk, result = lead.pk, erase(lead, **options)
        if pk == names[1]:
            raise RuntimeError("A part of it cannot be erased.")
        return result

    erase = retention.erase_lead  # type: ignore[attr-defined]
    monkeypatch.setattr(retention, "erase_lead", fail_for_one)
    answer = purge()
    assert answer["erased"]["leads"] == 2
    assert answer["failures"] == 1
    assert list(Lead.objects.values_list("pk", flat=True)) == [names[1]]
    assert Tombstone.objects.count() == 2
    monkeypatch.setattr(retention, "erase_lead", erase)
    assert purge()["erased"]["leads"] == 1


def test_a_lead_that_changes_at_this_moment_is_left_alone(agency: Agency) -> None:
    with in_the_future(days=-366):
        lead = changes.create_lead(agency, email="a@example.com")
        drain_deliveries()

    def clean() -> dict[str, Any]:
        try:
            return purge()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            changes.set_status(lead, status=LeadStatus.REPLY_RECEIVED, changed_by=ChangedBy.USER)
            purged = pool.submit(clean)
            wait([purged], timeout=0.3 if connection.vendor == "sqlite" else 10)
        assert "leads" not in purged.result()["erased"]
    assert Lead.objects.get() == lead


def test_deliveries_that_are_made_at_this_moment_do_not_stop_it(agency: Agency, listening: Receiver) -> None:
    """It must neither fail on a foreign key nor wait for others."""
    create_channel(agency, kind="webhook", url=listening.url)
    with in_the_future(days=-370):
        event = record_event(agency, EventType.TEST)

    def clean() -> dict[str, Any]:
        try:
            return purge()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert fan_out_due_events() == 1
            purged = pool.submit(clean)
            wait([purged], timeout=0.3 if connection.vendor == "sqlite" else 10)
        assert purged.result()["failures"] == 0
    assert Delivery.objects.filter(event=event).count() == 1


def test_deliveries_go_with_their_event_and_leave_their_companions(agency: Agency, listening: Receiver) -> None:
    """An old one may carry young ones that were told in the same mail."""
    channel, _ = create_channel(agency, kind="webhook", url=listening.url)
    with in_the_future(days=-366):
        record_event(agency, EventType.TEST)
        drain_deliveries()
    young = record_event(agency, EventType.TEST)
    drain_deliveries()
    carrier, carried = Delivery.objects.order_by("event_id")
    Delivery.objects.filter(pk=carried.pk).update(carrier=carrier)
    assert purge()["erased"] == {"events": 1, "deliveries": 1, "attempts": 1}
    assert list(Event.objects.all()) == [young]
    assert [(row.event_id, row.carrier_id, row.status) for row in Delivery.objects.all()] == [
        (young.pk, None, DeliveryStatus.DELIVERED)
    ]
    assert channel.deliveries.count() == 1


@pytest.mark.parametrize("strange", [1, 5])
def test_strange_times_among_the_oldest_stop_nothing(
    agency: Agency, strange: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was set wrong for a while, also for longer than a batch."""
    monkeypatch.setattr("webhooks.retention.BATCH", 2)
    source = source_of(agency, "salesflow")
    for _ in range(strange):
        receive_sample(source, "account_active", at=datetime(2999, 1, 1, tzinfo=UTC))
    for _ in range(3):
        receive_sample(source, "account_active", at=timezone.now() - timedelta(days=400))
    process_due_receipts()
    Receipt.objects.update(status="processed")
    assert purge()["erased"]["receipts"] == 3


def test_the_receipts_of_a_lead_are_found_by_their_index(db: None) -> None:
    """However many others there are: erasing one lead must not read all receipts."""
    query = receipts_about("lead_1")
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "receipt_by_lead" in query.explain()


def test_a_round_ends_and_the_next_goes_on_where_it_ended(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_the_future(days=-366):
        leads = [changes.create_lead(agency, email=f"{number}@example.com") for number in range(5)]
        drain_deliveries()
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0.0)
    progress = []
    while rounds.purge_if_due():
        progress.append(Lead.objects.count())
        run = RetentionRun.objects.get()
        assert (run.finished_at, run.leased_until) == (None, None)
    assert [progress.count(left) > 0 for left in range(len(leads))] == [True] * len(leads)
    run = RetentionRun.objects.get()
    assert run.erased["leads"] == len(leads)
    assert run.finished_at
    assert not rounds.purge_if_due()
    with in_the_future(hours=23):
        assert not rounds.purge_if_due()
        assert RetentionRun.objects.get().started_at == run.started_at
    with in_the_future(hours=25):
        assert rounds.purge_if_due()
        assert RetentionRun.objects.get().started_at > run.started_at


def test_a_run_that_somebody_is_at_is_left_alone_until_its_lease_ends(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_the_future(days=-366):
        changes.create_lead(agency, email="a@example.com")
        drain_deliveries()
    until = timezone.now() + timedelta(seconds=60)
    RetentionRun.objects.create(cutoff=timezone.now() - timedelta(days=365), leased_until=until, step="leads")
    assert not rounds.purge_if_due()
    assert Lead.objects.exists()
    with in_the_future(seconds=61):
        assert not rounds.purge_if_due()
    assert not Lead.objects.exists()
    assert RetentionRun.objects.get().finished_at


def test_a_step_that_fails_does_not_stop_the_others(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_the_future(days=-366):
        changes.create_lead(agency, email="a@example.com")
        drain_deliveries()
    monkeypatch.setitem(rounds.STEPS, "receipts", Mock(side_effect=RuntimeError("broken")))
    answer = purge()
    assert answer["erased"]["leads"] == 1
    assert answer["failures"] == 1
    assert RetentionRun.objects.get().error == "receipts: RuntimeError"
