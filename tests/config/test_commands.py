"""The commands, as scripts use them: one JSON object on stdout, a sentence and exit code 1 when something is wrong."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Agency, Source
from accounts.sources.service import create_source, valid_secrets
from accounts.tenancy.api_keys import find_api_key
from config.demo import provider
from config.management.commands.send_sample import assign
from tests.config.commands import run
from webhooks import samples
from webhooks.providers import PROVIDERS

pytestmark = pytest.mark.django_db


def test_an_agency_comes_with_a_key_that_works(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("Müller & Söhne", "--company-id", "muellerCompany000001", "--timezone", "Europe/Berlin")
    answer = run(capsys, "create_agency", *arguments, "--locale", "de-DE")
    agency = Agency.objects.get(pk=answer["agency_id"])
    key = find_api_key(answer.pop("api_key"))
    assert key is not None
    assert (key.agency, sorted(key.scopes)) == (agency, ["admin", "read", "write"])
    assert answer == {"agency_id": agency.id, "company_id": "muellerCompany000001", "name": "Müller & Söhne"}
    assert (agency.timezone, agency.locale) == ("Europe/Berlin", "de-DE")


def test_a_company_id_is_made_up_if_none_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = run(capsys, "create_agency", "Same name"), run(capsys, "create_agency", "Same name")
    assert first["company_id"] != second["company_id"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["Other", "--company-id", "fhRhvcLbntMZs3hVo5L4"],
            "Another agency has the company id 'fhRhvcLbntMZs3hVo5L4'.",
        ),
        (["Other", "--timezone", "Mars/Base"], "There is no time zone 'Mars/Base'. Example: Europe/Berlin."),
        ([" "], "An agency's name has 1 to 200 characters."),
        (["n" * 201], "An agency's name has 1 to 200 characters."),
        (["Other", "--company-id", ""], "A company id has 1 to 100 characters."),
    ],
)
def test_an_agency_that_cannot_be_made_is_explained(
    capsys: pytest.CaptureFixture[str], agency: Agency, arguments: list[str], sentence: str
) -> None:
    assert run(capsys, "create_agency", *arguments) == {"error": sentence, "exit": 1}
    assert list(Agency.objects.all()) == [agency]


def test_without_json_an_error_is_a_command_error(agency: Agency) -> None:
    with pytest.raises(CommandError, match="There is no provider 'nope'"):
        call_command("create_source", "nope", "--agency", agency.id)


@pytest.mark.parametrize("named", ["id", "ghl_company_id"])
def test_a_source_is_made_for_an_agency_by_either_id(
    capsys: pytest.CaptureFixture[str], agency: Agency, named: str
) -> None:
    answer = run(capsys, "create_source", "salesflow", "--agency", getattr(agency, named), "--name", "Main")
    source = Source.objects.get(pk=answer["source_id"])
    assert answer == {
        "source_id": source.id,
        "provider": "salesflow",
        "webhook_url": f"http://127.0.0.1:8000/webhooks/salesflow/{source.token}",
        "secret": valid_secrets(source)[0],
    }
    assert (source.agency, source.name) == (agency, "Main")


def test_a_marketplace_source_needs_no_agency_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "create_source", "highlevel")
    assert answer["secret"] is None
    assert Source.objects.get(pk=answer["source_id"]).agency is None


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["unipile"], "There is no provider 'unipile'. Providers: salesflow, welink, "),
        (["salesflow"], "--agency: A salesflow source belongs to an agency."),
        (["salesflow", "--agency", "agc_none"], "There is no agency with the id or company id 'agc_none'."),
        (["linkedin", "--agency", "fhRhvcLbntMZs3hVo5L4"], "--secret: "),
    ],
)
def test_a_source_that_cannot_be_made_is_explained(
    capsys: pytest.CaptureFixture[str], agency: Agency, arguments: list[str], sentence: str
) -> None:
    answer = run(capsys, "create_source", *arguments)
    assert answer["error"].startswith(sentence)
    assert answer["exit"] == 1
    assert not Source.objects.exists()


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, dict[str, str]]]:
    """What is posted, taken at the socket's edge."""
    requests: list[tuple[str, bytes, dict[str, str]]] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> provider.Answer:
        requests.append((url, body, headers))
        return provider.Answer(200, {"status": "accepted", "receipt_id": "rct_1"})

    monkeypatch.setattr("config.management.commands.send_sample.post", post)
    return requests


@pytest.mark.once
@pytest.mark.parametrize("slug", [slug for slug in PROVIDERS if slug != "highlevel"])
def test_every_sample_is_signed_as_its_provider_signs(
    capsys: pytest.CaptureFixture[str],
    agency: Agency,
    posted: list[tuple[str, bytes, dict[str, str]]],
    slug: str,
) -> None:
    from django.utils import timezone

    from webhooks.providers.base import SignedRequest

    source, secret = create_source(
        agency=agency, provider=slug, secret="the app's secret" if slug == "linkedin" else None
    )
    for name in samples.sample_names(slug):
        answer = run(capsys, "send_sample", slug, name, "--base-url", "http://127.0.0.1:9/")
        assert answer == {"status_code": 200, "body": {"status": "accepted", "receipt_id": "rct_1"}}
        url, body, headers = posted[-1]
        assert url == f"http://127.0.0.1:9/webhooks/{slug}/{source.token}"
        received = SignedRequest(body, {key.lower(): value for key, value in headers.items()}, timezone.now())
        PROVIDERS[slug].verify(received, [secret] if secret else [])
    assert posted


