"""No lead is missed: the archive is pulled whole, gaps are closed, and every path meets on the same lead."""

import io
import json
import os
import pty
import re
import uuid
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from random import Random
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.core.jobs import claim_due
from accounts.models import Account, Agency, Event, Source
from config.demo.linkedin_api.world import World
from leads.lead_sync import backfill, backfill_pages
from leads.lead_sync.fetching import announce_overdue, fetch_due
from leads.lead_sync.health_checks import check_due
from leads.models import Lead, LeadReference, Pull
from leads.tasks import look_after
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, sync_of, work
from webhooks.processing.processor import process_due_receipts

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pages_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill_pages, "PAGE", 10)


def count_created() -> int:
    return Event.objects.filter(event_type="lead_created").count()


def test_the_first_connection_pulls_the_archive_marks_it_and_alerts_nobody(agency: Agency) -> None:
    world = World()
    world.submit_many(25)
    world.submit(id="too-old", submittedAt=world.now_ms() - 366 * 86_400_000)
    with linkedin(world):
        connected(agency)
        work()
    assert Lead.objects.count() == 25
    assert not Lead.objects.filter(recovered=False).exists()
    assert not Lead.objects.filter(details_pending=True).exists()
    assert count_created() == 0
    pull = Pull.objects.get()
    assert (pull.position, pull.total, pull.found, pull.next_attempt_at) == (25, 25, 25, None)


def test_a_pull_that_was_killed_goes_on_where_it_stood(agency: Agency) -> None:
    world = World()
    world.submit_many(35)
    with linkedin(world), time_machine.travel(datetime.now(UTC), tick=False) as clock:  # noqa: TID251
        connected(agency)
        check_due()
        backfill.pull_due()
        world.broken["leadFormResponses"] = 1
        backfill.pull_due()
        assert Pull.objects.get().position == 10
        asked = world.calls["GET leadFormResponses"]
        clock.shift(backfill.BACKOFF.steps[0])
        with claim_due(Pull.objects.all(), limit=1, lease=backfill.LEASE) as claimed:  # by a worker that died
            assert len(claimed) == 1
        assert backfill.pull_due() is None
        clock.shift(backfill.LEASE)
        work()
        assert world.calls["GET leadFormResponses"] - asked == 3
    assert Lead.objects.count() == Pull.objects.get().found == 35


def test_leads_that_are_deleted_while_it_walks_hide_no_others(agency: Agency) -> None:
    world = World()
    world.submit_many(25)
    with linkedin(world):
        connected(agency)
        check_due()
        backfill.pull_due()
        for number in range(3):
            del world.leads[f"old-{number}-6"]
        work()
    names = set(Lead.objects.values_list("references__external_id", flat=True))
    assert {f"old-{number}-6" for number in range(3, 25)} <= names


