"""The page on which an account's owner reconnects it: what it says, what it hands over, and what it never keeps."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from pytest_django.fixtures import Settings

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, AccountToken, Agency, ReauthPrompt, ReauthStep, Source
from accounts.reauth import prompts
from accounts.services import report_status
from accounts.sources.service import create_source
from tests.answers import Answer
from tests.reactions import react
from tests.receiving import receive
from tests.standins import StandIn, provider
from webhooks.models import ProviderRequest
from webhooks.processing.processor import process_due_receipts

PASSWORD = "canary-Pa55word-canary"
PIN = "739105"
ONBOARDING = "/public/api/v1/tokens/onboarding"


def take_down(agency: Agency, source: Source | None, slug: str, *, status: str = "disconnected", **fields: str) -> str:
    """The path of the page that a drop of the account opens."""
    account = report_status(
        agency,
        provider=slug,
        identity=AccountIdentity(
            **({"external_id": "7688", "name": "Ada Lovelace", "email": "ada@example.com"} | fields)
        ),
        status=AccountStatus(status),
        origin=Origin(by=slug, at=timezone.now(), source=source),
    )
    react()
    return f"/reauth/{account.prompts.get().token}"


def back(account: Account) -> None:
    report_status(
        account.agency,
        provider=account.provider,
        identity=AccountIdentity(),
        status=AccountStatus.ACTIVE,
        origin=Origin(by=account.provider, at=timezone.now()),
        account=account,
    )
    react()


def text_of(answer: Answer) -> str:
    return answer.content.decode()


def steps() -> list[str]:
    return list(ReauthStep.objects.order_by("id").values_list("kind", flat=True))


@pytest.fixture
def there(settings: Settings) -> Iterator[StandIn]:
    """A provider's API on this machine."""
    with provider() as stand_in:
        settings.SALESFLOW_API_BASE = settings.WELINK_API_BASE = stand_in.base
        stand_in.answers = {
            ONBOARDING: (200, {"token": "onboarding/1"}),
            "/api/v1/login_v2": (200, {"requestId": "req-1"}),
            "/api/v1/pin": (200, {"request_id": "req-2"}),
        }
        yield stand_in


@pytest.fixture
def salesflow(agency: Agency, there: StandIn) -> Source:
    credentials = {"api_key": "sf-key", "domain_host_name": there.host}
    return create_source(agency=agency, provider="salesflow", credentials=credentials)[0]


@pytest.fixture
def welink(agency: Agency, there: StandIn) -> Source:
    credentials = {"api_key": "wl-key", "api_secret": "wl-secret"}
    source, _ = create_source(agency=agency, provider="welink", credentials=credentials)
    source.pin_endpoint = "/api/v1/pin"
    source.save()
    return source


# --- what every link says ----------------------------------------------------------------------------


def test_an_unknown_link_is_404_and_says_nothing(db: None) -> None:
    for path in ("/reauth/nonsense", "/reauth/" + "0" * 32, "/reauth/%00", "/reauth/x/progress"):
        assert Client().get(path).status_code == 404
    assert Client().post("/reauth/nonsense/result").status_code == 404


def test_the_page_says_which_account_and_why_without_a_sign_in(agency: Agency) -> None:
    answer = Client().get(
        take_down(agency, None, "linkedconnector", external_id="", location_id="loc-1", status="auth_error")
    )
    page = text_of(answer)
    assert answer.status_code == 200
    for said in ("Ada Lovelace", "Northwind Outreach", "LinkedConnector", "did not accept the account&#x27;s sign-in"):
        assert said in page
    assert 'name="viewport"' in page
    assert "frame-src" not in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    assert 'content="noindex, nofollow"' in page


