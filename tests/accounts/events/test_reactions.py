"""What follows an event a moment later: in order for each subject, again after a failure, and told with the event."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import reactions
from accounts.events.outbox import record_event
from accounts.models import Agency, Event, Reaction
from notifications.delivery import fan_out_due_events
from notifications.retention import delete_old_events

NAME = "echo"
Handle = Callable[[Sequence[Reaction], UnitOfWork], None]


class Echo:
    """Notes which subjects it was handed together, and refuses those that it is told to."""

    def __init__(self) -> None:
        self.handed: list[list[str]] = []
        self.refused: set[str] = set()

    def handle(self, rows: Sequence[Reaction], work: UnitOfWork) -> None:
        self.handed.append([row.subject for row in rows])
        for row in rows:
            agency = row.event.agency if row.event else Agency.objects.get()
            record_event(agency, EventType.TEST, subject=row.subject, work=work)
        if self.refused.intersection(row.subject for row in rows):
            raise ValueError("no such luck")


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Echo:
    made = Echo()
    monkeypatch.setattr(reactions, "_subscriptions", {})
    reactions.subscribe(NAME, {EventType.LEAD_CREATED}, made.handle)
    return made


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def echoed() -> list[str]:
    return list(Event.objects.filter(event_type="test").order_by("id").values_list("subject", flat=True))


def test_a_subscriber_reacts_to_its_events_and_to_no_others(agency: Agency, echo: Echo) -> None:
    event = record_event(agency, EventType.LEAD_CREATED, subject="lead_1")
    record_event(agency, EventType.LEAD_ERASED, subject="lead_1")
    assert list(Reaction.objects.values_list("subscriber", "event", "subject")) == [(NAME, event.pk, "lead_1")]
    assert (reactions.carry_out_due_reactions(), reactions.carry_out_due_reactions()) == (1, 0)
    assert (echoed(), Reaction.objects.count()) == (["lead_1"], 0)


def test_an_event_that_is_rolled_back_is_not_reacted_to(agency: Agency, echo: Echo) -> None:
    with transaction.atomic():
        record_event(agency, EventType.LEAD_CREATED, subject="lead_1")
        transaction.set_rollback(True)
    assert reactions.carry_out_due_reactions() == 0


def test_one_subjects_reactions_go_in_order_and_several_subjects_together(agency: Agency, echo: Echo) -> None:
    for subject in ("a", "b", "a", "c"):
        reactions.request_reaction(NAME, subject=subject, work=AT_ONCE)
    while reactions.carry_out_due_reactions():
        pass
    assert echo.handed == [["a", "b", "c"], ["a"]]


def test_who_reacts_after_another_is_asked_when_the_other_has_reacted(agency: Agency, echo: Echo) -> None:
    later = Echo()
    reactions.subscribe("later", {EventType.LEAD_CREATED}, later.handle, after=NAME)
    record_event(agency, EventType.LEAD_CREATED, subject="a")
    assert set(Reaction.objects.values_list("subscriber", flat=True)) == {NAME}
    assert (reactions.carry_out_due_reactions(), later.handed) == (1, [])
    rows = [(row.subscriber, row.event_id, row.subject) for row in Reaction.objects.all()]
    assert rows == [("later", None, "a")]
    assert (reactions.carry_out_due_reactions(), later.handed) == (1, [["a"]])
    reactions.request_reaction(NAME, subject="a", work=AT_ONCE)  # not because of an event
    assert (reactions.carry_out_due_reactions(), reactions.carry_out_due_reactions()) == (1, 0)


def test_nobody_reacts_after_one_that_failed(agency: Agency, echo: Echo) -> None:
    reactions.subscribe("later", {EventType.LEAD_CREATED}, Echo().handle, after=NAME)
    echo.refused = {"a"}
    record_event(agency, EventType.LEAD_CREATED, subject="a")
    reactions.carry_out_due_reactions()
    assert list(Reaction.objects.values_list("subscriber", "attempts")) == [(NAME, 1)]


def test_one_that_fails_leaves_nothing_holds_up_its_own_subject_only_and_is_tried_again(
    agency: Agency, echo: Echo, clock: time_machine.Traveller
) -> None:
    echo.refused = {"a"}
    for subject in ("a", "b", "a"):
        reactions.request_reaction(NAME, subject=subject, work=AT_ONCE)
    assert [reactions.carry_out_due_reactions() for _ in range(2)] == [2, 0]
    assert echoed() == ["b"]
    assert list(Reaction.objects.order_by("id").values_list("attempts", "error")) == [
        *((1, "ValueError: no such luck"), (0, ""))
    ]
    echo.refused.clear()
    clock.shift(2)
    while reactions.carry_out_due_reactions():
        pass
    assert (echoed(), Reaction.objects.count()) == (["b", "a", "a"], 0)


def test_one_that_always_fails_stays_visible_and_lets_the_next_go_on(
    agency: Agency, echo: Echo, clock: time_machine.Traveller
) -> None:
    echo.refused = {"a"}
    reactions.request_reaction(NAME, subject="a", work=AT_ONCE)
    for attempts in range(1, len(reactions.BACKOFF.steps) + 2):
        assert reactions.carry_out_due_reactions() == 1
        assert Reaction.objects.get().attempts == attempts
        clock.shift(timedelta(hours=2))
    assert (reactions.carry_out_due_reactions(), Reaction.objects.get().next_attempt_at) == (0, None)
    echo.refused.clear()
    reactions.request_reaction(NAME, subject="a", work=AT_ONCE)
    assert (reactions.carry_out_due_reactions(), echoed()) == (1, ["a"])


def test_staff_see_one_that_failed_and_try_it_again(
    agency: Agency, echo: Echo, clock: time_machine.Traveller, signed_in: Client
) -> None:
    echo.refused = {"a"}
    reactions.request_reaction(NAME, subject="a", work=AT_ONCE)
    for _ in range(len(reactions.BACKOFF.steps) + 1):
        reactions.carry_out_due_reactions()
        clock.shift(timedelta(hours=2))
    [row] = Reaction.objects.all()
    page = f"/admin/accounts/reaction/{row.pk}/"
    assert "no such luck" in signed_in.get("/admin/accounts/reaction/?state=failed").content.decode()
    assert "no such luck" in signed_in.get(f"{page}change/").content.decode()
    echo.refused.clear()
    assert signed_in.post(f"{page}press/try_again/").status_code == 302
    assert (reactions.carry_out_due_reactions(), echoed(), Reaction.objects.count()) == (1, ["a"], 0)


def test_one_whose_worker_dies_is_carried_out_again_when_its_lease_is_over(
    agency: Agency, echo: Echo, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    reactions.request_reaction(NAME, subject="a", work=AT_ONCE)
    with monkeypatch.context() as deadly:
        deadly.setattr(reactions, "_carry_out", die)
        with pytest.raises(Killed):
            reactions.carry_out_due_reactions()
    assert reactions.carry_out_due_reactions() == 0
    clock.shift(reactions.LEASE)
    assert (reactions.carry_out_due_reactions(), echoed()) == (1, ["a"])


def test_an_event_and_those_after_it_are_told_once_its_reactions_were_attempted(
    agency: Agency, stranger: Agency, echo: Echo
) -> None:
    before = record_event(agency, EventType.LEAD_ERASED, subject="lead_0")
    record_event(agency, EventType.LEAD_CREATED, subject="lead_1")
    record_event(agency, EventType.LEAD_ERASED, subject="lead_2")
    elsewhere = record_event(stranger, EventType.LEAD_ERASED, subject="lead_3")
    fan_out_due_events()
    assert set(Event.objects.filter(fanned_out_at__isnull=False)) == {before, elsewhere}
    reactions.carry_out_due_reactions()
    fan_out_due_events()
    assert not Event.objects.filter(fanned_out_at__isnull=True).exists()


def test_an_event_is_told_though_its_reactions_fail_or_nobody_carries_them_out(
    agency: Agency, echo: Echo, clock: time_machine.Traveller
) -> None:
    echo.refused = {"lead_1"}
    record_event(agency, EventType.LEAD_CREATED, subject="lead_1")
    reactions.carry_out_due_reactions()
    assert fan_out_due_events() == 1
    record_event(agency, EventType.LEAD_CREATED, subject="lead_2")
    assert fan_out_due_events() == 0
    clock.shift(reactions.MAX_WAIT)
    assert fan_out_due_events() == 1


def test_retention_takes_an_event_and_its_reaction_that_failed(agency: Agency, echo: Echo) -> None:
    event = record_event(agency, EventType.LEAD_CREATED, subject="lead_1")
    Reaction.objects.update(next_attempt_at=None, error="ValueError: no such luck")
    Event.objects.update(created_at=event.created_at - timedelta(days=40), fanned_out_at=event.created_at)
    assert list(delete_old_events("", event.created_at - timedelta(days=30)))
    assert (Event.objects.count(), Reaction.objects.count()) == (0, 0)