def test_fields_of_a_sample_can_be_changed(
    capsys: pytest.CaptureFixture[str], agency: Agency, posted: list[tuple[str, bytes, dict[str, str]]]
) -> None:
    create_source(agency=agency, provider="sendpilot")
    changes = ("--set", "data.leadId=lead_7", "eventId=evt_7", "--set", "data.tags=[1, 2]")
    run(capsys, "send_sample", "sendpilot", "lead_updated", *changes)
    body = json.loads(posted[-1][1])
    assert (body["data"]["leadId"], body["eventId"], body["data"]["tags"]) == ("lead_7", "evt_7", [1, 2])
    assert body["data"]["newStatus"] == "MEETING_BOOKED"


def test_a_change_steps_into_lists_and_makes_what_is_new() -> None:
    payload: dict[str, Any] = {"rows": [{"name": "a"}]}
    assign(payload, "rows.0.name=b")
    assign(payload, "new.place=true")
    assign(payload, "text=a=b")
    assert payload == {"rows": [{"name": "b"}], "new": {"place": True}, "text": "a=b"}
    for impossible in ("rows.1.name=b", "rows.x=1", "text.deeper=1", "novalue", "=1"):
        with pytest.raises(CommandError):
            assign(payload, impossible)


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nope", "x"], "There is no provider 'nope'. "),
        (
            ["sendpilot", "x"],
            "sendpilot has no sample 'x'. Samples: campaign_paused, lead_status_changed, lead_updated.",
        ),
        (["sendpilot", "lead_updated"], "There is no sendpilot source yet: manage.py create_source sendpilot"),
        (["salesflow", "account_active", "--source", "src_none"], "There is no salesflow source 'src_none'."),
        (["highlevel", "install"], "Only HighLevel has the private key of this source."),
        (["salesflow", "account_active", "--base-url", "http://127.0.0.1:9"], "Nothing answers at http://127.0.0.1:9/"),
    ],
)
def test_a_sample_that_cannot_be_sent_is_explained(
    capsys: pytest.CaptureFixture[str], agency: Agency, arguments: list[str], sentence: str
) -> None:
    create_source(agency=agency, provider="salesflow")
    create_source(agency=agency, provider="highlevel")
    answer = run(capsys, "send_sample", *arguments)
    assert answer["error"].startswith(sentence)
    assert answer["exit"] == 1


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.ops.diagnosis.WORKER_SECONDS", 0.1)
    answer = run(capsys, "doctor")
    checks = {check["name"]: check for check in answer["checks"]}
    assert answer["ok"] is False
    assert answer["exit"] == 1
    assert checks["database"]["ok"] is True
    assert checks["migrations"]["ok"] is True
    assert checks["worker"]["remedy"] == "Start it, or start it again: manage.py run_worker"
    assert checks["scheduler"]["detail"].startswith("never seen")
    assert checks["encryption keys"]["ok"] is True


def test_the_doctor_wants_an_erasure_journal_that_all_hosts_share(db: None, settings: Any, tmp_path: Path) -> None:
    from config.ops.diagnosis import diagnose_one

    settings.LOOPBACK, settings.VAR = False, tmp_path / "var"
    settings.ERASURE_JOURNAL = settings.VAR / "erasures.jsonl"
    result = diagnose_one("erasure log")
    assert result.ok is (connection.vendor == "sqlite")  # which has one host
    settings.ERASURE_JOURNAL = tmp_path / "shared" / "erasures.jsonl"
    assert diagnose_one("erasure log").ok
    settings.ERASURE_JOURNAL /= "below-a-file"
    result = diagnose_one("erasure log")
    assert (result.ok, "cannot be written" in result.detail) == (False, True)


def test_the_doctor_notices_secrets_that_no_key_opens(agency: Agency, settings: Any) -> None:
    from config.ops.diagnosis import diagnose_one

    create_source(agency=agency, provider="salesflow")
    settings.FIELD_ENCRYPTION_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    result = diagnose_one("encryption keys")
    assert result.ok is False
    assert "stored secrets cannot be read" in result.detail


@pytest.mark.once
@pytest.mark.parametrize(
    ("command", "begins"),
    [
        (["run_web", "--port", "0"], {"process": "web", "host": "127.0.0.1"}),
        (["run_worker"], {"process": "worker", "queues": ["receipts", "deliveries", "sync"]}),
        (["run_worker", "--queue", "sync"], {"process": "worker", "queues": ["sync"]}),
        (["run_scheduler"], {"process": "scheduler"}),
    ],
)
def test_a_process_says_what_begins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str], begins: dict[str, Any]
) -> None:
    def leave(self: Any, **options: Any) -> None:
        if command[0] == "run_web":
            self.listener.close()

    monkeypatch.setattr(f"config.management.commands.{command[0]}.Command.run_process", leave)
    answer = run(capsys, *command)
    assert answer.pop("pid") == os.getpid()
    assert answer.pop("port", 1) > 0
    assert answer == begins


def test_a_port_that_is_taken_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run(capsys, "run_web", "--port", str(port))
    assert answer["exit"] == 1
    assert answer["error"].startswith(f"Port {port} of 127.0.0.1 cannot be used (address already in use).")
