"""An erased person is found nowhere: no column of any table, no mail, no log, no spool; also not after a restore."""

import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from io import BytesIO, StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from cryptography.fernet import InvalidToken
from django.conf import settings as django_settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.encrypted_fields import fernet
from accounts.core.enums import Scope
from accounts.core.unit_of_work import AT_ONCE
from accounts.events.ordering import Origin
from accounts.models import Agency, Event
from accounts.tasks import tidy
from accounts.tenancy.api_keys import create_api_key
from config.demo.linkedin_api.world import World
from config.ops.purge import purge
from leads.activities.notes import create_note
from leads.activities.tasks import create_task, finish_task
from leads.enums import ChangedBy, LeadStatus, TaskKind
from leads.imports.jobs import work_on_imports
from leads.imports.service import create_import, start_import, undo_import
from leads.lead_sync.backfill_import import import_leads
from leads.lead_sync.forms import Form
from leads.models import DuplicateProposal, ImportRow, Lead, LeadReference, LeadScore, Tombstone
from leads.pipeline import changes, reports
from leads.pipeline.dto import Identity
from leads.pipeline.matching import digest_of
from leads.pipeline.tombstones import OWN_PROVIDER
from leads.privacy import erasure_log, retention
from leads.privacy.erasure import erase_lead, report_withdrawal
from leads.routing.service import assign_by_pool, route_leads
from leads.scoring.service import score_leads
from leads.sla.clocks import Times, clocks_of_lead
from leads.sla.responses import answer_elsewhere
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from notifications.models import Delivery
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, work
from tests.leads.privacy.canary import (
    ANSWERS,
    CANARIES,
    HOW,
    LEAD_ID,
    NOTE,
    OUTCOME,
    REMARK,
    REPLY,
    TASK,
    WRITTEN,
    found_in,
)
from tests.leads.routing.teams import make_member, make_pool
from tests.notifications.receiver import Receiver, Request, answering, receiver
from tests.receiving import receive_sample
from tests.receiving import source_of as source_at
from webhooks.models import Receipt
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mails(tmp_path: Path, settings: Settings) -> Path:
    settings.EMAIL_BACKEND = "notifications.transports.mailfolder.MailFolderBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.ERASURE_JOURNAL = str(tmp_path / "erasures.jsonl")
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    return tmp_path / "mail"


@pytest.fixture
def log() -> Iterator[StringIO]:
    text = StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def echo() -> Iterator[Receiver]:
    """A receiver that says back of which person it was told."""
    said = answering(200, body=json.dumps({"got": f"{ANSWERS['First name']} {ANSWERS['Work email']}"}))
    silent = answering(200)

    async def behave(request: Request, *streams: Any) -> None:
        await (said if b'"lead_id"' in request.body else silent)(request, *streams)

    with receiver(behave) as one:
        yield one


def everything_stored() -> str:
    """Every column of every table as text, encrypted ones opened."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [_plain(value) for row in cursor.fetchall() for value in row if value is not None]
    return "\n".join(found).lower()


def _plain(value: Any) -> str:
    text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
    for token in re.findall(r"gAAAA[\w=-]+", text):
        try:
            text += fernet().decrypt(token.encode()).decode()
        except InvalidToken:
            continue
    return text


def database_files() -> list[str]:
    """SQLite's own, byte by byte: what is no longer in any row may still stand there."""
    path = Path(connection.settings_dict["NAME"])
    return [file.read_text("latin-1") for file in path.parent.glob(f"{path.name}*")] if path.is_file() else []


def import_files_about(lead: Lead) -> None:
    """Files in every state that have rows about a lead, and a proposal that somebody else is the same person."""
    mail, company, phone = (ANSWERS[name] for name in ("Work email", "Company name", "Phone number"))
    other = "Bea Example,bea@example.com,,Initech\n"
    row = f"{ANSWERS['First name']} {ANSWERS['Last name']},{mail},{phone},{company}\n"
    refused = f"Somebody,{mail},{phone},{company},more,cells\n"
    for headings in ("Name,E-mail,Phone,Company\n", "Wer,Wo,Wie,Was\n"):  # the second waits for its columns
        content = BytesIO((headings + other + row + refused).encode())
        found = create_import(lead.agency, name="fair.csv", file=content)
        for go_on in (start_import, undo_import):
            while work_on_imports():
                pass
            if headings.startswith("Name"):
                go_on(found)
        assert found.rows.count() == 3
    while work_on_imports():
        pass
    DuplicateProposal.objects.create(agency=lead.agency, lead=lead, other=lead, reasons=["phone"])


