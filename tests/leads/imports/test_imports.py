"""A file of leads is checked, imported once whatever dies meanwhile, and taken back as far as nobody touched it."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.models import Agency, AuditEntry, Event, Reaction
from leads.activities.notes import create_note
from leads.enums import ImportState, LeadStatus
from leads.imports import jobs, service, writing
from leads.imports.jobs import ROWS_TIME, work_on_imports
from leads.imports.refused import refused_chunks
from leads.labels import ROW_REASONS
from leads.models import DuplicateProposal, ImportMapping, ImportRow, Lead, LeadChange, LeadImport, LeadScore
from leads.pipeline.changes import create_lead, update_lead
from leads.privacy.erasure import erase_lead
from tests.leads.pipeline.test_merge import report
from tests.reactions import react
from tests.threads import at_once

FILE = b"""First name;Last name;E-mail;LinkedIn URL;Company;Phone;Tags
Zoe;Example;zoe@example.com;https://www.linkedin.com/in/zoe-example;Acme;+49 30 1234567;fair, berlin
Ada;Example;ADA@example.com;;Globex;;
Ada;Again;ada@example.com;;Globex;;
Bea;Known;bea@example.com;;Initech;;vip
Cia;Known;cia@example.com;;;;
Dan;Nowhere;;;Acme;;
Eve;Wrong;not an address;;;;
Fay;Wrong;;https://example.com/fay;;;
Gus;Example;;;;+49 30 7654321;
Hal;Wrong;;;;12345;
"""


def upload(agency: Agency, content: bytes = FILE, **options: Any) -> LeadImport:
    return service.create_import(agency, name="fair.csv", file=BytesIO(content), **options)


def work() -> None:
    """Do what is due, as a worker."""
    while work_on_imports():
        pass


def imported(agency: Agency, content: bytes = FILE, **options: Any) -> LeadImport:
    found = upload(agency, content, **options)
    work()
    service.start_import(found)
    work()
    found.refresh_from_db()
    return found


def fresh(found: LeadImport) -> LeadImport:
    found.refresh_from_db()
    return found


@pytest.fixture
def known(agency: Agency) -> tuple[Lead, Lead]:
    """Two leads that the file knows: one lacks something, one has it all."""
    bea = create_lead(agency, email="bea@example.com", company="Hooli", first_name="Beatrice", last_name="Known")
    cia = create_lead(agency, email="Cia@Example.com", first_name="Cia", last_name="Known")
    react()
    return bea, cia


class Killed(BaseException):
    """Ends a worker as a signal does: nothing catches it."""


COUNTS = {"new": 3, "updated": 1, "duplicate": 2, "refused": 4}


def test_the_check_says_what_the_import_then_does(agency: Agency, known: tuple[Lead, Lead]) -> None:
    found = upload(agency)
    assert (found.state, found.total, found.encoding, found.delimiter) == (ImportState.CHECKING, 10, "utf-8", ";")
    work()
    assert (fresh(found).state, found.counts, Lead.objects.count()) == (ImportState.READY, COUNTS, 2)
    service.start_import(found)
    work()
    assert (fresh(found).state, found.counts, Lead.objects.count()) == (ImportState.DONE, COUNTS, 5)
    outcomes = dict(found.rows.values_list("number", "outcome"))
    assert [outcomes[number] for number in range(2, 12)] == [
        *("new", "new", "duplicate", "updated", "duplicate", "refused", "refused", "refused", "new", "refused"),
    ]
    reasons = dict(found.rows.exclude(reason="").values_list("number", "reason"))
    assert reasons == {
        4: "in_file", 6: "nothing_new", 7: "no_contact", 8: "bad_email", 9: "bad_url", 11: "bad_phone",
    }  # fmt: skip


def test_new_leads_have_their_values_and_say_where_they_come_from(agency: Agency) -> None:
    user = User.objects.create_user("anna")
    found = upload(agency)
    work()
    service.start_import(found, by=user)
    work()
    zoe = Lead.objects.get(email="zoe@example.com")
    assert (zoe.display_name, zoe.company, zoe.phone_e164, zoe.tags, zoe.linkedin_key) == (
        *("Zoe Example", "Acme", "+49301234567", ["fair", "berlin"], "linkedin.com/in/zoe-example"),
    )
    assert set(zoe.provenance.values()) == {"import"}
    (change,) = zoe.changes.all()
    assert (change.note, change.user_id, change.new_status) == (
        *("Imported from the file “fair.csv”.", user.pk, LeadStatus.PENDING),
    )
    assert AuditEntry.objects.get(action="Leads imported").object_label == "fair.csv"


def test_a_known_lead_gets_only_what_it_lacks(agency: Agency, known: tuple[Lead, Lead]) -> None:
    bea, _ = known
    imported(agency)
    bea.refresh_from_db()
    assert (bea.company, bea.display_name, bea.tags) == ("Hooli", "Beatrice Known", ["vip"])


def test_imported_leads_start_no_clock_alert_nobody_and_are_scored(agency: Agency) -> None:
    imported(agency)
    react()
    leads = Lead.objects.all()
    assert leads.count() == 5
    assert not Event.objects.exists()
    assert not any(lead.clocks.exists() or lead.response_due_at or lead.assigned_to_id for lead in leads)
    assert all(lead.recovered for lead in leads)
    assert LeadScore.objects.count() == 5


def test_imported_leads_are_compared_with_those_that_are_here(agency: Agency) -> None:
    create_lead(agency, email="other@example.com", phone="+49 30 1234567")
    imported(agency)
    react()
    assert DuplicateProposal.objects.get().other == Lead.objects.get(email="zoe@example.com")


def test_a_row_about_a_merged_record_completes_the_lead_that_is_shown(agency: Agency) -> None:
    root = report(agency, "l1")
    record = report(agency, "l2", 1, url="https://www.linkedin.com/in/zoe-example")
    report(agency, "l1", 2, url="https://www.linkedin.com/in/zoe-example")
    assert record.pk != root.pk
    imported(agency)
    root.refresh_from_db()
    assert (root.email, root.company) == ("zoe@example.com", "Acme")


def test_a_person_with_another_profile_is_another_person(agency: Agency) -> None:
    create_lead(agency, email="zoe@example.com", linkedin_url="https://www.linkedin.com/in/another-zoe")
    assert imported(agency).counts["new"] == 5


def test_importing_the_same_file_again_changes_nothing(agency: Agency) -> None:
    imported(agency)
    leads = Lead.objects.count()
    found = upload(agency)
    work()
    assert fresh(found).counts == {"new": 0, "updated": 0, "duplicate": 6, "refused": 4}
    with pytest.raises(FieldError, match="change anything"):
        service.start_import(found)
    assert Lead.objects.count() == leads


def test_a_worker_that_dies_loses_nothing_and_writes_nothing_twice(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"E-mail\n" + b"".join(b"%d@example.com\n" % number for number in range(40))
    monkeypatch.setattr(jobs, "BATCH", 7)
    found = upload(agency, content)
    work()
    service.start_import(found)
    real, written = writing.create_lead_of, []

    def die(*args: Any) -> Any:
        written.append(args)
        if len(written) % 10 == 0:
            raise Killed
        return real(*args)

    monkeypatch.setattr(jobs, "create_lead_of", die)
    with time_machine.travel(timezone.now(), tick=True) as clock:
        for _ in range(3):
            with pytest.raises(Killed):
                work()
            clock.shift(jobs.LEASE + timedelta(seconds=1))
        assert Lead.objects.count() == 27
        assert work_on_imports() == 1
    assert (fresh(found).error, service.has_failed(found)) == (
        "Every attempt ended with the worker that made it.",
        True,
    )
    monkeypatch.setattr(jobs, "create_lead_of", real)
    service.start_import(found)
    work()
    assert (fresh(found).state, found.counts["new"], Lead.objects.count()) == (ImportState.DONE, 40, 40)


def test_a_step_that_fails_is_tried_again_and_says_so(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ValueError("ann@example.com")

    found = upload(agency)
    with time_machine.travel(timezone.now(), tick=True) as clock:
        with monkeypatch.context() as broken:
            broken.setattr(jobs, "decide", fail)
            work()
            assert fresh(found).error == "ValueError"
        clock.shift(timedelta(minutes=1))
        work()
    assert (fresh(found).state, found.error) == (ImportState.READY, "")


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_import_each_row_once(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"E-mail\n" + b"".join(b"%d@example.com\n" % number for number in range(60))
    monkeypatch.setattr(jobs, "BATCH", 5)
    found = upload(agency, content)
    work()
    service.start_import(found)

    def lost_lease() -> None:
        jobs.work_on(LeadImport.objects.select_related("agency").get(pk=found.pk))

    at_once(lost_lease)
    work()
    assert Lead.objects.count() == 60
    assert LeadChange.objects.count() == 60
    assert fresh(found).counts["new"] == 60


def test_steps_are_short_and_go_on(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"E-mail\n" + b"".join(b"%d@example.com\n" % number for number in range(10))
    monkeypatch.setattr(jobs, "BATCH", 3)
    monkeypatch.setattr(jobs, "SECONDS", 0.0)
    found = upload(agency, content)
    seen = []
    while work_on_imports() and fresh(found).state == ImportState.CHECKING:
        seen.append(found.done)
    assert seen == [3, 6, 9, 10]
    assert found.counts["new"] == 10


def test_an_undo_takes_back_what_nobody_touched(agency: Agency, known: tuple[Lead, Lead]) -> None:
    bea, _ = known
    found = imported(agency)
    ada, gus = Lead.objects.get(email="ada@example.com"), Lead.objects.get(phone_e164="+49307654321")
    create_note(ada, text="Met her")
    react()
    service.undo_import(found)
    work()
    assert (fresh(found).state, found.undone) == (ImportState.UNDONE, {"removed": 2, "restored": 1, "kept": 1})
    assert set(Lead.objects.values_list("email", flat=True)) == {
        "ada@example.com",
        "bea@example.com",
        "Cia@Example.com",
    }
    assert not Lead.objects.filter(pk=gus.pk).exists()
    bea.refresh_from_db()
    assert (bea.tags, bea.company) == ([], "Hooli")
    with pytest.raises(FieldError):
        service.undo_import(found)


@pytest.mark.parametrize(
    "touch",
    [
        lambda lead: update_lead(lead, title="Boss"),
        lambda lead: update_lead(lead, company="Other"),
        lambda lead: update_lead(lead, tags=["mine"]),
        lambda lead: update_lead(lead, priority="high"),
        lambda lead: report(lead.agency, "l1", url=lead.linkedin_url),
    ],
    ids=["completed", "changed", "tagged", "prioritised", "reported"],
)
def test_a_lead_that_somebody_touched_stays(agency: Agency, touch: Any) -> None:
    found = imported(agency, FILE.splitlines()[0] + b"\n" + FILE.splitlines()[1])
    zoe = Lead.objects.get()
    touch(zoe)
    service.undo_import(found)
    work()
    assert (fresh(found).undone["kept"], Lead.objects.filter(pk=zoe.pk).count()) == (1, 1)


def test_a_field_that_somebody_changed_since_is_not_emptied(agency: Agency) -> None:
    lead = create_lead(agency, email="zoe@example.com")
    found = imported(agency, b"E-mail,Company,Industry\nzoe@example.com,Acme,Toys\n")
    update_lead(lead, company="Globex")
    service.undo_import(found)
    work()
    lead.refresh_from_db()
    assert (lead.company, lead.industry) == ("Globex", "")


def test_columns_that_nobody_knows_wait_for_people_and_are_remembered(agency: Agency, stranger: Agency) -> None:
    content = b"Wer,Adresse\nZoe Example,zoe@example.com\n"
    found = upload(agency, content)
    assert (found.state, found.headings, found.mapping) == (ImportState.MAPPING, ["Wer", "Adresse"], ["", ""])
    with pytest.raises(FieldError):
        service.start_import(found)
    for wrong in ([], ["name"], ["name", "salary"], ["name", "name"], ["name", ""]):
        with pytest.raises(FieldError) as refusal:
            service.set_mapping(found, wrong)
        assert refusal.value.field == "mapping"
    service.set_mapping(found, ["name", "email"])
    work()
    assert (fresh(found).state, found.counts["new"]) == (ImportState.READY, 1)
    assert upload(agency, b"WER,adresse\nAda,ada@example.com\n").mapping == ["name", "email"]
    assert upload(stranger, content).mapping == ["", ""]
    assert ImportMapping.objects.get().agency == agency


def test_other_columns_are_checked_anew(agency: Agency) -> None:
    found = upload(agency, b"E-mail,Company\nzoe@example.com,Acme\nnobody,Acme\n")
    work()
    assert fresh(found).counts == {"new": 1, "updated": 0, "duplicate": 0, "refused": 1}
    service.set_mapping(found, ["company", "phone"])
    work()
    assert fresh(found).counts["refused"] == 2


def test_a_file_without_headings_begins_with_a_lead(agency: Agency) -> None:
    found = upload(agency, b"Zoe,zoe@example.com\nAda,ada@example.com\n")
    assert (found.has_heading, found.total, found.headings) == (False, 2, ["", ""])
    service.set_mapping(found, ["name", "email"])
    work()
    assert fresh(found).counts["new"] == 2
    assert not ImportMapping.objects.exists()


def test_two_columns_of_one_heading_are_told_apart(agency: Agency) -> None:
    found = upload(agency, b"E-mail,E-mail,Company\nzoe@example.com,second@example.com,Acme\n")
    assert found.mapping == ["email", "", "company"]
    work()
    service.start_import(found)
    work()
    assert Lead.objects.get().email == "zoe@example.com"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"zoe@example.com,Acme,more", "too_many_columns"),
        (b"zoe@example.com," + b"x" * 301, "too_long"),
        (b",Acme", "no_contact"),
        (b"=cmd@@example.com,Acme", "bad_email"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_reason(agency: Agency, row: bytes, reason: str) -> None:
    found = upload(agency, b"E-mail,Company\nada@example.com\n" + row + b"\n")
    work()
    assert fresh(found).counts == {"new": 1, "updated": 0, "duplicate": 0, "refused": 1}
    assert found.rows.get(outcome="refused").reason == reason


def test_the_file_of_refused_rows_runs_no_formula(agency: Agency) -> None:
    found = upload(agency, b'E-mail;Company\n=1+1;"=HYPERLINK(""http://example.com"")"\n@SUM(1);-2\n')
    work()
    text = "".join(refused_chunks(found, ROW_REASONS, row="Row", reason="Reason"))
    assert text.splitlines()[0].lstrip("\ufeff") == '"Row";"Reason";"E-mail";"Company"'
    assert text.splitlines()[1] == ('2;"not an e-mail address";"\'=1+1";"\'=HYPERLINK(""http://example.com"")"')
    assert not any(cell.startswith(('"=', '"@', '"-')) for line in text.splitlines() for cell in line.split(";"))


def test_an_erased_lead_is_in_no_row_whatever_became_of_it(agency: Agency) -> None:
    zoe = create_lead(agency, email="zoe@example.com", linkedin_url="https://www.linkedin.com/in/zoe-example")
    other = b"E-mail,LinkedIn URL,Company\nada@example.com,,Acme\n"
    bodies = (
        b"zoe@example.com,,Acme\n",
        b",linkedin.com/in/Zoe-Example/,Acme\n",
        b"zoe@example.com,,Acme,too,many,cells\n",
    )
    imports = [upload(agency, other + body) for body in bodies]
    work()
    imports.append(upload(agency, b"Wer,Adresse\nZoe,zoe@example.com\nAda,ada@example.com\n"))
    imports.append(imported(agency, other + bodies[0]))
    before = ImportRow.objects.count()
    erased = erase_lead(zoe)
    assert (erased["rows of imports"], before - ImportRow.objects.count()) == (5, 5)
    assert "zoe" not in str(list(ImportRow.objects.values())).lower()
    assert all(found.rows.count() == 1 for found in imports)


def test_what_files_hold_goes_after_its_time(agency: Agency) -> None:
    done, waiting = imported(agency), upload(agency)
    work()
    with time_machine.travel(timezone.now() + service.OPEN_TIME + timedelta(minutes=1)):
        work()
        assert not LeadImport.objects.filter(pk=waiting.pk).exists()
        assert fresh(done).rows.exists()
    with time_machine.travel(timezone.now() + ROWS_TIME + timedelta(minutes=1)):
        work()
    assert (fresh(done).rows_deleted, done.rows.exists(), done.counts["new"]) == (True, False, 5)
    with pytest.raises(FieldError):
        service.undo_import(done)


def test_an_upload_that_broke_off_is_deleted(agency: Agency) -> None:
    found = upload(agency)
    LeadImport.objects.filter(pk=found.pk).update(state=ImportState.UPLOADING)
    work()
    assert not LeadImport.objects.exists()


def test_files_that_cannot_be_leave_nothing_behind(agency: Agency) -> None:
    for content in (b"", b"E-mail,Company\n", b"x," * 300):
        with pytest.raises(FieldError):
            upload(agency, content)
    assert not LeadImport.objects.exists()
    for _ in range(service.MAX_OPEN):
        upload(agency)
    with pytest.raises(FieldError, match="wait to be imported"):
        upload(agency)


def test_a_file_can_be_deleted_and_its_leads_stay(agency: Agency) -> None:
    found = imported(agency)
    react()
    assert not Reaction.objects.exists()
    service.delete_import(found)
    assert (LeadImport.objects.count(), Lead.objects.count()) == (0, 5)