def test_the_page_says_until_when_as_times_are_written_where_the_agency_is(agency: Agency) -> None:
    agency.locale, agency.timezone = "en-US", "America/New_York"
    agency.save()
    path = take_down(agency, None, "salesflow")
    ReauthPrompt.objects.update(expires_at=datetime(2123, 6, 7, 23, 59, 18, tzinfo=UTC))
    assert "It works until 06/07/2123 7:59 PM EDT or until the account is back." in text_of(Client().get(path))


def test_opening_the_page_is_no_step_and_using_it_is_one(agency: Agency) -> None:
    path = take_down(agency, None, "salesflow")
    Client().head(path)
    Client().get(path)
    assert steps() == ["opened", "mailed"]
    assert ReauthPrompt.objects.get().viewed_at is None
    for _ in range(2):
        assert Client().post(path, {"step": "used"}).status_code == 204
    assert steps() == ["opened", "mailed", "viewed"]
    assert ReauthPrompt.objects.get().viewed_at is not None


@pytest.mark.parametrize(
    ("end", "said"),
    [("done", "connected again"), ("expired", "has expired"), ("revoked", "was withdrawn")],
)
def test_a_link_that_ended_is_410_and_says_how(agency: Agency, end: str, said: str) -> None:
    path = take_down(agency, None, "salesflow")
    account = Account.objects.get()
    later = timezone.now() + timedelta(hours=2)
    if end == "done":
        back(account)
    elif end == "revoked":
        prompts.revoke(account, by="staff")
    else:
        later += timedelta(days=7)
    with time_machine.travel(later, tick=False):
        for method in ("get", "post"):
            answer = getattr(Client(), method)(path)
            assert answer.status_code == 410
            assert said in text_of(answer)
        assert Client().get(f"{path}/progress").status_code == 410


@pytest.mark.once
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{ settings.SECRET_KEY }}", "\u202eevil", '"><img src=x>']
)
def test_hostile_names_are_only_text(agency: Agency, text: str) -> None:
    page = text_of(Client().get(take_down(agency, None, "salesflow", name=text)))
    assert escape(text.replace("\u202e", "")) in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert django_settings.SECRET_KEY not in page


def test_without_the_providers_keys_there_are_words_or_the_sources_own_link(agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="linkedconnector")
    path = take_down(agency, source, "linkedconnector", external_id="", location_id="loc-1", status="auth_error")
    assert "Open LinkedConnector" in text_of(Client().get(path))
    Source.objects.update(reauth_url="https://connect.example.com/start?a=1")
    assert 'href="https://connect.example.com/start?a=1"' in text_of(Client().get(path))
    Source.objects.update(reauth_url="javascript:alert(1)")
    assert "javascript:" not in text_of(Client().get(path))


# --- Salesflow ---------------------------------------------------------------------------------------


def test_the_onboarding_token_is_minted_at_the_click_and_only_that_answer_names_the_host(
    agency: Agency, salesflow: Source, there: StandIn
) -> None:
    path = take_down(agency, salesflow, "salesflow")
    assert there.host not in Client().get(path)["Content-Security-Policy"]
    assert there.calls == []
    answer = Client().post(path, {"step": "frame"})
    [call] = there.calls
    assert (call.path, call.headers["authorization"]) == (ONBOARDING, "Bearer sf-key")
    assert f'src="{there.base}/embedded/onboarding%2F1"' in text_of(answer)
    assert f"frame-src {there.base}" in answer["Content-Security-Policy"].split("; ")
    assert "frame-src" not in Client().get(path)["Content-Security-Policy"]
    assert "sf-key" not in text_of(answer)


def result(path: str, **said: Any) -> Answer:
    body = {"action": "1", "linkedinId": 7688, "token": "account-token", "status": "ACCOUNT_ACTIVE"} | said
    return Client().post(f"{path}/result", json.dumps(body), content_type="application/json")


