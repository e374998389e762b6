"""No lead is missed: the archive is pulled whole, gaps are closed, and every path meets on the same lead."""

import json
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.models import Account, Agency, Event
from leads.linkedin import archive
from leads.linkedin.checks import check_due
from leads.linkedin.fetching import fetch_due, tell_overdue
from leads.models import Lead, Pull
from leads.tasks import look_after
from tests.leads.linkedin import connected, linkedin, notify, sync_of, work
from tests.linkedin_api.world import World
from webhooks.services import process_due

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def told() -> int:
    return Event.objects.filter(event_type="lead_created").count()


def test_the_first_connection_pulls_the_archive_marks_it_and_alerts_nobody(agency: Agency) -> None:
    world = World()
    world.submit_many(250)
    world.submit(id="too-old", submittedAt=world.now_ms() - 366 * 86_400_000)
    with linkedin(world):
        connected(agency)
        work()
    assert Lead.objects.count() == 250
    assert not Lead.objects.filter(recovered=False).exists()
    assert not Lead.objects.filter(details_pending=True).exists()
    assert told() == 0
    pull = Pull.objects.get()
    assert (pull.position, pull.total, pull.found, pull.next_attempt_at) == (250, 250, 250, None)


def test_a_pull_that_was_killed_goes_on_where_it_stood(agency: Agency) -> None:
    world = World()
    world.submit_many(350)
    with linkedin(world), time_machine.travel(datetime.now(UTC), tick=False) as clock:  # noqa: TID251
        connected(agency)
        check_due()
        archive.pull_due()
        world.broken["leadFormResponses"] = 1
        archive.pull_due()
        assert Pull.objects.get().position == 100
        asked = world.calls["GET leadFormResponses"]
        archive._claim(None)  # taken up by somebody who died
        assert archive.pull_due() is None
        clock.shift(archive.LEASE + timedelta(seconds=1))
        work()
        assert world.calls["GET leadFormResponses"] - asked == 3
    assert Lead.objects.count() == Pull.objects.get().found == 350


def test_leads_that_are_deleted_while_it_walks_hide_no_others(agency: Agency) -> None:
    world = World()
    world.submit_many(250)
    with linkedin(world):
        connected(agency)
        check_due()
        archive.pull_due()
        for number in range(30):
            del world.leads[f"old-{number}-6"]
        work()
    names = set(Lead.objects.values_list("references__external_id", flat=True))
    assert {f"old-{number}-6" for number in range(30, 250)} <= names


def test_a_notification_and_a_pull_meet_on_the_same_lead(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        first, second = stand_in.world.submit(), stand_in.world.submit()
        notify(source, first)
        process_due()
        archive.plan(sync_of(source))
        while archive.pull_due():
            pass
        notify(source, second)
        work()
    assert Lead.objects.count() == 2
    assert Lead.objects.get(references__external_id=first["id"]).recovered is False
    assert Lead.objects.get(references__external_id=second["id"]).recovered is True
    assert told() == 2


def test_a_gap_is_closed_after_an_outage_of_ours_and_once_a_day(agency: Agency) -> None:
    with linkedin() as stand_in, time_machine.travel(NOON, tick=False) as clock:
        connected(agency)
        work()
        look_after()
        clock.shift(timedelta(hours=2))
        stand_in.world.submit()  # nobody told us
        look_after()
        work()
        assert Lead.objects.get().recovered is True
        assert told() == 1
        clock.shift(timedelta(hours=1))
        stand_in.world.submit()
        work()
        assert Lead.objects.count() == 1
        clock.shift(timedelta(hours=24))
        work()
        assert Lead.objects.count() == 2


def test_the_command_says_what_it_pulled(agency: Agency, capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.submit_many(120)
    with linkedin(world):
        source = connected(agency)
        check_due()
        call_command("sync_leads", "--json")
        answer = json.loads(capsys.readouterr().out)
        assert (answer["pulled"], answer["new"], answer["finished"]) == (120, 120, True)
        call_command("sync_leads", "--source", source.pk, "--since", "2020-01-01", "--json")
        answer = json.loads(capsys.readouterr().out)
        assert (answer["pulled"], answer["new"]) == (120, 0)
        with pytest.raises(SystemExit):
            call_command("sync_leads", "--source", "nobody", "--json")
    assert Lead.objects.count() == 120


def test_notifications_that_arrive_while_the_archive_is_pulled_make_nobody_twice(agency: Agency) -> None:
    world = World()
    world.submit_many(300)
    with linkedin(world):
        source = connected(agency)
        check_due()
        sent = []
        while archive.pull_due():
            sent += [world.submit() for _ in range(15)]
            for response in sent[-15:]:
                notify(source, response)
            process_due()
            notify(source, world.leads[f"old-{len(sent)}-6"])  # also of one that the pull brings
            archive.plan(sync_of(source))
            if len(sent) >= 60:
                break
        work()
    names = Lead.objects.values_list("references__external_id", flat=True)
    assert len(names) == len(set(names)) == 300 + len(sent)
    assert not Lead.objects.filter(details_pending=True).exists()
    assert told() >= len(sent)


@pytest.mark.fault  # slow: every allocation is traced
def test_memory_stays_flat_however_many_leads_there_are(agency: Agency) -> None:
    peaks = []
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        for count in (150, 600):
            stand_in.world.submit_many(count, prefix=f"of{count}")
            archive.plan(sync_of(source), since=NOON - timedelta(days=364))
            tracemalloc.start()
            while archive.pull_due():
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert Lead.objects.count() == 750
    assert peaks[1] - peaks[0] < 1_000_000  # bytes; 450 leads at once would take four times as much


#: What may happen, in any order, any number of times: of two moments of one lead, and a pull.
STEPS = st.lists(st.sampled_from(["created", "created again", "deleted", "pull", "fetch"]), max_size=9)


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, again=st.booleans(), withdrawn=st.booleans())
def test_any_order_ends_in_the_same_state(agency: Agency, steps: list[str], again: bool, withdrawn: bool) -> None:
    """A lead was sent, perhaps withdrawn, perhaps sent again: what LinkedIn says in the end counts."""
    with linkedin() as stand_in:
        world = stand_in.world
        source = connected(agency)
        name = f"{uuid.uuid4()}-6"
        start = world.now_ms() - 60_000
        response = world.submit(id=name, submittedAt=start)
        if withdrawn:
            del world.leads[name]
        if withdrawn and again:
            world.leads[name] = response | {"submittedAt": start + 20_000}
        happened = {"created": (True, "CREATED", start), "deleted": (withdrawn, "DELETED", start + 10_000)}
        happened["created again"] = (withdrawn and again, "CREATED", start + 20_000)
        work()
        for step in [*steps, *(["deleted"] if withdrawn else []), "pull"]:
            if step == "pull":
                archive.plan(sync_of(source), since=NOON - timedelta(days=364))
                while archive.pull_due():
                    pass
            elif step == "fetch":
                fetch_due()
            elif happened[step][0]:
                notify(source, response, *happened[step][1:])
                process_due()
        work()
        tell_overdue()
    found = list(Lead.objects.filter(references__external_id=name).values_list("details_pending", "email"))
    assert found == ([] if withdrawn and not again else [(False, "kevin@example.com")])
    assert Account.objects.get().status == "active"