def report_everything(agency: Agency, echo: Receiver) -> Lead:
    """A lead that went through everything that keeps something of it."""
    create_channel(agency, kind="email", email="team@example.com", verified=True, conflation_seconds=0)
    create_channel(agency, kind="webhook", url=echo.url)
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        response = stand_in.world.submit(ANSWERS, id=LEAD_ID)
        notify(source, response)
        work()
    lead = Lead.objects.get()
    notify(source, response, "ARCHIVED")  # a word that nobody knows
    process_due_receipts()
    answered = Origin(by="sendpilot", at=timezone.now())
    identity = Identity(external_id=LEAD_ID)
    status = LeadStatus.REPLY_RECEIVED
    reports.report_status(
        agency,
        provider="sendpilot", identity=identity, status=status, stated=False, origin=answered, lead=lead, text=REPLY,
    )  # fmt: skip
    changes.set_status(lead, status=LeadStatus.OPPORTUNITY, changed_by=ChangedBy.USER, note=NOTE)
    pool = make_pool(agency, make_member(agency, "anna"), make_member(agency, "grace"), is_catch_all=True)
    route_leads([lead.pk])
    assign_by_pool(agency, [lead.pk], pool=pool)
    assert lead.assignments.filter(pool=pool).count() == 2
    import_files_about(lead)
    work_on(lead)
    key = create_api_key(agency, scopes=list(Scope))[1]
    puzzle = Receipt.objects.get(status="quarantined")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k1"}
    path = f"/api/v1/receipts/{puzzle.public_id}/reprocess"
    assert Client().post(path, content_type="application/json", headers=headers).status_code == 202
    process_due_receipts()
    drain_deliveries()
    lead.refresh_from_db()
    return lead


def work_on(lead: Lead) -> None:
    """Measure and score a lead, answer, call, and note something."""
    now = timezone.now()
    with transaction.atomic():
        clocks_of_lead(lead.pk, AT_ONCE).start_first_response(Times(now, now, now))
        score_leads([lead.pk], now=now, may_report=False)
    assert (lead.clocks.count(), LeadScore.objects.filter(lead=lead).count()) == (1, 1)
    answer_elsewhere(lead, how=HOW)
    task = create_task(lead, kind=TaskKind.CALL, title=TASK, due_in_working_minutes=60)
    finish_task(task, outcome=OUTCOME)
    create_note(lead, text=REMARK)


def withdraw(agency: Agency) -> None:
    source = agency.sources.get(provider="linkedin")
    response = {
        "id": LEAD_ID, "submittedAt": int(timezone.now().timestamp() * 1000), "leadType": "SPONSORED",
        "versionedLeadGenFormUrn": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:1,1)",
        "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:1"},
    }  # fmt: skip
    notify(source, response, "DELETED")
    process_due_receipts()


def test_after_deleted_the_person_is_found_nowhere(
    agency: Agency, echo: Receiver, mails: Path, log: StringIO, settings: Settings
) -> None:
    lead = report_everything(agency, echo)
    assert found_in(everything_stored()) == [*CANARIES, *WRITTEN]  # it looks where they were
    assert any(map(found_in, database_files())) is (connection.vendor == "sqlite")
    assert list(mails.glob("*.eml"))
    withdraw(agency)
    drain_deliveries()
    assert found_in(everything_stored()) == []
    assert found_in(log.getvalue()) == []
    for folder in (mails, Path(django_settings.SPOOL_DIR)):
        for path in folder.rglob("*") if folder.is_dir() else ():
            assert not path.is_file() or found_in(path.read_text("latin-1")) == [], path
    assert not DuplicateProposal.objects.exists()
    assert ImportRow.objects.count() == 2
    tidy()
    assert not any(map(found_in, database_files()))
    last = json.loads(echo.requests[-1].body)
    assert (last["event_type"], last["lead_id"]) == ("lead_erased", lead.pk)
    assert set(last) == {"event_type", "event_id", "ghl_company_id", "timestamp", "lead_id"}


def test_a_backup_from_before_brings_nobody_back(agency: Agency, echo: Receiver, mails: Path) -> None:
    lead = report_everything(agency, echo)
    kept = {model: list(model.objects.all()) for model in (Lead, LeadReference)}
    bodies = dict(Receipt.objects.filter(lead_id=lead.pk).values_list("pk", "body"))
    payloads = dict(Event.objects.values_list("pk", "payload"))
    erase_lead(lead)
    Tombstone.objects.all().delete()
    for rows in kept.values():
        for row in rows:
            row.save(force_insert=True)
    for pk, body in bodies.items():
        Receipt.objects.filter(pk=pk).update(body=body)
    for event_id, payload in payloads.items():
        Event.objects.filter(pk=event_id).update(payload=payload)
    assert found_in(everything_stored())
    assert purge()["erased"]["leads"] == 1
    assert found_in(everything_stored()) == []
    assert "leads" not in purge()["erased"]