def test_the_frames_token_is_kept_encrypted_and_its_word_is_not_believed(agency: Agency, salesflow: Source) -> None:
    path = take_down(agency, salesflow, "salesflow")
    assert result(path).json()["finished"] is True
    assert AccountToken.objects.get().token == "account-token"
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM accounts_accounttoken")
        assert "account-token" not in cursor.fetchone()[0]
    assert Account.objects.get().status == "disconnected"
    assert steps()[-1] == "finished"
    waiting = Client().get(f"{path}/progress")
    assert (waiting.status_code, "One moment" in text_of(waiting)) == (200, True)
    back(Account.objects.get())
    assert "Thank you" in text_of(Client().get(f"{path}/progress"))
    assert Client().get(path).status_code == 410


def test_the_kept_token_opens_the_update_frame_of_the_source(agency: Agency, salesflow: Source, there: StandIn) -> None:
    path = take_down(agency, salesflow, "salesflow")
    result(path, token="account token&1")
    Source.objects.update(update_frame_url="https://{domain_host_name}/embedded/update/{token}")
    answer = Client().post(path, {"step": "frame"})
    assert f'src="{there.base}/embedded/update/account%20token%261"' in text_of(answer)
    assert there.calls == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("said", "stored"),
    [({"action": "0"}, False), ({"action": 1}, True), ({"linkedinId": 9}, False), ({"linkedinId": "7688"}, True)],
)
def test_a_failure_or_another_account_is_no_success(
    agency: Agency, salesflow: Source, said: dict[str, Any], stored: bool
) -> None:
    answer = result(take_down(agency, salesflow, "salesflow"), **said)
    assert (answer.status_code, answer.json().get("finished", False)) == (200, stored)
    assert AccountToken.objects.exists() is stored
    assert steps()[-1] == ("finished" if stored else "failed")


@pytest.mark.once
@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"1" * 20_000, b"[" * 10_000, b"\xff"])
def test_a_result_that_cannot_be_read_is_400(agency: Agency, salesflow: Source, body: bytes) -> None:
    path = take_down(agency, salesflow, "salesflow")
    answer = Client().post(f"{path}/result", body, content_type="application/json")
    assert answer.status_code == 400


def test_a_result_for_a_deleted_account_is_not_kept(agency: Agency, salesflow: Source) -> None:
    path = take_down(agency, salesflow, "salesflow")
    Account.objects.update(status="deleted")
    assert result(path).status_code == 410
    assert AccountToken.objects.count() == 0


def test_a_token_that_comes_after_the_webhook_is_kept_for_an_hour(agency: Agency, salesflow: Source) -> None:
    path = take_down(agency, salesflow, "salesflow")
    back(Account.objects.get())
    assert result(path).json()["finished"] is True
    assert steps()[-1] == "closed"
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert result(path, token="another").status_code == 410
    assert AccountToken.objects.get().token == "account-token"


@pytest.mark.once
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {"message": "sf-key is wrong"}), "did not accept the keys"),
        ((429, {}), "wants a pause"),
        ((500, b"<html>"), "has a problem"),
        ((302, {"token": "x"}), "has a problem"),
        ((200, {"surprise": 1}), "answered without a token"),
        ((200, b"nonsense"), "has a problem"),
    ],
)
def test_what_goes_wrong_at_the_provider_is_said_in_plain_words(
    agency: Agency, salesflow: Source, there: StandIn, answer: tuple[int, Any], said: str
) -> None:
    there.answers[ONBOARDING] = answer
    page = Client().post(take_down(agency, salesflow, "salesflow"), {"step": "frame"})
    assert page.status_code == 502
    assert said in text_of(page)
    assert "sf-key" not in text_of(page)
    assert [call.path for call in there.calls] == [ONBOARDING]
    assert steps()[-2:] == ["started", "failed"]


def test_a_provider_that_cannot_be_reached_is_said_so(agency: Agency, salesflow: Source, settings: Settings) -> None:
    settings.SALESFLOW_API_BASE = "http://127.0.0.1:9"
    page = Client().post(take_down(agency, salesflow, "salesflow"), {"step": "frame"})
    assert (page.status_code, "cannot be reached" in text_of(page)) == (502, True)


