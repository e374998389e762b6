"""A lead that was sent while a role was away comes when the role is back, whenever that was noticed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.core.enums import Scope
from accounts.models import Agency
from accounts.sources.service import update_source
from config.demo.linkedin_api.forms import ACCOUNT, PAGE, form
from config.demo.linkedin_api.world import World
from leads.lead_sync import backfill, backfill_pages
from leads.lead_sync.health_checks import check_due
from leads.lead_sync.oauth import complete_connection, connect_link
from leads.lead_sync.problems import problems_of
from leads.lead_sync.subscriptions import want
from leads.models import Lead, LeadReference, LeadSync, OwnerAccess, Pull
from tests.api.client import api_with
from tests.leads.lead_sync.linkedin import SPONSORED, agree, connected, linkedin, notify, sync_of, work

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
OF_THE_PAGE = {"owner": PAGE, "lead_type": "COMPANY", "form": "", "entity": ""}
ROLES = ({ACCOUNT: "ACCOUNT_MANAGER"}, {PAGE: "ADMINISTRATOR"})
OTHER = 901


class Days:
    """A source with two owners that LinkedIn tells of nothing: what comes, a pull brings."""

    def __init__(self, agency: Agency, world: World, clock: time_machine.Traveller) -> None:
        self.world, self.clock, self.agency = world, clock, agency
        world.forms[OTHER] = form(OTHER)
        self.source = connected(agency)
        want(self.source, [SPONSORED, OF_THE_PAGE])
        work()

    def later(self, **time: float) -> None:
        """Time passes, and whatever is due in it happens."""
        end = datetime.now(UTC) + timedelta(**time)  # noqa: TID251
        while (now := datetime.now(UTC)) < end:  # noqa: TID251
            self.clock.move_to(min(end, now + max(timedelta(hours=1), timedelta(**time) / 8)))
            work()

    def lose(self, *, page: bool = False) -> None:
        if page:
            self.world.page_roles = {}
        else:
            self.world.account_roles = {}

    def regain(self) -> None:
        self.world.account_roles, self.world.page_roles = dict(ROLES[0]), dict(ROLES[1])

    def send(self, *, page: bool = False, **more: Any) -> dict[str, Any]:
        owner = {"owner": {"organization": PAGE}, "leadType": "COMPANY"} if page else {}
        return self.world.submit(**owner, **more)

    def pull(self) -> None:
        backfill.plan(sync_of(self.source))
        while backfill.pull_due():
            pass

    def check(self) -> None:
        LeadSync.objects.update(next_attempt_at=datetime.now(UTC))  # noqa: TID251
        check_due()

    def codes(self) -> set[str]:
        return {problem.code for problem in problems_of(sync_of(self.source))}

    def missing(self) -> set[str]:
        here = list(LeadReference.objects.values_list("external_id", flat=True))
        assert len(here) == len(set(here)) == Lead.objects.count()
        return set(self.world.leads) - set(here)


@pytest.fixture
def days(agency: Agency) -> Iterator[Days]:
    with time_machine.travel(START, tick=False) as clock, linkedin() as stand_in:
        yield Days(agency, stand_in.world, clock)


@pytest.mark.once
@pytest.mark.parametrize("page", [False, True], ids=["ad account", "page"])
def test_leads_sent_while_a_role_was_away_come_when_it_is_back(days: Days, page: bool) -> None:
    days.later(hours=25)
    days.lose(page=page)
    days.later(hours=2)
    days.send(page=page)
    days.later(hours=25)
    assert days.missing()
    assert days.codes() & {"role_ad_account", "role_page"}
    pull = Pull.objects.filter(owner=PAGE if page else ACCOUNT).order_by("-pk").first()
    assert pull is not None
    assert (pull.finished_at, pull.next_attempt_at, pull.reason) == (None, None, "no_role")
    health = api_with(days.agency, Scope.READ).get(f"sources/{days.source.pk}").json()["health"]
    assert health["status"] == "attention"
    days.later(days=5)
    days.regain()
    days.later(hours=2)
    assert days.missing() == set()
    assert days.codes() == set()
    assert api_with(days.agency, Scope.READ).get(f"sources/{days.source.pk}").json()["health"]["troubles"] == []


@pytest.mark.one_backend
def test_a_role_that_was_lost_and_found_between_two_checks_hides_no_lead(days: Days) -> None:
    days.lose()
    lost = days.send()
    days.pull()
    days.clock.shift(timedelta(hours=2))
    days.regain()
    days.check()
    days.pull()
    assert days.missing() == set()
    assert Lead.objects.get(references__external_id=lost["id"]).email == "kevin@example.com"


def test_a_role_that_goes_while_a_pull_walks_ends_no_window(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.clock.shift(timedelta(hours=5))
    monkeypatch.setattr(backfill_pages, "PAGE", 10)
    days.world.submit_many(25, until=days.world.now_ms())
    backfill.plan(sync_of(days.source))
    for _ in range(3):
        backfill.pull_due()
    days.lose()
    while backfill.pull_due():
        pass
    assert days.missing()
    days.regain()
    days.later(hours=25)
    assert days.missing() == set()


def test_what_a_role_proves_is_a_row(days: Days) -> None:
    [of_the_ads, of_the_page] = OwnerAccess.objects.order_by("-owner")
    assert (of_the_ads.owner, of_the_ads.proved_at, of_the_ads.pulled_until) == (ACCOUNT, START, START)
    assert (of_the_page.owner, of_the_page.proved_at, of_the_page.pulled_until) == (PAGE, START, START)
    days.world.account_roles = {}
    days.later(hours=30)
    of_the_ads.refresh_from_db()
    of_the_page.refresh_from_db()
    assert of_the_ads.pulled_until == START
    assert of_the_ads.missing_since is not None
    assert of_the_page.pulled_until is not None
    assert of_the_page.pulled_until >= START + timedelta(hours=24)


@pytest.mark.one_backend
def test_an_owner_without_a_role_holds_up_no_other(days: Days) -> None:
    days.lose()
    days.send()
    shown = days.send(page=True)
    days.later(hours=25)
    assert Lead.objects.get().references.get().external_id == shown["id"]


@pytest.mark.one_backend
def test_roles_that_linkedin_does_not_show_are_no_finding_and_lose_nothing(days: Days) -> None:
    for resource in ("adAccountUsers", "organizationAcls"):
        days.world.refuse(resource)
    days.lose()
    days.send()
    days.later(days=3)
    assert days.missing()
    assert not [code for code in days.codes() if code.startswith("role_")]
    days.regain()
    days.later(hours=25)
    assert days.missing() == set()
    asked = days.world.calls["GET leadFormResponses"]
    days.later(hours=24)
    assert days.world.calls["GET leadFormResponses"] - asked <= 4


@pytest.mark.one_backend
def test_a_revoked_token_leaves_no_gap(days: Days) -> None:
    days.clock.shift(timedelta(hours=1))
    days.world.revoke()
    days.send()
    days.later(days=4)
    days.send(page=True)
    assert len(days.missing()) == 2
    complete_connection(agree(connect_link(days.source).url))
    work()
    assert days.missing() == set()


def test_an_owner_that_was_not_wanted_for_a_while_leaves_no_gap(days: Days) -> None:
    days.later(hours=25)
    want(days.source, [OF_THE_PAGE])
    days.later(hours=25)
    days.send()
    days.later(days=3)
    assert days.missing()
    want(days.source, [SPONSORED, OF_THE_PAGE])
    work()
    assert days.missing() == set()


@pytest.mark.one_backend
def test_a_source_that_was_switched_off_for_a_while_leaves_no_gap(days: Days) -> None:
    update_source(days.source, enabled=False)
    days.later(hours=20)
    days.send()
    days.later(hours=20)
    update_source(days.source, enabled=True)
    days.later(hours=25)
    assert days.missing() == set()


@pytest.mark.one_backend
def test_leads_of_a_form_that_was_hidden_come_when_one_of_them_is_shown(days: Days) -> None:
    days.later(hours=25)
    days.world.hidden_forms = {OTHER}
    days.send(form=OTHER)  # nobody tells us of this one
    days.later(hours=30)
    notify(days.source, days.send(form=OTHER))
    days.later(hours=50)
    assert Lead.objects.get().details_pending is True
    assert "answers" in days.codes()
    days.world.hidden_forms = set()
    days.later(hours=25)
    assert days.missing() == set()
    assert not Lead.objects.filter(details_pending=True).exists()
    assert days.codes() == set()


@pytest.mark.one_backend
def test_a_pull_of_a_few_days_by_hand_leaves_what_was_before_them_to_be_pulled(days: Days) -> None:
    days.lose()
    days.later(hours=2)
    days.send()
    days.later(days=6)
    days.regain()
    call_command("sync_leads", "--source", days.source.pk, "--since", f"{START + timedelta(days=4):%Y-%m-%d}", "--json")
    days.later(hours=25)
    assert days.missing() == set()


@pytest.mark.one_backend
def test_the_command_says_that_leads_are_hidden(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    days.lose()
    days.later(hours=3)
    with pytest.raises(SystemExit):
        call_command("sync_leads", "--source", days.source.pk, "--json")
    assert '"finished": false' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("sync_leads", "--source", days.source.pk)
    assert "lacks a role there" in capsys.readouterr().out


@pytest.mark.one_backend
def test_while_a_role_is_away_linkedin_is_asked_for_leads_rarely(days: Days) -> None:
    days.lose()
    days.later(hours=3)
    asked = days.world.calls["GET leadFormResponses"]
    days.later(days=4)
    assert days.world.calls["GET leadFormResponses"] - asked <= 5 + 4 * 24  # the other owner's, whose window is an hour


HAPPENINGS = st.sampled_from(
    [
        *("lose account", "lose page", "regain", "hide form", "show form", "revoke", "connect"),
        *("lead", "lead of the page", "lead of the other form", "notified lead", "notified lead of the other form"),
        *("check", "page", "pull", "hours", "day", "do not want", "want", "off", "on"),
    ]
)


class Story(Days):
    def take(self, step: str) -> None:
        happenings: dict[str, Callable[[], object]] = {
            "lose account": self.lose,
            "lose page": lambda: self.lose(page=True),
            "regain": self.regain,
            "hide form": lambda: self.world.hidden_forms.add(OTHER),
            "show form": self.show_form,
            "revoke": self.world.revoke,
            "connect": self.connect,
            "check": self.check,
            "page": backfill.pull_due,
            "pull": self.pull,
            "hours": lambda: self.later(hours=5),
            "day": lambda: self.later(hours=26),
            "want": lambda: want(self.source, [SPONSORED, OF_THE_PAGE]),
            "do not want": lambda: want(self.source, [OF_THE_PAGE]),
            "on": lambda: update_source(self.source, enabled=True),
            "off": lambda: update_source(self.source, enabled=False),
        }
        happenings.get(step, lambda: self.sent(step))()
        self.clock.shift(timedelta(minutes=1))

    def connect(self) -> None:
        self.clock.shift(timedelta(seconds=1))
        complete_connection(agree(connect_link(self.source).url))

    def show_form(self) -> None:
        """That a form was hidden is seen by a lead of it that a notification told of, and by nothing else."""
        if self.world.hidden_forms:
            self.connect()
            self.sent("notified lead of the other form")
            work()
        self.world.hidden_forms = set()

    def sent(self, step: str) -> None:
        lead = self.send(page="page" in step, form=OTHER if "other form" in step else 7234246)
        if step.startswith("notified"):
            notify(self.source, lead)

    def end(self) -> None:
        """All is mended, and a day passes."""
        for step in ("regain", "show form", "connect", "want", "on", "check"):
            self.take(step)
        work()
        self.later(hours=26)


def play(agency: Agency, count: int, max_steps: int) -> None:
    with time_machine.travel(START, tick=False) as clock, linkedin() as stand_in:

        @examples(max_examples=count, deadline=None, database=None)
        @given(steps=st.lists(HAPPENINGS, min_size=3, max_size=max_steps))
        def every_lead_comes_once(steps: list[str]) -> None:
            stand_in.world.leads.clear()
            Lead.objects.all().delete()
            story = Story(agency, stand_in.world, clock)
            for step in steps:
                story.take(step)
            story.end()
            assert story.missing() == set()
            assert not Lead.objects.filter(details_pending=True).exists()
            LeadSync.objects.all().delete()

        every_lead_comes_once()


def test_whatever_happens_to_roles_every_lead_comes_once(agency: Agency) -> None:
    play(agency, 3, max_steps=12)


@pytest.mark.fault  # many examples
def test_whatever_happens_to_roles_every_lead_comes_once_however_long_one_tries(agency: Agency) -> None:
    play(agency, 60, max_steps=25)
