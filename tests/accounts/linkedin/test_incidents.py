"""Many drops at once are one incident, with what probably caused it; it closes itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import time_machine
from django.utils import timezone

from accounts import services
from accounts.core.enums import AccountStatus as S
from accounts.core.enums import StatusReason
from accounts.events.ordering import Origin
from accounts.linkedin.incidents import ALERT_DELAY, WINDOW, update_incidents
from accounts.linkedin.matching import AccountIdentity
from accounts.linkedin.outages import PROBLEM_TIMEOUT
from accounts.models import Account, Agency, Event, Incident, Outage, ReauthPrompt
from accounts.reauth import attempts
from accounts.services import installs
from accounts.services.revival import revive
from accounts.tenancy.agencies import create_agency
from tests.reactions import react

SEQUENCE = count(1)
T0 = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(T0, tick=False) as clock:
        yield clock


def report(
    agency: Agency, name: str, status: S, *, provider: str = "salesflow", by: str = "", reason: str = ""
) -> Account:
    account = services.report_status(
        agency,
        provider=provider,
        identity=AccountIdentity(external_id=name, name=name),
        status=status,
        origin=Origin(by=by or provider, at=timezone.now(), sequence=next(SEQUENCE)),
        reason=reason,
    )
    react()
    return account


def take_down(agency: Agency, *names: str, status: S = S.DISCONNECTED, **how: str) -> None:
    for name in names:
        report(agency, name, status, **how)
    update_incidents()


def incident_events(agency: Agency) -> list[tuple[int, str]]:
    events = Event.objects.filter(agency=agency, event_type="accounts_incident").order_by("id")
    return [(event.payload["count"], event.payload["cause"]) for event in events]


def staff_alerts() -> list[str]:
    return list(Event.objects.filter(event_type="staff_alert").order_by("id").values_list("subject", flat=True))


def accounts_in(incident: Incident) -> list[str]:
    return sorted(incident.outages.values_list("account__name", flat=True))


def test_two_drops_are_two_matters_and_a_third_makes_one_of_all(agency: Agency, clock: time_machine.Traveller) -> None:
    take_down(agency, "a", "b")
    assert not Incident.objects.exists()
    clock.shift(WINDOW)
    take_down(agency, "c")
    incident = Incident.objects.get()
    assert accounts_in(incident) == ["a", "b", "c"]
    assert (incident.agency, incident.provider, incident.opened_at) == (agency, "salesflow", T0)
    assert incident_events(agency) == [(3, "provider")]


def test_three_drops_over_more_than_five_minutes_are_three_matters(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    take_down(agency, "a", "b")
    clock.shift(WINDOW + timedelta(seconds=1))
    take_down(agency, "c")
    assert not Incident.objects.exists()
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert len(staff_alerts()) == 3


def test_what_follows_joins_and_what_comes_much_later_is_another_matter(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    take_down(agency, "a", "b", "c")
    clock.shift(WINDOW)
    take_down(agency, "d")
    clock.shift(WINDOW)
    take_down(agency, "e")
    assert accounts_in(Incident.objects.get()) == ["a", "b", "c", "d", "e"]
    clock.shift(WINDOW + timedelta(seconds=1))
    take_down(agency, "f")
    assert accounts_in(Incident.objects.get()) == ["a", "b", "c", "d", "e"]
    assert incident_events(agency) == [(3, "provider")]


def test_drops_that_nobody_grouped_in_time_are_grouped_by_when_they_were(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    """The worker was away for an hour."""
    for minute, name in enumerate("abcd"):
        clock.move_to(T0 + timedelta(minutes=minute * 2))
        report(agency, name, S.DISCONNECTED)
    clock.move_to(T0 + timedelta(hours=1))
    report(agency, "late", S.DISCONNECTED)
    update_incidents()
    assert accounts_in(Incident.objects.get()) == ["a", "b", "c", "d"]
    assert incident_events(agency) == [(4, "provider")]


def test_two_agencies_have_two_incidents_and_see_nothing_of_each_other(
    agency: Agency, stranger: Agency, clock: time_machine.Traveller
) -> None:
    take_down(agency, "a", "b")
    take_down(stranger, "a", "b")
    assert not Incident.objects.exists()
    take_down(stranger, "c")
    assert Incident.objects.get().agency == stranger
    assert (incident_events(agency), incident_events(stranger)) == ([], [(3, "provider")])


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ([(S.AUTH_ERROR, "WRONG_PASSWORD", "welink")] * 3, "password"),
        ([(S.DISCONNECTED, "", "salesflow")] * 3, "provider"),
        ([(S.AUTH_ERROR, "Proxy connection failed", "welink")] * 3, "proxy"),
        ([(S.DISCONNECTED, "", "salesflow")] * 2 + [(S.AUTH_ERROR, "", "salesflow")], "provider"),
        ([(S.BLOCKED, "", "welink"), (S.DISCONNECTED, "", "salesflow"), (S.AUTH_ERROR, "", "welink")], "unknown"),
    ],
)
def test_the_probable_cause_is_what_most_of_them_point_to(
    agency: Agency, clock: time_machine.Traveller, how: list[tuple[S, str, str]], cause: str
) -> None:
    for number, (status, reason, provider) in enumerate(how):
        report(agency, f"account {number}", status, reason=reason, provider=provider)
    update_incidents()
    assert Incident.objects.get().cause == cause


def test_the_cause_follows_what_joins(agency: Agency, clock: time_machine.Traveller) -> None:
    take_down(agency, "a", "b", "c")
    take_down(agency, *"defghi", status=S.AUTH_ERROR)
    incident = Incident.objects.get()
    assert incident.cause == "password"
    assert [step.text for step in incident.steps.order_by("id")] == [
        "Opened: 3 accounts dropped within 5 minutes.",
        "6 more accounts dropped.",
        "The assessment changed. Probably passwords that LinkedIn no longer accepts.",
    ]


def test_while_the_cause_is_not_known_it_says_so_in_words(agency: Agency, clock: time_machine.Traveller) -> None:
    take_down(agency, "a", "b", "c", status=S.AUTH_ERROR)
    take_down(agency, *"defg", provider="linkedconnector")
    incident = Incident.objects.get()
    assert incident.cause == "unknown"
    assert str(incident) == f"{agency.name}: cause not known yet"
    assert incident.steps.latest("id").text == "The assessment changed. The cause is not known yet."


def test_many_of_one_provider_across_agencies_are_one_outage_with_a_part_at_each(
    agency: Agency, stranger: Agency, clock: time_machine.Traveller
) -> None:
    third = create_agency(name="Third")[0]
    take_down(agency, "a", "b", "c", status=S.AUTH_ERROR)
    assert Incident.objects.get().cause == "password"
    take_down(stranger, "d", status=S.AUTH_ERROR)
    take_down(third, "e", status=S.AUTH_ERROR)
    outage = Incident.objects.get(agency=None)
    assert {part.agency: accounts_in(part) for part in outage.parts.all()} == {
        agency: ["a", "b", "c"],
        stranger: ["d"],
        third: ["e"],
    }
    assert {incident.cause for incident in Incident.objects.all()} == {"provider"}
    assert (incident_events(stranger), incident_events(third)) == ([(1, "provider")], [(1, "provider")])
    take_down(third, "f")
    assert Incident.objects.filter(agency=third).count() == 1
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert staff_alerts() == [outage.pk]


def test_another_provider_has_no_part_in_an_outage(
    agency: Agency, stranger: Agency, clock: time_machine.Traveller
) -> None:
    third = create_agency(name="Third")[0]
    take_down(agency, "a", "b", provider="welink")
    take_down(stranger, "c", "d", provider="salesflow")
    take_down(third, "e", provider="salesflow")
    assert not Incident.objects.exists()


def test_it_closes_when_all_are_back_and_says_so_once(agency: Agency, clock: time_machine.Traveller) -> None:
    take_down(agency, "a", "b", "c")
    clock.shift(ALERT_DELAY)
    update_incidents()
    take_down(agency, "a", "b", status=S.ACTIVE)
    assert Incident.objects.get().closed_at is None
    clock.shift(60)
    take_down(agency, "c", status=S.ACTIVE)
    update_incidents()
    incident = Incident.objects.get()
    assert incident.closed_at == T0 + ALERT_DELAY + timedelta(seconds=60)
    assert incident_events(agency) == [(3, "provider"), (0, "provider")]
    assert staff_alerts() == [incident.pk, incident.pk]
    take_down(agency, "a")
    assert accounts_in(incident) == ["a", "b", "c"]
    assert Incident.objects.count() == 1


def test_an_outage_closes_with_its_last_part(agency: Agency, stranger: Agency, clock: time_machine.Traveller) -> None:
    third = create_agency(name="Third")[0]
    take_down(agency, "a", "b", "c")
    take_down(stranger, "d")
    take_down(third, "e")
    take_down(agency, "a", "b", "c", status=S.ACTIVE)
    take_down(stranger, "d", status=S.ACTIVE)
    assert set(Incident.objects.filter(closed_at=None).values_list("agency", flat=True)) == {third.pk, None}
    take_down(third, "e", status=S.ACTIVE)
    assert not Incident.objects.filter(closed_at=None).exists()


def test_deleted_accounts_and_purposeful_disconnects_are_in_no_incident(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    take_down(agency, "a", "b", "c", provider="linkedconnector", reason=StatusReason.USER_ACTION)
    take_down(agency, "d", "e", "f", status=S.DELETED)
    assert not Outage.objects.exists()
    take_down(agency, "g", "h", "i", "j")
    take_down(agency, "g", status=S.DELETED)
    assert accounts_in(Incident.objects.get()) == ["h", "i", "j"]
    take_down(agency, "h", "i", "j", status=S.DELETED)
    assert Incident.objects.get().closed_at is not None


def test_an_uninstall_is_no_incident(agency: Agency, clock: time_machine.Traveller) -> None:
    for name in "abc":
        services.report_status(
            agency,
            provider="linkedconnector",
            identity=AccountIdentity(location_id="berlin", name=name),
            status=S.ACTIVE,
            origin=Origin(by="linkedconnector", at=T0),
        )
    clock.shift(5)
    installs.report_uninstall(
        agency, location_id="berlin", origin=Origin(by="highlevel", at=T0 + timedelta(seconds=5)), passed_on=False
    )
    react()
    update_incidents()
    assert not Outage.objects.exists()


def test_what_a_person_did_and_what_happens_while_the_prompts_page_is_open_alerts_nobody(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    take_down(agency, "a", by="staff")
    account = report(agency, "b", S.ACTIVE)
    report(agency, "b", S.DISCONNECTED)
    attempts.record_page_use(ReauthPrompt.objects.get(account=account))
    clock.shift(30)
    report(agency, "b", S.ACTIVE)
    clock.shift(30)
    report(agency, "b", S.INCOMPLETE)
    take_down(agency, "c", by="api")
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert (staff_alerts(), Incident.objects.count()) == ([], 0)


def test_a_revived_account_is_expected_to_be_down(agency: Agency, clock: time_machine.Traveller) -> None:
    report(agency, "a", S.BLOCKED)
    account = report(agency, "a", S.ACTIVE)
    clock.shift(1)
    report(agency, "a", S.BLOCKED)
    clock.shift(1)
    report(agency, "a", S.DELETED)
    clock.shift(1)
    assert revive(account).status == S.BLOCKED
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert staff_alerts() == []


def test_staff_is_told_of_one_drop_once_after_a_minute_and_not_if_it_is_back(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    take_down(agency, "a", "b")
    clock.shift(59)
    take_down(agency, "a", status=S.ACTIVE)
    assert staff_alerts() == []
    clock.shift(1)
    update_incidents()
    update_incidents()
    take_down(agency, "b", status=S.BLOCKED)
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert staff_alerts() == [Account.objects.get(name="b").pk]


def test_an_incident_that_is_over_within_a_minute_alerts_no_staff(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    take_down(agency, "a", "b", "c")
    clock.shift(30)
    take_down(agency, "a", "b", "c", status=S.ACTIVE)
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert staff_alerts() == []


def report_problem(agency: Agency, *names: str, code: str = "PROXY_ERROR") -> None:
    for name in names:
        account = Account.objects.get(agency=agency, name=name)
        services.report_problem(account, code=code, origin=Origin(by="welink", at=timezone.now()), text=code)
    react()
    update_incidents()


def test_one_proxys_error_is_history_and_many_are_an_incident_that_ends_with_silence(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    for name in "abc":
        report(agency, name, S.ACTIVE, provider="welink")
    report_problem(agency, "a", "a", "b")
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert (Incident.objects.count(), staff_alerts()) == (0, [])
    report_problem(agency, "c")
    incident = Incident.objects.get()
    assert (incident.cause, accounts_in(incident)) == ("proxy", ["a", "b", "c"])
    assert set(Account.objects.values_list("status", flat=True)) == {"active"}
    clock.shift(PROBLEM_TIMEOUT - ALERT_DELAY)
    report_problem(agency, "a")
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert Incident.objects.get().closed_at is None
    clock.shift(PROBLEM_TIMEOUT)
    update_incidents()
    assert Incident.objects.get().closed_at is not None


def test_a_drop_after_trouble_counts_once(agency: Agency, clock: time_machine.Traveller) -> None:
    for name in "ab":
        report(agency, name, S.ACTIVE, provider="welink")
    clock.shift(1)
    report_problem(agency, "a", "b")
    take_down(agency, "a", "b", status=S.AUTH_ERROR, provider="welink")
    assert not Incident.objects.exists()
    assert Outage.objects.filter(back_at=None).count() == 2