@pytest.mark.once
@pytest.mark.parametrize("host", ["evil.example.com; script-src *", "a b", "", "x/y", "u@h", "h:1:2", "é.example.com"])
def test_a_host_that_is_none_is_never_framed(agency: Agency, salesflow: Source, host: str, there: StandIn) -> None:
    salesflow.credentials = {"api_key": "sf-key", "domain_host_name": host}
    salesflow.save()
    path = take_down(agency, salesflow, "salesflow")
    assert "Open Salesflow" in text_of(Client().get(path))
    answer = Client().post(path, {"step": "frame"})
    assert (answer.status_code, there.calls) == (400, [])
    assert "frame-src" not in answer["Content-Security-Policy"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("host", "approved", "framed"),
    [
        ("app.salesflow.io", "", True),
        ("salesflow.io", "", True),
        ("APP.SalesFlow.io", "", True),
        ("app.northwind.example", "", False),
        ("app.northwind.example", "APP.northwind.example", True),
        ("app.northwind.example", "northwind.example", False),
        ("app.northwind.example:8443", "app.northwind.example", False),
        ("salesflow.io.evil.example", "", False),
        ("evilsalesflow.io", "", False),
        ("127.0.0.1", "", True),
    ],
)
def test_only_a_host_of_the_provider_or_one_that_staff_approved_is_framed(
    host: str, approved: str, framed: bool, agency: Agency, salesflow: Source, there: StandIn
) -> None:
    salesflow.credentials = {"api_key": "sf-key", "domain_host_name": host}
    salesflow.approved_frame_host = approved
    salesflow.save()
    there.answers[ONBOARDING] = (200, {"token": "token"})
    answer = Client().post(take_down(agency, salesflow, "salesflow"), {"step": "frame"})
    assert (answer.status_code == 200) is framed
    assert ("frame-src" in answer["Content-Security-Policy"]) is framed


# --- We-Link -----------------------------------------------------------------------------------------


def answer_of_welink(source: Source, **body: str) -> None:
    receive(source, json.dumps(body).encode())
    while process_due_receipts():
        pass
    react()


