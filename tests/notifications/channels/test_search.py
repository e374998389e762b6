"""Everything that was sent can be found: by event, subject, receiver, status and time; by an index, in every place."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.core import ids
from accounts.core.enums import EventType, Role, Scope
from accounts.events.outbox import record_event
from accounts.models import Agency, Event, Member
from accounts.tenancy.api_keys import create_api_key
from notifications.channels import search
from notifications.channels.service import create_channel
from notifications.delivery import fan_out_due_events
from notifications.models import Channel, Delivery, DeliveryStatus
from notifications.portal.log import _filtered
from notifications.portal.log_filter import LogFilter
from notifications.portal.states import in_state

Happen = Callable[..., Event]


class World:
    """Deliveries of two agencies that differ in everything one can search for."""

    def __init__(self, agency: Agency, stranger: Agency) -> None:
        self.agency = agency
        with time_machine.travel(timezone.now() - timedelta(days=3)):
            self.mail = create_channel(agency, kind="email", email="Team@example.com", verified=True)[0]
            self.hook = create_channel(agency, kind="webhook", url="https://example.com/", event_types=["install"])[0]
            create_channel(stranger, kind="email", email="team@example.com", verified=True)
            self.old = record_event(agency, EventType.LINKEDIN_BLOCKED, subject="acc_one")
            record_event(stranger, EventType.LINKEDIN_BLOCKED, subject="acc_one")
            fan_out_due_events()
        self.new = record_event(agency, EventType.INSTALL, subject="sub_two")
        self.alone = record_event(agency, EventType.CHANNEL_DISABLED, subject="chn_x", recipient="boss@example.com")
        fan_out_due_events()
        self.failed = Delivery.objects.get(event=self.new, channel=self.hook)
        Delivery.objects.filter(pk=self.failed.pk).update(status=DeliveryStatus.FAILED)

    def expected(self, *events: tuple[Event, Channel | None]) -> set[str]:
        return {Delivery.objects.get(event=event, channel=channel).pk for event, channel in events}


@pytest.fixture
def world(agency: Agency, stranger: Agency, loopback: None, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(ids, "_last", 0)  # ids never go back in a process, but these are to be three days old
    return World(agency, stranger)


def searches(world: World) -> Iterable[tuple[dict[str, str], dict[str, str], set[str]]]:
    """What is asked in the API, what on the page, and what is found."""
    old = world.expected((world.old, world.mail))
    new = world.expected((world.new, world.mail), (world.new, world.hook))
    alone = world.expected((world.alone, None))
    day_ago = (timezone.now() - timedelta(days=1)).isoformat(timespec="milliseconds")
    local = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"
    hook, failed = world.hook.pk, {world.failed.pk}
    yield {"event": world.old.pk}, {"q": world.old.pk}, old
    yield {"subject": "acc_one"}, {"q": "acc_one"}, old
    yield {"recipient": "team@EXAMPLE.com"}, {"q": " team@example.COM "}, old | (new - failed)
    yield {"recipient": "boss@example.com"}, {"q": "Boss@example.com"}, alone
    yield {"channel": hook}, {"channel": hook}, failed
    yield {"status": "failed"}, {"status": "failed"}, failed
    yield {"event_type": "install"}, {"event_type": "install"}, new
    yield {"created_after": day_ago}, {"since": local}, new | alone
    yield {"created_before": day_ago}, {"until": local}, old
    yield {"event_type": "install", "status": "failed"}, {"event_type": "install", "status": "failed"}, failed
    yield {"subject": "nothing"}, {"q": "nothing"}, set()


def test_the_api_and_the_portal_find_the_same_and_only_the_agencys_own(world: World) -> None:
    key = create_api_key(world.agency, name="reader", scopes=[Scope.READ])[1]
    owner = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse")
    Member.objects.create(agency=world.agency, user=owner, role=Role.OWNER)
    member = Client()
    member.force_login(owner)
    for asked, on_the_page, found in searches(world):
        answer = member.get("/api/v1/deliveries", asked, HTTP_AUTHORIZATION=f"Bearer {key}")
        assert {row["id"] for row in answer.json()["results"]} == found, asked
        page = member.get("/notifications/deliveries", on_the_page).content.decode()
        assert {pk for pk in Delivery.objects.values_list("pk", flat=True) if pk in page} == found, on_the_page


def test_staff_find_across_agencies(world: World, admin_client: Client) -> None:
    def found(**query: str) -> set[str]:
        page = admin_client.get("/admin/notifications/delivery/", query).content.decode()
        return {pk for pk in Delivery.objects.values_list("pk", flat=True) if f"/{quote(pk)}/change/" in page}

    assert len(found(q="acc_one")) == 2
    assert len(found(q="team@example.com")) == 3
    assert found(q="boss@example.com") == world.expected((world.alone, None))
    assert found(q=world.failed.pk) == {world.failed.pk}
    assert found(q=world.new.pk) == world.expected((world.new, world.mail), (world.new, world.hook))
    assert len(found(made="day")) == 3
    assert found(status="failed") == {world.failed.pk}
    assert len(found(agency=world.agency.pk, event_type="linkedin_blocked")) == 1
    assert len(found(agency=world.agency.pk, status="pending")) == 3


@pytest.mark.parametrize("name", ["created_after", "created_before"])
def test_a_time_that_is_none_is_refused_by_name(world: World, name: str) -> None:
    key = create_api_key(world.agency, name="reader", scopes=[Scope.READ])[1]
    answer = Client().get("/api/v1/deliveries", {name: "soon"}, HTTP_AUTHORIZATION=f"Bearer {key}")
    assert answer.status_code == 400
    assert name in answer.json()["detail"]


def plan_of(rows: "QuerySet[Any]") -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # ask which indexes can serve it, however small the table is
            cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.explain()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"channel": "chn_1"},
        {"status": "failed"},
        {"status": "retrying"},
        {"status": "paused"},
        {"event_type": "install"},
        {"since": "2026-01-01T00:00"},
        {"q": "evt_1"},
        {"q": "dlv_1"},
        {"q": "acc_1"},
        {"q": "boss@example.com"},
        {"q": "team@example.com"},
    ],
    ids=str,
)
def test_no_search_reads_the_whole_table(world: World, asked: dict[str, str]) -> None:
    query = QueryDict(mutable=True)
    query.update({name: world.hook.pk if name == "channel" else value for name, value in asked.items()})
    rows = _filtered(world.agency, LogFilter(query, agency=world.agency))
    rows = in_state(rows, asked.get("status", "")).order_by("-pk")[:51]
    for table in ("notifications_delivery", "accounts_event"):
        assert not any(
            (f"SCAN {table}" in line and "USING" not in line) or f"Seq Scan on {table}" in line
            for line in plan_of(rows).splitlines()
        )
    staff = Delivery.objects.filter(search.matching_word(asked.get("q", "evt_1"))).order_by("-pk")[:51]
    assert "Seq Scan on notifications_delivery" not in plan_of(staff)
