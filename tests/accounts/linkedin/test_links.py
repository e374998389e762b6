"""One person at several providers: linked by ids, proposed by name, decided by people, never merged."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.links import (
    contradicting_accounts,
    decide_link,
    describe_views,
    linked_accounts,
    proposed_links,
    worst_status,
)
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, AccountLink, Agency
from accounts.services import report_rate_limit, report_status, update_account


def seen(
    agency: Agency,
    provider: str,
    name: str = "Ada Lovelace",
    *,
    email: str = "",
    status: str = "active",
    **profile: str,
) -> Account:
    return report_status(
        agency,
        provider=provider,
        identity=AccountIdentity(external_id=f"{provider}-{name}-{email}", name=name, email=email, profile=profile),
        status=AccountStatus(status),
        origin=Origin(by=provider, at=timezone.now()),
    )


def linked(account: Account) -> set[str]:
    return {other.provider for other in linked_accounts([account])[account.pk]}


def test_the_same_address_links_at_once_and_is_not_proposed(agency: Agency) -> None:
    one = seen(agency, "salesflow", email="ada@example.com")
    other = seen(agency, "welink", email="ADA@example.com")
    assert (linked(one), linked(other)) == ({"welink"}, {"salesflow"})
    assert not AccountLink.objects.exists()
    assert Account.objects.count() == 2


@pytest.mark.parametrize("name", ["Ada Lovelace", "ada lovelace", "ADA LOVELACE"])
def test_the_same_name_is_proposed_and_links_nothing(agency: Agency, name: str) -> None:
    one = seen(agency, "salesflow")
    other = seen(agency, "welink", name)
    assert linked(one) == linked(other) == set()
    assert [(row.first, row.second) for row in AccountLink.objects.all()] == [(one, other)]
    assert proposed_links(one) == proposed_links(other) == list(AccountLink.objects.all())


def test_first_and_last_name_count_as_a_name(agency: Agency) -> None:
    seen(agency, "salesflow", "", first_name="Ada", last_name="Lovelace", email="a@example.com")
    seen(agency, "welink", "", first_name="ADA", last_name="lovelace", email="b@example.com")
    assert AccountLink.objects.count() == 1


def test_a_name_that_comes_later_is_proposed_too_and_only_once(agency: Agency) -> None:
    seen(agency, "salesflow")
    second = {"provider": "welink", "status": AccountStatus.ACTIVE}
    for name in ("", "Ada Lovelace", "Ada Lovelace"):
        report_status(
            agency,
            **second,  # type: ignore[arg-type]
            identity=AccountIdentity(external_id="7", name=name),
            origin=Origin(by="welink", at=timezone.now()),
        )
    assert AccountLink.objects.count() == 1


def test_what_is_not_proposed(agency: Agency, stranger: Agency) -> None:
    seen(agency, "salesflow")
    seen(stranger, "welink")
    seen(agency, "welink", "Ada King")
    seen(agency, "salesflow", email="another@example.com")
    seen(agency, "linkedconnector", "Ada Lovelace", status="deleted")
    assert not AccountLink.objects.exists()


def test_people_decide_and_may_change_their_mind(agency: Agency, staff: User) -> None:
    one, other = seen(agency, "salesflow"), seen(agency, "welink", status="blocked")
    link = AccountLink.objects.get()

    decide_link(link, same=True, by=staff.pk)
    assert (linked(one), linked(other)) == ({"welink"}, {"salesflow"})
    assert worst_status(one, linked_accounts([one])[one.pk]) == "blocked"
    assert Account.objects.count() == 2
    assert proposed_links(one) == []

    decide_link(link, same=False, by=staff.pk)
    assert linked(one) == set()
    link.refresh_from_db()
    assert (link.state, link.decided_by, link.decided_at is not None) == ("declined", staff, True)
    assert proposed_links(one) == []
    seen(agency, "welink", status="active")
    assert AccountLink.objects.get().state == "declined"


def test_a_deleted_account_is_linked_to_nobody(agency: Agency, staff: User) -> None:
    one, other = seen(agency, "salesflow"), seen(agency, "welink")
    decide_link(AccountLink.objects.get(), same=True, by=staff.pk)
    Account.objects.filter(pk=other.pk).update(status="deleted")
    assert linked(one) == set()


def test_contradictions_are_said_with_their_times(agency: Agency) -> None:
    with time_machine.travel("2026-03-02T14:02:00Z", tick=False):
        blocked = seen(agency, "linkedconnector", email="ada@example.com", status="blocked")
    with time_machine.travel("2026-03-02T15:30:00Z", tick=False) as clock:
        active = seen(agency, "salesflow", email="ada@example.com")
        third = seen(agency, "welink", email="ada@example.com", status="blocked")
        assert (
            views_of(active) == "LinkedConnector: Blocked by LinkedIn since 14:02, Salesflow: Active, "
            "We-Link: Blocked by LinkedIn since 15:30"
        )
        assert contradicting_accounts(blocked, [third]) == []
        assert contradicting_accounts(active, []) == []
        clock.shift(timedelta(days=3))
        assert "LinkedConnector: Blocked by LinkedIn since 02 Mar 2026" in views_of(active)


def views_of(account: Account) -> str:
    return describe_views(contradicting_accounts(account, linked_accounts([account])[account.pk]))


def test_a_rename_and_a_first_rate_limit_are_looked_at_too(agency: Agency) -> None:
    seen(agency, "salesflow")
    account = report_rate_limit(
        agency,
        provider="linkedconnector",
        identity=AccountIdentity(location_id="loc1", name="Ada Lovelace"),
        origin=Origin(by="linkedconnector", at=timezone.now()),
    )
    assert AccountLink.objects.count() == 1
    other = seen(agency, "welink", "Somebody else")
    update_account(other, name="Ada Lovelace")
    assert AccountLink.objects.filter(second=other).count() == 2
    assert len(proposed_links(account)) == 2
