"""/healthz, /readyz and /metrics: what watches Leadline is told the truth."""

import shutil
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import InternalError, OperationalError
from django.test import Client
from django.utils import timezone
from psycopg.errors import ReadOnlySqlTransaction
from pytest_django import Settings

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Agency, Heartbeat, RetentionRun
from accounts.tasks import PURGE
from config import health
from config.ops.diagnosis import diagnose_one
from config.ops.purge import purge
from tests.factories import make_everything
from webhooks.models import Receipt


@pytest.fixture(autouse=True)
def own_spool(settings: Settings, tmp_path: Path) -> None:
    """The broker of these tests is the embedded one, in a folder of their own."""
    settings.VAR = tmp_path


@pytest.fixture
def embedded_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from config.celery import app

    folder = tmp_path / "spool"
    options = {"folder": str(folder), "visibility_timeout": 60}
    monkeypatch.setitem(app.conf, "broker_transport_options", options)
    monkeypatch.setitem(app.conf, "broker_write_url", "spool://local")
    folder.mkdir()
    return folder


def checks(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    found = answer.json()["checks"]
    assert all(check["ok"] == (not check["detail"]) for check in found.values())
    return answer.status_code, {name: check["detail"] for name, check in found.items() if not check["ok"]}


def test_healthz_asks_nobody(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(connection, "ensure_connection", away)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert "no-store" in answer["Cache-Control"]


def test_ready_when_all_is_well(client: Client, beating: None) -> None:
    assert checks(client) == (200, {})


def test_not_ready_before_any_process_was_seen(client: Client, db: None) -> None:
    status, wrong = checks(client)
    assert status == 503
    assert set(wrong) - {"retention"} == set(health.PROCESSES)
    assert wrong["scheduler"] == "never seen: start it with manage.py run_scheduler"


@pytest.mark.once
@pytest.mark.parametrize("name", health.PROCESSES)
def test_not_ready_when_a_process_is_silent(name: str, client: Client, beating: None) -> None:
    Heartbeat.objects.filter(name=name).update(at=timezone.now() - timedelta(seconds=61))
    assert checks(client) == (503, {name: "silent for 1 minute"})


def test_not_ready_when_no_run_of_retention_ends(client: Client, beating: None) -> None:
    """Neither where one ended and then none, nor where none ever did since the product was installed."""
    Heartbeat.objects.filter(name=PURGE).update(at=timezone.now() - timedelta(hours=27))
    assert checks(client) == (503, {"retention": "no run has ended for 1 day"})
    RetentionRun.objects.create(cutoff=timezone.now(), step="leads")
    assert checks(client) == (503, {"retention": "no run has ended for 1 day; one is at the leads"})
    assert not diagnose_one("retention").ok
    Heartbeat.objects.filter(name=PURGE).delete()
    RetentionRun.objects.all().delete()
    assert checks(client) == (503, {"retention": "no run has ever ended"})
    purge()
    assert checks(client) == (200, {})


@pytest.mark.parametrize("name", ["0001_initial", "0001_squashed_0014_stored_sentences"])
def test_a_new_product_knows_since_when_retention_is_due(name: str, beating: None) -> None:
    """Its first migration says so: nothing else is left behind by a task that never runs."""
    Heartbeat.objects.filter(name=PURGE).delete()
    migration = import_module(f"accounts.migrations.{name}")
    migration.begin_to_count(apps, None)
    first = Heartbeat.objects.get(name=PURGE).at
    assert timezone.now() - first < timedelta(minutes=1)
    migration.begin_to_count(apps, None)
    assert Heartbeat.objects.get(name=PURGE).at == first


def test_doctor_says_what_retention_could_not_erase(beating: None) -> None:
    RetentionRun.objects.create(cutoff=timezone.now(), failures=2, error="lead_1: RuntimeError")
    result = diagnose_one("retention")
    assert (result.ok, "2" in result.detail, "lead_1" in result.detail) == (False, True, True)


def test_not_ready_when_a_receipt_is_overdue(client: Client, beating: None, agency: Agency, staff: Any) -> None:
    receipt = make_everything(agency, staff, text="x")[Receipt]
    overdue = timezone.now() - timedelta(seconds=125)
    Receipt.objects.filter(pk=receipt.pk).update(status="received", next_attempt_at=overdue)
    assert checks(client) == (503, {"receipts": "the oldest has been due for 2 minutes"})


def test_not_ready_when_an_event_is_overdue(client: Client, beating: None, agency: Agency) -> None:
    with time_machine.travel(timezone.now() - timedelta(seconds=125)):
        record_event(agency, EventType.TEST)
    assert checks(client) == (503, {"events": "the oldest has been due for 2 minutes"})


def test_a_receipt_that_waits_for_its_next_try_is_not_overdue(
    client: Client, beating: None, agency: Agency, staff: Any
) -> None:
    receipt = make_everything(agency, staff, text="x")[Receipt]
    later = timezone.now() + timedelta(seconds=30)
    old = timezone.now() - timedelta(days=1)
    Receipt.objects.filter(pk=receipt.pk).update(status="received", received_at=old, next_attempt_at=later)
    assert checks(client) == (200, {})


def test_what_was_migrated_before_migrations_were_squashed_is_ready(client: Client, beating: None) -> None:
    recorder = MigrationRecorder(connection)
    squashed = [key for key in MigrationLoader(None).disk_migrations if "_squashed_" in key[1]]
    assert len(squashed) == 4
    for app, name in squashed:
        recorder.record_unapplied(app, name)
    assert checks(client) == (200, {})


def test_not_ready_when_a_migration_is_missing(client: Client, beating: None) -> None:
    MigrationRecorder(connection).record_unapplied("leads", "0001_initial")
    status, wrong = checks(client)
    assert status == 503
    assert wrong == {"migrations": "1 not applied, the first is leads.0001_initial: run manage.py migrate"}


def test_not_ready_when_the_disk_is_full(client: Client, beating: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        total, free = 1000, 49

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage)
    status, wrong = checks(client)
    assert (status, wrong.pop("disk")) == (503, "only 4.9% of the disk is free")
    assert set(wrong.values()) <= {"only 4.9% of the disk is free"}


def test_the_database_has_room_of_its_own(
    client: Client, beating: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "postgresql":
        settings.DATABASE_BYTES = 1000
        assert checks(client) == (503, {"database space": "only 0.0% of DATABASE_BYTES is free"})
        settings.DATABASE_BYTES = 2**60
    else:
        full = type("Usage", (), {"free": 1, "total": 100})
        monkeypatch.setattr(health, "_is_on_disk_of_var", lambda folder: False)
        usage, var = shutil.disk_usage, settings.VAR
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(folder) if folder == var else full)
        assert checks(client)[1]["database space"] == "only 1.0% of the disk is free"
        monkeypatch.setattr(health, "_is_on_disk_of_var", lambda folder: True)
    assert checks(client) == (200, {})


def test_not_ready_when_the_broker_is_away(client: Client, beating: None) -> None:
    from config.celery import app

    before = app.conf.broker_write_url
    app.conf.broker_write_url = "redis://127.0.0.1:1/0"
    try:
        status, wrong = checks(client)
    finally:
        app.conf.broker_write_url = before
    assert status == 503
    assert set(wrong) == {"broker"}
    assert wrong["broker"].startswith("does not answer")


def test_not_ready_and_no_error_when_the_database_is_away(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection to 10.0.0.5 refused: password canary")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", away)
        answer = client.get("/readyz")
    assert answer.status_code == 503
    found = answer.json()["checks"]
    assert found["database"]["detail"] == "the database does not answer (OperationalError)"
    assert not found["receipts"]["ok"]
    assert found["disk"]["ok"]
    assert "canary" not in answer.content.decode()


def test_not_ready_when_the_database_can_only_be_read(
    client: Client, beating: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InternalError("cannot execute INSERT in a read-only transaction") from ReadOnlySqlTransaction()

    monkeypatch.setattr(health, "write_heartbeat", refuse)
    status, wrong = checks(client)
    assert (status, wrong["database"]) == (503, "the database is read-only")


@pytest.mark.django_db(transaction=True)
def test_the_database_is_asked_to_write() -> None:
    """On a connection that really takes none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SET default_transaction_read_only = on" if connection.vendor == "postgresql" else "PRAGMA query_only = ON"
        )
    try:
        found = health.find_problems()["database"]
    finally:
        connection.close()
    assert found in {"the database is read-only", "the database does not answer (OperationalError)"}
    assert health.find_problems()["database"] == ""
    assert not Heartbeat.objects.filter(name=health.PROBE).exists()


def test_not_ready_when_the_erasure_log_cannot_be_written(
    client: Client, beating: None, settings: Settings, tmp_path: Path
) -> None:
    settings.ERASURE_JOURNAL = tmp_path / "missing" / "erasures.jsonl"
    (tmp_path / "missing").write_text("a file where the folder should be")
    status, wrong = checks(client)
    assert (status, set(wrong)) == (503, {"erasure log"})


def test_not_ready_when_the_spool_folder_cannot_be_written(
    client: Client, beating: None, embedded_broker: Path
) -> None:
    (embedded_broker / health.PROBE).write_text("a file where the queue's folder should be")
    status, wrong = checks(client)
    assert (status, set(wrong)) == (503, {"broker"})


def test_the_probe_of_the_broker_leaves_nothing_behind(client: Client, beating: None, embedded_broker: Path) -> None:
    assert checks(client) == (200, {})
    assert [path for path in embedded_broker.rglob("*") if path.is_file()] == []


@pytest.mark.once
@pytest.mark.parametrize("name", health.PROCESSES)
def test_a_sign_of_life_from_the_future_is_none(name: str, client: Client, beating: None) -> None:
    Heartbeat.objects.filter(name=name).update(at=timezone.now() + timedelta(hours=1))
    status, wrong = checks(client)
    assert (status, set(wrong)) == (503, {name})
    assert "ahead of the clock" in wrong[name]


def test_metrics_need_their_token(client: Client, settings: Settings, db: None) -> None:
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "scrape-me"
    for header in ("", "Bearer wrong", "Bearer scrape-me ", "scrape-me", "Basic scrape-me", "Bearer é"):
        assert client.get("/metrics", HTTP_AUTHORIZATION=header).status_code == 401, header
    assert client.get("/metrics?token=scrape-me").status_code == 401


def test_metrics_tell_what_is_in_the_database(
    client: Client, settings: Settings, agency: Agency, staff: Any, beating: None
) -> None:
    settings.METRICS_TOKEN = "scrape-me"
    receipt = make_everything(agency, staff, text="x")[Receipt]
    due = timezone.now() - timedelta(seconds=40)
    Receipt.objects.filter(pk=receipt.pk).update(status="received", next_attempt_at=due)
    text = client.get("/metrics", headers={"Authorization": "Bearer scrape-me"}).content.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines['leadline_receipts{status="received"}'] == "1.0"
    assert lines['leadline_receipts{status="quarantined"}'] == "0.0"
    assert lines['leadline_accounts{status="auth_error"}'] == "1.0"
    assert lines['leadline_accounts{status="active"}'] == "0.0"
    assert lines['leadline_deliveries{status="failed"}'] == "1.0"
    assert lines['leadline_source_troubles{kind="rejecting"}'] == "1.0"
    assert lines['leadline_source_troubles{kind="silent"}'] == "0.0"
    assert 40 <= float(lines['leadline_oldest_due_seconds{kind="receipt"}']) < 60
    assert float(lines['leadline_heartbeat_age_seconds{process="scheduler"}']) < 60
