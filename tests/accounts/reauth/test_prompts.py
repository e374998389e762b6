"""An account that needs its owner has one open prompt; who is asked, when again, and when nobody is any more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import services
from accounts.core.enums import AccountStatus as S
from accounts.core.enums import Role
from accounts.events.ordering import Origin
from accounts.linkedin.lifecycle import status_durations
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, AccountToken, Agency, Event, Member, ReauthPrompt, ReauthStep
from accounts.reauth import prompts, reminders
from accounts.reauth.owner_mails import owner_mails
from accounts.reauth.recipients import addresses_for, block_reasons
from accounts.services import installs
from accounts.services.revival import NotDeleted, revive
from accounts.tasks import run_jobs
from config.ops.purge import purge
from tests.reactions import react

T0 = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def begins_at_t0() -> Iterator[None]:
    """Let each test begin at T0, however long ago this module was imported."""
    with time_machine.travel(T0, tick=True):
        yield


ASKED = (S.INCOMPLETE, S.DISCONNECTED, S.AUTH_ERROR)


def report(
    agency: Agency,
    status: S,
    minutes: float = 0,
    *,
    external_id: str = "7688",
    email: str = "ada@example.com",
    **extra: object,
) -> Account:
    """What the provider says, at the moment it says it."""
    at = T0 + timedelta(minutes=minutes)
    with time_machine.travel(at, tick=False):
        account = services.report_status(
            agency,
            provider="salesflow",
            identity=AccountIdentity(external_id=external_id, name="Ada Lovelace", email=email),
            status=status,
            origin=Origin(by="salesflow", at=at, sequence=int(minutes)),
            **extra,
        )
        react()
        return account


def steps(account: Account) -> list[tuple[str, str]]:
    rows = ReauthStep.objects.filter(prompt__account=account).order_by("id")
    return [(step.kind, step.recipient or step.note) for step in rows]


def ends(account: Account) -> list[str]:
    return list(account.prompts.order_by("id").values_list("closed_as", flat=True))


def mailed(agency: Agency) -> list[str]:
    events = Event.objects.filter(agency=agency, event_type="reauth_requested").order_by("id")
    return [event.recipient for event in events]


@pytest.mark.once
@pytest.mark.parametrize("before", [None, *S])
@pytest.mark.parametrize("after", list(S))
def test_every_change_of_status_opens_keeps_or_ends_the_prompt(agency: Agency, before: S | None, after: S) -> None:
    if before:
        report(agency, before)
    account = report(agency, after, 1)
    was_open = before in ASKED
    if after in ASKED:
        assert ends(account) == [""]
    elif was_open:
        assert ends(account) == ["done" if after is S.ACTIVE else "revoked"]
    else:
        assert ends(account) == []


def test_the_owner_is_mailed_at_once_and_the_channels_hear_of_it_without_the_link(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    prompt = account.prompts.get()
    assert mailed(agency) == ["", "ada@example.com"]
    assert prompt.expires_at - prompt.opened_at == timedelta(days=7)
    assert steps(account) == [("opened", "by system"), ("mailed", "ada@example.com")]
    for event in Event.objects.all():
        assert prompt.token not in str(event.payload)
    request_event = Event.objects.get(event_type="reauth_requested", recipient="")
    assert request_event.payload == {
        "event_type": "reauth_requested",
        "event_id": request_event.id,
        "ghl_company_id": agency.ghl_company_id,
        "timestamp": request_event.payload["timestamp"],
        "linkedin_account_id": account.id,
        "linkedin_account_name": "Ada Lovelace",
        "linkedin_account_email": "ada@example.com",
        "provider": "salesflow",
    }


def test_the_same_bad_news_again_and_another_bad_status_ask_nobody_twice(agency: Agency) -> None:
    report(agency, S.DISCONNECTED)
    report(agency, S.DISCONNECTED, 1)
    account = report(agency, S.AUTH_ERROR, 2)
    assert mailed(agency) == ["", "ada@example.com"]
    assert ends(account) == [""]


def test_a_late_report_neither_opens_nor_closes(agency: Agency) -> None:
    account = report(agency, S.ACTIVE, 10)
    report(agency, S.DISCONNECTED, 5)
    assert ends(account) == []
    report(agency, S.DISCONNECTED, 11)
    report(agency, S.ACTIVE, 10.5)
    assert ends(account) == [""]


@pytest.mark.parametrize("reason", ["user_action", "uninstalled"])
def test_what_somebody_did_on_purpose_asks_nobody(agency: Agency, reason: str) -> None:
    account = report(agency, S.DISCONNECTED, reason=reason)
    assert (ends(account), mailed(agency)) == ([], [])


def test_an_uninstall_ends_the_prompt_of_an_account_that_was_disconnected_before(agency: Agency) -> None:
    account = services.report_status(
        agency,
        provider="linkedconnector",
        identity=AccountIdentity(location_id="loc-1", name="Ada Lovelace"),
        status=S.AUTH_ERROR,
        origin=Origin(by="linkedconnector", at=T0),
    )
    react()
    assert ends(account) == [""]
    origin = Origin(by="highlevel", at=T0 + timedelta(minutes=1))
    installs.report_uninstall(agency, location_id="loc-1", origin=origin, passed_on=False)
    react()
    assert ends(account) == ["revoked"]


# --- who is asked ------------------------------------------------------------------------------------


def team(agency: Agency) -> None:
    for name, role in (("olive", Role.OWNER), ("max", Role.MANAGER), ("noaddress", Role.OWNER)):
        email = "" if name == "noaddress" else f"{name}@example.com"
        Member.objects.create(agency=agency, user=User.objects.create_user(name, email), role=role)


@pytest.mark.parametrize(
    ("contact", "expected"),
    [("owner", ["olive@example.com"]), ("team", ["olive@example.com", "max@example.com"]), ("nobody", [])],
)
def test_without_an_address_of_its_own_the_agency_has_chosen_who_is_asked(
    agency: Agency, contact: str, expected: list[str]
) -> None:
    team(agency)
    Agency.objects.update(reauth_contact=contact)
    agency.refresh_from_db()
    account = report(agency, S.DISCONNECTED, email="")
    assert mailed(agency) == ["", *expected]
    assert account.prompts.get().recipients == expected


def test_the_locations_installer_comes_before_the_agency(agency: Agency) -> None:
    team(agency)
    installs.report_install(
        agency,
        location_id="loc-1",
        origin=Origin(by="highlevel", at=T0),
        passed_on=False,
        installer_email="daniel@example.com",
    )
    for email in ("", "not an address"):
        services.report_status(
            agency,
            provider="salesflow",
            identity=AccountIdentity(external_id=f"1{email}", location_id="loc-1", email=email),
            status=S.DISCONNECTED,
            origin=Origin(by="salesflow", at=T0),
        )
    react()
    assert [address for address in mailed(agency) if address] == ["daniel@example.com"] * 2


# --- mail that comes back ----------------------------------------------------------------------------


def test_when_mail_to_the_owner_comes_back_whoever_is_next_is_asked_and_reminded_instead(agency: Agency) -> None:
    team(agency)
    account = report(agency, S.DISCONNECTED)
    for _ in range(2):
        prompts.record_bounce("ADA@example.com", reason="Mail to this address came back: 550 No such user")
    remind_at(0.1)
    remind_at(4)
    assert mailed(agency) == ["", "ada@example.com", "olive@example.com", "olive@example.com"]
    assert steps(account) == [
        ("opened", "by system"),
        ("mailed", "ada@example.com"),
        ("bounced", "ADA@example.com"),
        ("mailed", "olive@example.com"),
        ("reminded", "olive@example.com"),
    ]
    assert account.prompts.get().recipients == ["olive@example.com"]
    report(agency, S.ACTIVE, 300)
    report(agency, S.DISCONNECTED, 301)
    assert mailed(agency)[4:] == ["", "olive@example.com"]


def test_where_nobody_is_left_nobody_is_reminded(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    prompts.record_bounce("ada@example.com", reason="Mail to this address came back.")
    remind_at(0.1)
    remind_at(4)
    assert mailed(agency) == ["", "ada@example.com"]
    assert account.prompts.get().next_reminder_at is None


def test_of_several_who_were_asked_the_others_are_reminded_in_their_time(agency: Agency) -> None:
    team(agency)
    Agency.objects.update(reauth_contact="team")
    agency.refresh_from_db()
    report(agency, S.DISCONNECTED, email="")
    prompts.record_bounce("olive@example.com", reason="Mail to this address came back.")
    remind_at(0.1)
    assert mailed(agency) == ["", "olive@example.com", "max@example.com"]
    remind_at(4)
    assert mailed(agency)[3:] == ["max@example.com"]


def test_a_mail_that_waits_for_an_address_without_mail_is_not_sent(agency: Agency) -> None:
    report(agency, S.DISCONNECTED)
    waiting = Event.objects.get(event_type="reauth_requested", recipient="ada@example.com")
    assert list(owner_mails([waiting.pk])) == [waiting.pk]
    prompts.record_bounce("ada@example.com", reason="Mail to this address came back.")
    assert owner_mails([waiting.pk]) == {}


def test_an_address_gets_mail_again_when_a_person_asks_for_it(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    prompts.record_bounce("ada@example.com", reason="Mail to this address came back.")
    assert addresses_for(account) == []
    prompts.ask(account, by="api", email="Ada@example.com")
    assert addresses_for(account) == ["ada@example.com"]
    assert mailed(agency)[2:] == ["ada@example.com"]


def test_an_address_gets_another_chance_when_what_is_kept_of_it_is_too_old(agency: Agency, settings: Settings) -> None:
    with time_machine.travel(T0 - timedelta(days=settings.RETENTION_DAYS, minutes=1), tick=False):
        prompts.record_bounce("ada@example.com", reason="Mail to this address came back.")
    prompts.record_bounce("bob@example.com", reason="Mail to this address came back.")
    with time_machine.travel(T0, tick=False):
        assert purge()["erased"] == {"addresses without mail": 1}
    assert list(block_reasons(["ada@example.com", "bob@example.com"])) == ["bob@example.com"]


# --- reminders ---------------------------------------------------------------------------------------


def remind_at(hours: float) -> None:
    with time_machine.travel(T0 + timedelta(hours=hours), tick=False):
        run_jobs("receipts")


def test_reminders_go_after_4_24_and_72_hours_and_never_twice(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    sent = []
    for hours in (0.1, 3.99, 4, 4.1, 23.9, 24, 24.1, 71.9, 72, 73, 167):
        before = ReauthStep.objects.filter(kind="reminded").count()
        remind_at(hours)
        remind_at(hours)
        sent += [hours] * (ReauthStep.objects.filter(kind="reminded").count() - before)
    assert sent == [4, 24, 72]
    assert steps(account)[1:] == [("mailed", "ada@example.com"), *[("reminded", "ada@example.com")] * 3]


def test_after_a_long_silence_of_ours_only_one_reminder_goes(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    remind_at(30)
    remind_at(30.1)
    assert [kind for kind, _ in steps(account)] == ["opened", "mailed", "reminded"]
    remind_at(72)
    assert ReauthStep.objects.filter(kind="reminded").count() == 2


def test_a_reminder_that_fails_is_tried_again_and_holds_up_no_other(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        report(agency, S.DISCONNECTED, external_id=str(number), email=f"a{number}@example.com")
    invite = reminders.invite  # type: ignore[attr-defined]

    def fail_for_one(prompt: ReauthPrompt, recipients: list[str], **options: Any) -> None:
        if recipients == ["a1@example.com"]:
            raise ValueError("broken")
        invite(prompt, recipients, **options)

    with monkeypatch.context() as broken:
        broken.setattr(reminders, "invite", fail_for_one)
        remind_at(4)
    failed = ReauthPrompt.objects.get(recipients=["a1@example.com"])
    assert (failed.attempts, failed.error) == (1, "ValueError: broken")
    reminded = ReauthStep.objects.filter(kind="reminded").order_by("recipient")
    assert list(reminded.values_list("recipient", flat=True)) == ["a0@example.com", "a2@example.com"]
    remind_at(4.02)
    assert list(reminded.values_list("recipient", flat=True)) == [f"a{number}@example.com" for number in range(3)]
    assert (ReauthPrompt.objects.filter(error="", attempts=0, leased_until=None).count()) == 3


def test_a_link_that_is_renewed_keeps_its_next_reminder(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    with time_machine.travel(T0 + timedelta(hours=1), tick=False):
        prompts.ask(account, by="api")
    assert account.prompts.get().next_reminder_at == account.prompts.get().opened_at + timedelta(hours=4)
    remind_at(73)
    with time_machine.travel(T0 + timedelta(days=6), tick=False):
        prompts.ask(account, by="api")
    remind_at(7 * 24 + 1)
    assert ends(account) == [""]
    remind_at(13 * 24)
    assert ends(account) == ["expired"]
    assert ReauthStep.objects.filter(kind="reminded").count() == 1


@pytest.mark.parametrize(
    ("end", "said"),
    [(S.ACTIVE, "done. The account is active."), (S.DELETED, "revoked. The account was deleted.")],
    ids=["active", "deleted"],
)
def test_everything_stops_the_moment_the_account_is_back_or_gone(agency: Agency, end: S, said: str) -> None:
    report(agency, S.DISCONNECTED)
    account = report(agency, end, 60)
    for hours in (4, 24, 72, 200):
        remind_at(hours)
    assert mailed(agency) == ["", "ada@example.com"]
    assert steps(account)[-1] == ("closed", said)


def test_a_prompt_ends_after_seven_days_and_the_next_drop_opens_another(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    remind_at(7 * 24)
    assert ends(account) == ["expired"]
    remind_at(8 * 24)
    assert ends(account) == ["expired"]
    report(agency, S.AUTH_ERROR, 9 * 24 * 60)
    assert ends(account) == ["expired", ""]


def test_a_prompt_that_nobody_swept_away_is_replaced_all_the_same(agency: Agency) -> None:
    report(agency, S.DISCONNECTED)
    account = report(agency, S.AUTH_ERROR, 8 * 24 * 60)
    assert ends(account) == ["expired", ""]


def test_the_database_keeps_an_account_from_having_two_open_prompts(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReauthPrompt.objects.create(account=account, token="x", digest="x", expires_at=T0)
    assert account.prompts.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_send_one_reminder_each() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from accounts.tenancy.agencies import create_agency

    agency, _ = create_agency(name="Northwind Outreach")
    for number in range(20):
        services.report_status(
            agency,
            provider="salesflow",
            identity=AccountIdentity(external_id=str(number), email=f"a{number}@example.com"),
            status=S.DISCONNECTED,
            origin=Origin(by="salesflow", at=T0),
        )
    react()
    ReauthPrompt.objects.update(next_attempt_at=timezone.now(), opened_at=timezone.now() - timedelta(hours=5))

    def run(_: int) -> None:
        try:
            run_jobs("receipts")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    reminded = ReauthStep.objects.filter(kind="reminded").values_list("recipient", flat=True)
    assert sorted(reminded) == sorted(f"a{number}@example.com" for number in range(20))


# --- on behalf of a person ---------------------------------------------------------------------------


def test_a_person_gets_the_open_prompts_own_link_and_its_time_anew(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    first = account.prompts.get()
    with time_machine.travel(T0 + timedelta(days=5), tick=False):
        again = prompts.ask(account, by="api")
    assert (again.pk, again.url) == (first.pk, first.url)
    assert again.expires_at - first.expires_at == timedelta(days=5)
    assert mailed(agency) == ["", "ada@example.com"]


def test_a_link_made_by_a_person_is_mailed_only_where_they_say(agency: Agency) -> None:
    account = report(agency, S.BLOCKED)
    prompt = prompts.ask(account, by="staff")
    assert (mailed(agency), prompt.next_reminder_at) == ([""], None)
    prompts.ask(account, by="staff", email="owner@example.com")
    assert mailed(agency) == ["", "owner@example.com"]
    report(agency, S.BLOCKED, 1)
    assert ends(account) == [""]
    report(agency, S.ACTIVE, 2)
    assert ends(account) == ["done"]


@pytest.mark.parametrize("status", [S.ACTIVE, S.DELETED])
def test_an_account_that_works_or_is_gone_gets_no_link(agency: Agency, status: S) -> None:
    with pytest.raises(prompts.NotNeeded):
        prompts.ask(report(agency, status), by="api")
    assert ReauthPrompt.objects.count() == 0


def test_a_link_is_found_by_its_whole_token_and_its_token_stands_nowhere_in_the_clear(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    prompt = account.prompts.get()
    token = prompt.url.rpartition("/")[2]
    found = prompts.prompt_of_link(token)
    assert found is not None
    assert found.pk == prompt.pk
    assert prompts.prompt_of_link(token[:-1]) is None
    assert prompts.prompt_of_link("\ud800") is None
    raw = ReauthPrompt.objects.extra(select={"raw": "token"}).values_list("raw", "digest")[0]
    assert token not in "".join(map(str, raw))


def test_a_revoked_prompt_asks_nobody_any_more(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    assert prompts.revoke(account, by="staff")
    assert not prompts.revoke(account, by="staff")
    remind_at(5)
    assert ends(account) == ["revoked"]
    assert mailed(agency) == ["", "ada@example.com"]


# --- deleted, and back -------------------------------------------------------------------------------


def test_a_deleted_account_keeps_its_history_and_loses_its_token(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    AccountToken.objects.create(account=account, token="opens the frame")
    report(agency, S.DELETED, 1)
    assert AccountToken.objects.count() == 0
    assert account.reports.count() == 2


def test_staff_revive_a_deleted_account_to_what_it_was_and_the_history_says_so(agency: Agency) -> None:
    account = report(agency, S.DISCONNECTED)
    report(agency, S.DELETED, 1)
    report(agency, S.DELETED, 2)
    with time_machine.travel(T0 + timedelta(minutes=3), tick=False):
        revived = revive(account)
        react()
    row = account.reports.latest("id")
    assert (revived.status, row.from_status, row.to_status) == ("disconnected", "deleted", "disconnected")
    assert (row.reported_by, row.applied, row.note) == ("staff", True, "Revived by staff.")
    assert ends(account) == ["revoked", ""]
    report(agency, S.DELETED, 2.5)
    account.refresh_from_db()
    assert account.status == S.DISCONNECTED


def test_only_a_deleted_account_is_revived(agency: Agency) -> None:
    with pytest.raises(NotDeleted):
        revive(report(agency, S.BLOCKED))


def test_a_newer_report_revives_too_and_says_so(agency: Agency) -> None:
    report(agency, S.DELETED, 5)
    report(agency, S.ACTIVE, 1)
    account = report(agency, S.ACTIVE, 6)
    rows = list(account.reports.order_by("id").values_list("to_status", "applied", "note"))
    assert rows[1:] == [("active", False, ""), ("active", True, "Revived by salesflow.")]


def test_time_in_each_status_and_to_reconnect_come_from_the_history(agency: Agency) -> None:
    for status, minutes in (
        (S.ACTIVE, 0),
        (S.DISCONNECTED, 10),
        (S.AUTH_ERROR, 15),
        (S.ACTIVE, 40),
        (S.ACTIVE, 45),
        (S.ACTIVE, 12),
        (S.BLOCKED, 50),
        (S.DELETED, 60),
        (S.ACTIVE, 70),
        (S.INCOMPLETE, 80),
    ):
        account = report(agency, status, minutes)
    found = status_durations(account, until=T0 + timedelta(minutes=100))
    whole = {status: int(length.total_seconds() // 60) for status, length in found.in_status.items()}
    assert whole == {
        S.ACTIVE: 10 + 10 + 10,
        S.DISCONNECTED: 5,
        S.AUTH_ERROR: 25,
        S.BLOCKED: 10,
        S.DELETED: 10,
        S.INCOMPLETE: 20,
    }
    assert found.to_reconnect == (timedelta(minutes=30),)