def test_a_notification_and_a_pull_meet_on_the_same_lead(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        first, second = stand_in.world.submit(), stand_in.world.submit()
        notify(source, first)
        process_due_receipts()
        backfill.plan(sync_of(source))
        while backfill.pull_due():
            pass
        notify(source, second)
        work()
    assert Lead.objects.count() == 2
    assert Lead.objects.get(references__external_id=first["id"]).recovered is False
    assert Lead.objects.get(references__external_id=second["id"]).recovered is True
    assert count_created() == 2


def test_a_lead_that_a_pull_found_is_made_as_one_that_a_notification_announced(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        notified = stand_in.world.submit()
        notify(source, notified)
        work()
        found = stand_in.world.submit(submittedAt=notified["submittedAt"])
        backfill.plan(sync_of(source))
        work()
    assert kept_of(found["id"]) == kept_of(notified["id"])
    assert Lead.objects.get(references__external_id=found["id"]).recovered is True


def kept_of(external_id: str) -> dict[str, Any]:
    """All that is kept of a lead, without what must differ from lead to lead."""
    own = {"id", "lead", "reference", "external_id", "receipt_id", "created_at", "updated_at", "recovered"}
    own |= {"search_text"}  # of the other fields, and the id
    own |= {"arrived_at"}  # of a notification alone
    reference = LeadReference.objects.get(external_id=external_id)
    rows = (reference, reference.lead, *reference.lead.changes.all())
    names = {field.name for row in rows for field in row._meta.concrete_fields if "sequence" not in field.name}
    return {name: [getattr(row, name) for row in rows if hasattr(row, name)] for name in names - own}


def test_a_pull_that_saw_a_lead_sent_again_outlives_the_late_word_that_it_was_withdrawn(agency: Agency) -> None:
    with linkedin() as stand_in:
        story = Story(connected(agency), stand_in.world, [3])
        work()
        for step in ((0, 0), "pull", (0, 1)):
            story.take(step)
        assert story.here() == story.expected() != {}


def test_a_gap_is_closed_after_an_outage_of_ours_and_once_a_day(agency: Agency) -> None:
    with linkedin() as stand_in, time_machine.travel(NOON, tick=False) as clock:
        connected(agency)
        work()
        look_after()
        clock.shift(timedelta(hours=2))
        stand_in.world.submit()  # no notification came
        look_after()
        work()
        assert Lead.objects.get().recovered is True
        assert count_created() == 1
        clock.shift(timedelta(hours=1))
        stand_in.world.submit()
        work()
        assert Lead.objects.count() == 1
        clock.shift(timedelta(hours=24))
        work()
        assert Lead.objects.count() == 2


def test_the_command_says_what_it_pulled(agency: Agency, capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.submit_many(12)
    with linkedin(world):
        source = connected(agency)
        check_due()
        call_command("sync_leads", "--json")
        answer = json.loads(capsys.readouterr().out)
        assert (answer["pulled"], answer["new"], answer["finished"]) == (12, 12, True)
        call_command("sync_leads", "--source", source.pk, "--since", "2020-01-01", "--json")
        answer = json.loads(capsys.readouterr().out)
        assert (answer["pulled"], answer["new"]) == (12, 0)
        with pytest.raises(SystemExit):
            call_command("sync_leads", "--source", "nobody", "--json")
    assert Lead.objects.count() == 12


def test_the_back_office_shows_how_far_a_first_pull_is_and_looks_again(agency: Agency, staff: User) -> None:
    world, client = World(), Client()
    world.submit_many(25)
    client.force_login(staff)
    with linkedin(world):
        source = connected(agency)
        check_due()
        backfill.pull_due()
        page = client.get(f"/admin/leads/leadsync/{source.pk}/change/")
        assert '<progress value="10" max="25"></progress> 40 % (10 of 25)' in page.content.decode()
        assert (page["Refresh"], b"<script>" in page.content) == ("5", False)
        work()
    page = client.get(f"/admin/leads/leadsync/{source.pk}/change/")
    assert "100 % (25 of 25)" in page.content.decode()
    assert "Refresh" not in page


def test_the_command_draws_a_bar_on_a_terminal_and_only_there(agency: Agency) -> None:
    world = World()
    world.submit_many(25)
    near, far = pty.openpty()
    with linkedin(world), os.fdopen(far, "w") as terminal, io.StringIO() as file:
        connected(agency)
        check_due()
        call_command("sync_leads", stdout=terminal, stderr=terminal)
        terminal.flush()
        drawn = b""
        while b"new." not in drawn:
            drawn += os.read(near, 65536)
        call_command("sync_leads", stdout=file, stderr=file)
        assert "█" not in file.getvalue()
    os.close(near)
    bars = re.findall(r"\r\[(█*)(·*)\] ([0-9]+) of 25 leads", drawn.decode())
    assert [(len(full), len(full + left), done) for full, left, done in bars] == [
        (12, 30, "10"), (24, 30, "20"), (30, 30, "25"),
    ]  # fmt: skip
    assert b"\x1b" not in drawn
    assert b"25 pulled, 25 of them new." in drawn.splitlines()[-1]


def test_notifications_that_arrive_while_the_archive_is_pulled_make_nobody_twice(agency: Agency) -> None:
    world = World()
    world.submit_many(30)
    with linkedin(world):
        source = connected(agency)
        check_due()
        sent = []
        while backfill.pull_due():
            sent += [world.submit() for _ in range(5)]
            for response in sent[-5:]:
                notify(source, response)
            process_due_receipts()
            notify(source, world.leads[f"old-{len(sent)}-6"])  # also of one that the pull brings
            backfill.plan(sync_of(source))
            if len(sent) >= 20:
                break
        work()
    names = Lead.objects.values_list("references__external_id", flat=True)
    assert len(names) == len(set(names)) == 30 + len(sent)
    assert not Lead.objects.filter(details_pending=True).exists()
    assert count_created() >= len(sent)


#: What LinkedIn's side does with each of the leads: sent, withdrawn, sent again, ten seconds apart.
LIVES = st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=3)
NOTIFICATIONS = st.tuples(st.integers(0, 2), st.integers(0, 3))  # whose notification, which of its life
STEPS = st.lists(st.one_of(NOTIFICATIONS, st.sampled_from(["pull", "fetch"])), max_size=10)


class Story:
    """Some leads' lives on LinkedIn, all over already, and what comes here of them in any order."""

    def __init__(self, source: Source, world: World, lives: list[int]) -> None:
        self.source, self.world = source, world
        world.leads.clear()
        self.start = world.now_ms() - 60_000
        self.sent = [world.submit(id=f"{uuid.uuid4()}-6", submittedAt=self.start) for _ in lives]
        self.lives = dict(zip((response["id"] for response in self.sent), lives, strict=True))
        for name, life in self.lives.items():
            if life % 2:
                world.leads[name]["submittedAt"] = self.start + (life - 1) * 10_000
            else:
                del world.leads[name]

    def deliver(self, lead: int, time: int) -> None:
        response = self.sent[lead % len(self.sent)]
        if time < self.lives[response["id"]]:
            notify(self.source, response, ("CREATED", "DELETED")[time % 2], self.start + time * 10_000)
            process_due_receipts()

    def take(self, step: Any) -> None:
        match step:
            case "pull":
                backfill.plan(sync_of(self.source), since=timezone.now() - timedelta(days=364))
                while backfill.pull_due():
                    pass
            case "fetch":
                fetch_due()
            case lead, time:
                self.deliver(lead, time)

    def end(self, shuffled: Random) -> None:
        """Every DELETED comes at last, once more perhaps, and a pull, which makes up for any CREATED that was lost."""
        rest: list[Any] = [(lead, time) for lead in range(len(self.sent)) for time in (1, 3)]
        rest += ["pull"]
        shuffled.shuffle(rest)
        for step in rest:
            self.take(step)
        work()
        announce_overdue()

    def here(self) -> dict[str, Any]:
        rows = LeadReference.objects.filter(external_id__in=list(self.lives)).select_related("lead")
        assert rows.count() == len({row.lead_id for row in rows})
        facts = attrgetter("details_pending", "email", "status", "received_at")
        return {row.external_id: facts(row.lead) for row in rows}

    def expected(self) -> dict[str, Any]:
        return {
            name: (False, "kevin@example.com", "PENDING", datetime.fromtimestamp(lead["submittedAt"] / 1000, UTC))
            for name, lead in self.world.leads.items()
        }


def play(agency: Agency, count: int) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()

        @examples(max_examples=count, deadline=None, database=None)
        @given(lives=LIVES, steps=STEPS, shuffled=st.randoms(use_true_random=False))
        def ends_as_linkedin_says(lives: list[int], steps: list[Any], shuffled: Random) -> None:
            story = Story(source, stand_in.world, lives)
            for step in steps:
                story.take(step)
            story.end(shuffled)
            assert story.here() == story.expected()

        ends_as_linkedin_says()
    assert Account.objects.get().status == "active"


def test_any_order_ends_in_the_same_state(agency: Agency) -> None:
    """Notifications come in any order, any number of times, or not at all; what LinkedIn says in the end counts."""
    play(agency, 5)


@pytest.mark.fault  # many examples
def test_any_order_ends_in_the_same_state_however_long_one_tries(agency: Agency) -> None:
    play(agency, 150)
