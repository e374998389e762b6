"""What a report does to an account, status by status and in every order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from accounts import services
from accounts.core.enums import AccountStatus as S
from accounts.core.enums import EventType as E
from accounts.events.ordering import Origin, Quarantine
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Event, SubAccount
from accounts.services import installs
from tests.reactions import react

T0 = datetime(2026, 3, 21, 0, 22, 16, tzinfo=UTC)


def at(minutes: float, *, by: str = "salesflow", sequence: int = 0) -> Origin:
    return Origin(by=by, at=T0 + timedelta(minutes=minutes), sequence=sequence, receipt_id=f"rct_{sequence}")


def report(agency: Agency, status: S, minutes: float = 0, *, sequence: int = 0, **extra: object) -> Account:
    account = services.report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="7688", email="natalia@example.com"),
        status=status,
        origin=at(minutes, sequence=sequence),
        **extra,
    )
    react()
    return account


def recorded(agency: Agency) -> list[str]:
    recorded_events = Event.objects.filter(agency=agency).exclude(
        event_type="reauth_requested"
    )  # tests/accounts/reauth/test_prompts.py
    return list(recorded_events.order_by("id").values_list("event_type", flat=True))


FIRST_SEEN = {
    S.ACTIVE: E.LINKEDIN_CONNECTED,
    S.INCOMPLETE: E.LINKEDIN_INCOMPLETE,
    S.DISCONNECTED: E.LINKEDIN_DISCONNECTED,
    S.AUTH_ERROR: E.LINKEDIN_AUTH_ERROR,
    S.BLOCKED: E.LINKEDIN_BLOCKED,
    S.DELETED: E.LINKEDIN_DELETED,
}


@pytest.mark.once
@pytest.mark.parametrize("before", [None, *S])
@pytest.mark.parametrize("after", list(S))
def test_every_status_after_every_other_tells_the_agency_what_the_contract_says(
    agency: Agency, before: S | None, after: S
) -> None:
    if before:
        report(agency, before)
        Event.objects.all().delete()
    account = report(agency, after, 1, sequence=2)
    expected = [FIRST_SEEN[after]]
    if before == after:
        expected = []
    elif after is S.ACTIVE and before not in (None, S.DELETED):
        expected = [E.LINKEDIN_RECONNECTED]
    assert recorded(agency) == expected
    assert account.status == after
    row = account.reports.latest("id")
    assert (row.from_status, row.to_status, row.applied) == (before or "", after, True)
    assert (row.reported_by, row.receipt_id) == ("salesflow", "rct_2")


def test_the_same_status_again_only_renews_the_reason(agency: Agency) -> None:
    report(agency, S.DISCONNECTED, 0, reason="captcha")
    account = report(agency, S.DISCONNECTED, 5, sequence=1, reason="email code")
    assert recorded(agency) == [E.LINKEDIN_DISCONNECTED]
    assert account.status_reason == "email code"
    assert account.status_since == T0


def test_an_event_carries_the_account_and_nothing_without_a_value(agency: Agency) -> None:
    account = report(agency, S.AUTH_ERROR, error_detail="Token expired")
    event = Event.objects.get(event_type="linkedin_auth_error")
    assert event.payload == {
        "event_type": "linkedin_auth_error",
        "event_id": event.id,
        "ghl_company_id": agency.ghl_company_id,
        "timestamp": "2026-03-21T00:22:16.000Z",
        "linkedin_account_id": account.id,
        "linkedin_account_name": "natalia@example.com",
        "linkedin_account_email": "natalia@example.com",
        "provider": "salesflow",
        "error_detail": "Token expired",
    }
    assert account.status_reason == "Token expired"


def test_a_report_not_newer_than_the_state_changes_nothing_but_the_history(agency: Agency) -> None:
    report(agency, S.BLOCKED, 10, sequence=7)
    for minutes, sequence in [(5, 8), (10, 7), (10, 6)]:
        account = report(agency, S.ACTIVE, minutes, sequence=sequence)
        assert account.status == S.BLOCKED
        assert account.reports.latest("id").applied is False
    assert recorded(agency) == [E.LINKEDIN_BLOCKED]


def test_equal_times_count_in_the_order_of_the_receipts(agency: Agency) -> None:
    report(agency, S.BLOCKED, 10, sequence=7)
    assert report(agency, S.ACTIVE, 10, sequence=8).status == S.ACTIVE


@pytest.mark.once
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_any_order_of_four_reports_ends_in_the_newest_state(agency: Agency, order: tuple[int, ...]) -> None:
    statuses = [S.ACTIVE, S.BLOCKED, S.DELETED, S.DISCONNECTED]
    for place in order:
        report(agency, statuses[place], place, sequence=place, reason=f"reason {place}")
    account = Account.objects.get()
    assert (account.status, account.status_since, account.status_reason) == (
        S.DISCONNECTED,
        T0 + timedelta(minutes=3),
        "reason 3",
    )


def test_two_agencies_with_the_same_provider_id_have_two_accounts(agency: Agency, stranger: Agency) -> None:
    report(agency, S.ACTIVE)
    report(stranger, S.BLOCKED)
    assert Account.objects.get(agency=agency).status == S.ACTIVE
    assert recorded(stranger) == [E.LINKEDIN_BLOCKED]


def limit(agency: Agency, minutes: float, *, resets: float | None = None, passed_on: bool = False) -> Account:
    return services.report_rate_limit(
        agency,
        provider="welink",
        identity=AccountIdentity(external_id="jane-doe-123"),
        origin=at(minutes, by="welink", sequence=int(minutes)),
        resets_at=T0 + timedelta(minutes=resets) if resets is not None else None,
        passed_on=passed_on,
    )


def test_a_rate_limit_leaves_the_status_and_ends_an_hour_later_where_no_end_is_given(agency: Agency) -> None:
    account = limit(agency, 0)
    assert (account.status, account.rate_limited_until) == (S.ACTIVE, T0 + timedelta(hours=1))
    assert "resets_at" not in Event.objects.get().payload


def test_a_rate_limit_is_told_once_per_window_and_again_when_its_end_moves_later(agency: Agency) -> None:
    limit(agency, 0, resets=30)
    limit(agency, 1, resets=30)
    limit(agency, 2, resets=20)
    assert recorded(agency) == [E.LINKEDIN_RATE_LIMIT]
    account = limit(agency, 3, resets=60)
    assert account.rate_limited_until == T0 + timedelta(minutes=60)
    assert [event.payload["resets_at"] for event in Event.objects.order_by("id")] == [
        "2026-03-21T00:52:16.000Z",
        "2026-03-21T01:22:16.000Z",
    ]


def test_a_guessed_end_that_moves_by_seconds_is_the_same_window(agency: Agency) -> None:
    limit(agency, 0)
    account = limit(agency, 0.5)
    assert recorded(agency) == [E.LINKEDIN_RATE_LIMIT]
    assert account.rate_limited_until == T0 + timedelta(minutes=60.5)


def test_a_state_that_was_only_assumed_gives_way_to_an_older_report(agency: Agency) -> None:
    limit(agency, 10)
    account = services.report_status(
        agency,
        provider="welink",
        identity=AccountIdentity(external_id="jane-doe-123"),
        status=S.BLOCKED,
        origin=at(5, by="welink"),
    )
    assert account.status == S.BLOCKED


def connector(agency: Agency, status: S, minutes: float, *, name: str = "John Doe", location: str = "loc-1") -> Account:
    return services.report_status(
        agency,
        provider="linkedconnector",
        identity=AccountIdentity(location_id=location, name=name),
        status=status,
        origin=at(minutes, by="linkedconnector"),
        passed_on=FIRST_SEEN[status] if status is not S.ACTIVE else E.LINKEDIN_RECONNECTED,
    )


def test_a_name_is_the_same_account_whatever_its_case_and_spaces(agency: Agency) -> None:
    first = connector(agency, S.BLOCKED, 0)
    assert connector(agency, S.ACTIVE, 1, name="  john   DOE ").pk == first.pk
    assert connector(agency, S.ACTIVE, 1, location="loc-2").pk != first.pk
    assert first.external_id is None


def test_without_a_name_the_locations_only_account_is_meant(agency: Agency) -> None:
    first = connector(agency, S.BLOCKED, 0)
    assert connector(agency, S.ACTIVE, 1, name="").pk == first.pk
    connector(agency, S.ACTIVE, 2, name="Jane Doe")
    with pytest.raises(Quarantine):
        connector(agency, S.ACTIVE, 3, name="")


def test_linkedconnectors_events_are_passed_on_even_when_nothing_changes(agency: Agency) -> None:
    connector(agency, S.ACTIVE, 5)
    connector(agency, S.ACTIVE, 6)
    connector(agency, S.BLOCKED, 1)
    assert recorded(agency) == [E.LINKEDIN_RECONNECTED, E.LINKEDIN_RECONNECTED, E.LINKEDIN_BLOCKED]
    assert Account.objects.get().status == S.ACTIVE


def uninstall(agency: Agency, minutes: float, location: str = "loc-1") -> None:
    installs.report_uninstall(agency, location_id=location, origin=at(minutes, by="highlevel"), passed_on=False)


@pytest.mark.parametrize("late", [False, True])
def test_an_uninstall_disconnects_the_locations_accounts_in_any_order_and_sends_one_event(
    agency: Agency, late: bool
) -> None:
    if late:
        uninstall(agency, 5)
        connector(agency, S.ACTIVE, 1)
    else:
        connector(agency, S.ACTIVE, 1)
        uninstall(agency, 5)
    account = Account.objects.get()
    assert (account.status, account.status_reason) == (S.DISCONNECTED, "uninstalled")
    assert sorted(recorded(agency)) == [E.LINKEDIN_RECONNECTED, E.UNINSTALL]
    uninstall(agency, 6)
    assert recorded(agency).count(E.UNINSTALL) == 1


def test_an_install_makes_the_sub_account_and_says_who_installed(agency: Agency) -> None:
    installs.report_install(
        agency,
        location_id="loc-1",
        origin=at(0, by="highlevel"),
        passed_on=False,
        installer_name="Daniel Marr",
        installer_email="daniel@example.com",
        ghl_user_id="u-1",
    )
    sub_account = SubAccount.objects.get()
    assert (sub_account.installed, sub_account.installed_at, sub_account.installer_name) == (True, T0, "Daniel Marr")
    payload = Event.objects.get().payload
    assert (payload["ghl_location_id"], payload["installer_email"]) == ("loc-1", "daniel@example.com")


def test_an_older_install_does_not_undo_an_uninstall(agency: Agency) -> None:
    uninstall(agency, 5)
    installs.report_install(agency, location_id="loc-1", origin=at(1, by="highlevel"), passed_on=False)
    assert SubAccount.objects.get().installed is False