def everything_stored() -> str:
    """Every text of every table."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [str(bytes(v) if isinstance(v, memoryview) else v) for row in cursor.fetchall() for v in row]
    return "\n".join(found)


def test_password_and_code_go_to_welink_alone_and_the_account_comes_back(
    agency: Agency, welink: Source, there: StandIn, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    path = take_down(agency, welink, "welink", external_id="john-doe")
    client = Client()
    assert 'value="ada@example.com"' in text_of(client.get(path))
    sent = client.post(path, {"step": "sign_in", "email": "ada@example.com", "password": f" {PASSWORD} "})
    assert (sent.status_code, sent["Location"]) == (302, f"{path}/progress")
    assert "One moment" in text_of(client.get(f"{path}/progress"))
    answer_of_welink(welink, request_id="req-1", status="PIN_REQUIRED", message="A code was sent.")
    assert client.get(f"{path}/progress")["Location"] == path
    assert 'name="pin"' in text_of(client.get(path))
    client.post(path, {"step": "pin", "pin": PIN})
    answer_of_welink(welink, request_id="req-2", status="LOGIN_SUCCESS")
    assert "Thank you" in text_of(client.get(f"{path}/progress"))
    assert Account.objects.get().status == "active"
    sign_in, pin = there.calls
    assert sign_in.path == "/api/v1/login_v2"
    assert sign_in.body == {"email": "ada@example.com", "password": f" {PASSWORD} ", "proxy": {"location": "US"}}
    assert (sign_in.headers["x-api-key"], sign_in.headers["x-api-secret"]) == ("wl-key", "wl-secret")
    assert (pin.path, pin.body) == ("/api/v1/pin", {"request_id": "req-1", "pin": PIN})
    assert [row.account_id for row in ProviderRequest.objects.all()] == [Account.objects.get().id] * 2
    logged = caplog.text + "".join(capfd.readouterr())
    for secret in (PASSWORD, PIN, "wl-secret"):
        assert secret not in everything_stored()
        assert secret not in logged
    assert steps() == ["opened", "mailed", "viewed", "submitted", "submitted", "closed"]


def test_a_wrong_password_is_said_and_can_be_tried_again(agency: Agency, welink: Source) -> None:
    path = take_down(agency, welink, "welink", external_id="john-doe")
    Client().post(path, {"step": "sign_in", "email": "ada@example.com", "password": "wrong"})
    assert Client().get(path)["Location"] == f"{path}/progress"
    answer_of_welink(welink, request_id="req-1", status="WRONG_PASSWORD", message="wrong password")
    page = text_of(Client().get(path))
    assert "LinkedIn did not accept this sign-in. Check" in page
    assert 'name="password"' in page
    assert 'value="wrong"' not in page


def test_a_provider_that_stays_silent_does_not_hold_the_page(agency: Agency, welink: Source) -> None:
    path = take_down(agency, welink, "welink", external_id="john-doe")
    Client().post(path, {"step": "sign_in", "email": "ada@example.com", "password": "x"})
    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        assert Client().get(f"{path}/progress")["Location"] == path
        assert "not heard from We-Link yet" in text_of(Client().get(path))


@pytest.mark.once
@pytest.mark.parametrize(
    "fields",
    [
        {"step": "sign_in"},
        {"step": "sign_in", "email": "nobody", "password": "x"},
        {"step": "sign_in", "email": "a@example.com", "password": "x" * 300},
        {"step": "pin", "pin": "123456"},
        {"step": "frame"},
        {"step": "other"},
        {},
    ],
)
def test_what_is_not_offered_or_not_whole_reaches_nobody(
    agency: Agency, welink: Source, there: StandIn, fields: dict[str, str]
) -> None:
    answer = Client().post(take_down(agency, welink, "welink", external_id="john-doe"), fields)
    assert (answer.status_code, there.calls) == (400, [])
    assert "x" * 300 not in text_of(answer)


def test_the_tries_are_limited_and_the_limit_ends(agency: Agency, welink: Source, there: StandIn) -> None:
    there.answers["/api/v1/login_v2"] = (400, {"status": "WRONG_PASSWORD"})
    path = take_down(agency, welink, "welink", external_id="john-doe")
    fields = {"step": "sign_in", "email": "ada@example.com", "password": "guess"}
    answers = [Client().post(path, fields) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [502] * 5 + [429] * 3
    assert (answers[-1]["Retry-After"], len(there.calls)) == ("600", 5)
    assert "did not accept this password" in text_of(answers[0])
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert Client().post(path, fields).status_code == 502


def test_a_post_from_another_site_is_refused(agency: Agency, welink: Source, there: StandIn) -> None:
    strict = Client(enforce_csrf_checks=True)
    path = take_down(agency, welink, "welink", external_id="john-doe")
    for target in (path, f"{path}/result"):
        assert strict.post(target, {"step": "sign_in"}).status_code == 403
    assert there.calls == []


def test_a_source_of_another_agency_lends_nobody_its_keys(
    agency: Agency, stranger: Agency, salesflow: Source, there: StandIn
) -> None:
    path = take_down(stranger, None, "salesflow")
    assert Client().post(path, {"step": "frame"}).status_code == 400
    assert there.calls == []


def test_a_source_that_is_off_or_gone_is_not_used(agency: Agency, salesflow: Source, there: StandIn) -> None:
    path = take_down(agency, salesflow, "salesflow")
    Source.objects.update(enabled=False)
    assert "Open Salesflow" in text_of(Client().get(path))