def test_an_erasure_that_did_not_reach_the_journal_is_noted_by_the_next_replay(
    agency: Agency, mails: Path, settings: Settings
) -> None:
    erase_lead(changes.create_lead(agency, name="Ada Canary"))
    Path(settings.ERASURE_JOURNAL).unlink()
    assert not purge()["erased"].get("leads")
    assert [line.digest for line in erasure_log.read_lines()] == [Tombstone.objects.get().digest]
    again = Path(settings.ERASURE_JOURNAL).read_text()
    purge()
    assert Path(settings.ERASURE_JOURNAL).read_text() == again


def test_a_replay_that_was_broken_off_begins_anew(agency: Agency, mails: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lead = changes.create_lead(agency, name="Ada Canary")
    line = erasure_log.Line(agency.pk, OWN_PROVIDER, digest_of(agency.pk, lead.pk), timezone.now())
    erasure_log.append_lines([line])
    monkeypatch.setattr(retention, "erase_lead", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        purge()
    monkeypatch.setattr(retention, "erase_lead", erase_lead)
    assert purge()["erased"]["leads"] == 1
    assert not Lead.objects.exists()


def test_a_process_that_starts_reads_back_until_the_database_knows_the_journal(agency: Agency, mails: Path) -> None:
    def line(number: int) -> erasure_log.Line:
        return erasure_log.Line(agency.pk, "linkedin", f"{number:064}", timezone.now())

    def known() -> int:
        return Tombstone.objects.count()

    erasure_log.append_lines(map(line, range(1500)))
    retention.replay_erasure_log()
    assert known() == 1500
    Tombstone.objects.filter(digest__in=[f"{number:064}" for number in (1, *range(1200, 1500))]).delete()
    retention.replay_erasure_log(whole=False)
    assert known() == 1499  # the first is older than what the database knew: no backup lacks that alone
    with CaptureQueriesContext(connection) as asked:
        retention.replay_erasure_log(whole=False)
    assert len(asked) == 2
    earlier = Tombstone.objects.filter(digest=f"{2:064}")
    before = earlier.get().erased_at
    earlier.update(erased_at=before - timedelta(days=1))
    retention.replay_erasure_log()
    assert (known(), earlier.get().erased_at) == (1500, before)


def test_processes_write_into_one_journal_without_mixing_their_lines(mails: Path, settings: Settings) -> None:
    Path(settings.ERASURE_JOURNAL).write_text('["agc_1", "linkedin", "torn')
    processes = [get_context("fork").Process(target=write_lines, args=(name,)) for name in ("one", "two")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    found = list(erasure_log.read_lines())
    assert [len([line for line in found if line.agency_id == name]) for name in ("one", "two")] == [300, 300]
    assert {line.digest for line in found} == {f"{number:064}" for number in range(300)}


def write_lines(name: str) -> None:
    for number in range(300):
        erasure_log.append_lines([erasure_log.Line(name, "linkedin", f"{number:064}", timezone.now())])


def test_a_lead_that_is_withdrawn_while_a_pull_makes_it_does_not_stay(agency: Agency, mails: Path) -> None:
    world = World()
    response = world.submit(id=LEAD_ID)
    source = source_at(agency, "linkedin")
    origin = Origin(by="linkedin", at=timezone.now(), source=source)

    def take_back() -> None:
        report_withdrawal(agency, provider="linkedin", external_id=LEAD_ID, origin=origin)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert import_leads(source, [(response, Form({}))]) == (1, 0)
            taken_back = pool.submit(take_back)
            wait([taken_back], timeout=0.3)  # so long it would have been through, had it not to wait
        taken_back.result()
    assert not Lead.objects.exists()


def test_only_those_who_got_the_lead_hear_that_it_was_erased(agency: Agency, echo: Receiver, mails: Path) -> None:
    picky, _ = create_channel(agency, kind="webhook", url=echo.url, event_types=["lead_created"])
    other, _ = create_channel(agency, kind="webhook", url=echo.url, event_types=["linkedin_blocked"])
    lead = report_everything(agency, echo)
    late, _ = create_channel(agency, kind="webhook", url=echo.url)
    erase_lead(lead)
    drain_deliveries()
    alerted = set(Delivery.objects.filter(event__event_type="lead_erased").values_list("channel_id", flat=True))
    assert picky.pk in alerted
    assert not {other.pk, late.pk} & alerted


def test_what_nobody_has_sent_yet_is_not_sent(agency: Agency, mails: Path) -> None:
    create_channel(agency, kind="email", email="team@example.com", verified=True, mode="daily")
    lead = changes.create_lead(agency, name="Ada Canary", email="ada@example.com")
    drain_deliveries()
    erase_lead(lead)
    drain_deliveries()
    assert {row.status for row in Delivery.objects.all()} <= {"cancelled"}


def test_a_late_report_of_somebody_erased_keeps_nothing(agency: Agency, mails: Path) -> None:
    source = source_at(agency, "sendpilot")
    receipt = receive_sample(source, "lead_status_changed")
    process_due_receipts()
    erase_lead(Lead.objects.get())
    again = receive_sample(source, "lead_status_changed", eventId="another")
    process_due_receipts()
    assert not Lead.objects.exists()
    for row in (receipt, again):
        row.refresh_from_db()
        assert bytes(row.body) == b""


@pytest.mark.parametrize(
    ("url", "said", "is_erased"),
    [
        ("https://www.linkedin.com/in/Ada-Canary", "https://de.linkedin.com/in/ADA-Canary/de", True),
        ("https://www.linkedin.com/in/ad%C3%A1", "https://www.linkedin.com/in/ad%c3%a1?x=1", True),
        (
            "https://www.linkedin.com/pub/ada-canary/1a/2b3/4c5",
            "https://www.linkedin.com/pub/ada-canary/1A/2B3/4C5",
            True,
        ),
        ("https://www.linkedin.com/pub/ada-canary/1a/2b3/4c5", "https://www.linkedin.com/in/bea-4c5", False),
        ("https://www.linkedin.com/in/", "https://www.linkedin.com/in/bea", False),
    ],
)
def test_what_was_not_understood_goes_if_it_names_the_profile_and_else_stays(
    agency: Agency, mails: Path, url: str, said: str, is_erased: bool
) -> None:
    source = source_at(agency, "sendpilot")
    receive_sample(source, "lead_status_changed", data={"leadId": "l1", "linkedinUrl": url, "newStatus": "DONE"})
    process_due_receipts()
    waiting = receive_sample(source, "lead_status_changed", eventId="2", data={"leadId": "l2", "linkedinUrl": said})
    process_due_receipts()
    waiting.refresh_from_db()
    assert waiting.status == "quarantined" or waiting.status == "failed"
    erase_lead(Lead.objects.get())
    waiting.refresh_from_db()
    assert (bytes(waiting.body) == b"") is is_erased


def test_the_command_erases_and_says_where(agency: Agency, mails: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lead = changes.create_lead(agency, name="Ada", email="ada@example.com")
    call_command("erase_lead", lead.pk, "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["lead_id"] == lead.pk
    assert (answer["erased"]["leads"], answer["erased"]["event payloads"]) == (1, 1)
    with pytest.raises(SystemExit):
        call_command("erase_lead", lead.pk, "--json")
    assert "There is no lead" in json.loads(capsys.readouterr().out)["error"]


def test_retention_erases_by_age(agency: Agency, mails: Path, settings: Settings) -> None:
    settings.RETENTION_DAYS = 30
    long_ago = timezone.now() - timedelta(days=31)
    with time_machine.travel(long_ago):
        changes.create_lead(agency, email="old@example.com")
        drain_deliveries()
    young = changes.create_lead(agency, email="young@example.com")
    receipt = receive_sample(source_at(agency, "salesflow"), "account_active", at=long_ago)
    process_due_receipts()
    answer = purge()
    assert answer["erased"]["leads"] == 1
    assert list(Lead.objects.all()) == [young]
    assert not Receipt.objects.filter(pk=receipt.pk).exists()


def test_staff_erase_from_the_back_office_and_it_stands_in_the_log(agency: Agency, mails: Path) -> None:
    staff = User.objects.create_superuser("staff", "staff@example.com", "correct horse battery")
    client = Client()
    client.force_login(staff)
    lead = changes.create_lead(agency, name="Ada Canary", email="ada@example.com")
    page = client.get(f"/admin/leads/lead/{lead.pk}/change/").content.decode()
    assert "It cannot be undone." in page
    client.post(f"/admin/leads/lead/{lead.pk}/press/erase/")
    assert not Lead.objects.exists()
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id, entry.action_flag, entry.object_repr) == (staff.pk, lead.pk, 3, lead.pk)
