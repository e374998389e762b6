"""Lists by position: newest first, every row once, both ways, whatever is added meanwhile."""

from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.models import AccountReport, Event
from accounts.tenancy.calendars.service import create_calendar
from leads.activities.notes import create_note
from leads.activities.tasks import create_task
from leads.enums import TaskKind
from leads.models import Lead, LeadChange, RoutingRule, ScoringRule, TargetRule
from leads.sequences.templates import create_template
from leads.target_lists.service import create_list
from notifications.models import Delivery
from tests.api import routes
from tests.api.client import Api
from tests.cases import one_by_one
from tests.factories import World, make_import, make_message, make_sequence, propose_twin
from webhooks.models import Receipt, RejectedRequest


def add_accounts(world: World, count: int) -> None:
    for n in range(count):
        world.agency.accounts.create(
            provider="salesflow", external_id=f"{n}-{timezone.now()}", status="active", status_since=timezone.now()
        )


def add_leads(world: World, count: int) -> None:
    for _ in range(count):
        Lead.objects.create(agency=world.agency, status_since=timezone.now(), received_at=timezone.now())


def add_receipts(world: World, count: int) -> None:
    for n in range(count):
        Receipt.objects.create(
            source=world.source,
            agency=world.agency,
            provider="welink",
            dedupe_key=f"{n}{timezone.now()}".encode(),
            body=b"{}",
            received_at=timezone.now(),
        )


def add_events(world: World, count: int) -> None:
    for _ in range(count):
        Event.objects.create(agency=world.agency, event_type="test", payload={}, occurred_at=timezone.now())


def add_deliveries(world: World, count: int) -> None:
    for n in range(count):
        event = Event.objects.create(agency=world.agency, event_type="test", payload={}, occurred_at=timezone.now())
        Delivery.objects.create(agency=world.agency, event=event, recipient=f"{n}@example.com")


def add_rejections(world: World, count: int) -> None:
    now = timezone.now()
    for n in range(count):
        RejectedRequest.objects.create(source=world.source, reason=f"{n}{now}", first_seen=now, last_seen=now)


def add_reports(world: World, count: int) -> None:
    for _ in range(count):
        AccountReport.objects.create(
            account=world.account, to_status="active", occurred_at=timezone.now(), reported_by="api", applied=False
        )


def add_changes(world: World, count: int) -> None:
    for n in range(count):
        LeadChange.objects.create(
            lead=world.lead,
            new_status="DONE",
            stated=True,
            changed_by="api",
            occurred_at=timezone.now(),
            applied=False,
            note=str(n),
        )


def add_scoring_rules(world: World, count: int) -> None:
    last = world.agency.scoringrules.count()
    rule_set = world.agency.rule_sets.get(kind="scoring")
    for n in range(last + 1, last + count + 1):
        ScoringRule.objects.create(agency=world.agency, name=f"{n}", position=n, group="fit", points=5, version=n)
        rule_set.versions.create(number=n, rules=[], action="created", subject=f"{n}")


def add_target_rules(world: World, count: int) -> None:
    last = world.agency.targetrules.count()
    rule_set = world.agency.rule_sets.get(kind="target")
    for n in range(last + 1, last + count + 1):
        TargetRule.objects.create(agency=world.agency, name=f"{n}", position=n, minutes=5, version=n)
        rule_set.versions.create(number=n, rules=[], action="created", subject=f"{n}")


def add_clocks(world: World, count: int) -> None:
    now = timezone.now()
    times = dict.fromkeys(("started_at", "received_at", "known_at", "period_started_at", "warn_at", "due_at"), now)
    for _ in range(count):
        world.lead.clocks.create(
            agency=world.agency, kind="next_response", target_seconds=900, warn_seconds=600, stopped_at=now, **times
        )


def add_routing_rules(world: World, count: int) -> None:
    last = world.agency.routingrules.count()
    rule_set = world.agency.rule_sets.get(kind="routing")
    for n in range(last + 1, last + count + 1):
        RoutingRule.objects.create(agency=world.agency, name=f"{n}", position=n, keeps=True, version=n)
        rule_set.versions.create(number=n, rules=[], action="created", subject=f"{n}")


def add_sequences(world: World, count: int) -> None:
    for n in range(count):
        make_sequence(world.agency, f"{n} {timezone.now()}")


def add_versions(world: World, count: int) -> None:
    first, last = world.sequence.versions.get(number=1), world.sequence.versions.count()
    for n in range(count):
        world.sequence.versions.create(number=last + n + 1, trigger=first.trigger, steps=first.steps)


def add_enrolments(world: World, count: int) -> None:
    now, version = timezone.now(), world.sequence.versions.get(number=1)
    for _ in range(count):
        world.lead.enrolments.create(
            agency=world.agency, sequence=world.sequence, version=version, state="stopped", created_at=now, ended_at=now
        )


LISTS: dict[str, Any] = {
    "accounts": add_accounts,
    "leads": add_leads,
    "imports": lambda world, count: [make_import(world.agency, str(n)) for n in range(count)],
    "imports/{imports}/refused": lambda world, count: [
        world.file.rows.create(number=n, cells=["x"], outcome="refused", reason="bad_email")
        for n in range(10 + world.file.rows.count(), 10 + world.file.rows.count() + count)
    ],
    "duplicates": lambda world, count: [propose_twin(world.lead) for _ in range(count)],
    "receipts": add_receipts,
    "events": add_events,
    "deliveries": add_deliveries,
    "rejected-requests": add_rejections,
    "accounts/{accounts}/history": add_reports,
    "leads/{leads}/history": add_changes,
    "leads/{leads}/clocks": add_clocks,
    "leads/{leads}/assignments": lambda world, count: [
        world.lead.assignments.create(member=world.member, reason="person") for _ in range(count)
    ],
    "members": lambda world, count: [
        world.agency.members.create(user=User.objects.create_user(f"{n}-{timezone.now()}"), role="manager")
        for n in range(count)
    ],
    "pools": lambda world, count: [world.agency.pools.create(name=f"{n}-{timezone.now()}") for n in range(count)],
    "threads": lambda world, count: [make_message(world.lead, text=str(n), new_thread=True) for n in range(count)],
    "messages": lambda world, count: [make_message(world.lead, text=str(n)) for n in range(count)],
    "leads/{leads}/thread": lambda world, count: [make_message(world.lead, text=str(n)) for n in range(count)],
    "tasks": lambda world, count: [
        create_task(world.lead, kind=TaskKind.CALL, title=str(n), due_at=timezone.now()) for n in range(count)
    ],
    "notes": lambda world, count: [create_note(world.lead, text=str(n)) for n in range(count)],
    "sub-accounts": lambda world, count: [
        world.agency.sub_accounts.create(location_id=f"{n}-{timezone.now()}") for n in range(count)
    ],
    "campaigns": lambda world, count: [
        world.agency.campaigns.create(provider="sendpilot", external_id=f"{n}-{timezone.now()}") for n in range(count)
    ],
    "calendars": lambda world, count: [
        create_calendar(world.agency, name=f"{n} {timezone.now()}") for n in range(count)
    ],
    "target-rules": add_target_rules,
    "target-rules/versions": add_target_rules,
    "scoring-rules": add_scoring_rules,
    "scoring-rules/versions": add_scoring_rules,
    "routing-rules": add_routing_rules,
    "routing-rules/versions": add_routing_rules,
    "target-lists": lambda world, count: [
        create_list(world.agency, name=f"{n} {timezone.now()}", file=BytesIO(b"Acme")) for n in range(count)
    ],
    "sequences": add_sequences,
    "sequences/{sequences}/versions": add_versions,
    "sequences/{sequences}/enrolments": add_enrolments,
    "enrolments": add_enrolments,
    "templates": lambda world, count: [
        create_template(world.agency, name=f"{n} {timezone.now()}", channel="linkedin", text="Hello")
        for n in range(count)
    ],
    "sources": lambda world, count: [world.agency.sources.create(provider="salesflow") for _ in range(count)],
    "channels": lambda world, count: [world.agency.channels.create(kind="email") for _ in range(count)],
}


#: Lists of rules, in which new ones are last.
BY_POSITION = ("scoring-rules", "routing-rules", "target-rules")


def walk(api: Api, path: str, link: str = "next", **query: Any) -> tuple[list[Any], list[str]]:
    """Every row from the first page along `link`, and the URLs of the pages."""
    rows: list[Any] = []
    urls: list[str] = []
    answer = api.get(path, query).json()
    while True:
        rows += answer["results"]
        if answer[link] is None:
            return rows, urls
        urls.append(answer[link])
        answer = api.get(answer[link]).json()


def test_every_list_is_among_them() -> None:
    histories = {f"{resource}/{{{resource}}}/{rest}" for resource, rest in routes.HISTORIES}
    fixed = {"event-types"}  # nobody adds a row to it
    assert set(LISTS) == {*routes.LISTS, *histories} - fixed


@one_by_one("path", LISTS)
def test_a_list_is_read_to_its_end_and_back_with_every_row_once(path: str, world: World, api: Api) -> None:
    path_of = path.format(**world.ids)
    LISTS[path](world, 5)
    whole = api.get(path_of, {"limit": 200}).json()
    assert (whole["next"], whole["previous"]) == (None, None)
    everything = whole["results"]
    assert len(everything) >= 5
    for limit in (1, 2, len(everything)) if path == "leads" else (2, len(everything)):
        rows, urls = walk(api, path_of, limit=limit)
        assert rows == everything
        if not urls:
            continue
        last = api.get(urls[-1]).json()
        back = list(last["results"])
        while last["previous"]:
            last = api.get(last["previous"]).json()
            back = last["results"] + back
        assert back == everything


@pytest.mark.one_backend
@one_by_one("path", [path for path in LISTS if path not in BY_POSITION])  # by position: new ones are last
def test_rows_that_come_meanwhile_shift_nothing(path: str, world: World, api: Api) -> None:
    path_of = path.format(**world.ids)
    LISTS[path](world, 5)
    before = api.get(path_of, {"limit": 200}).json()["results"]
    page = api.get(path_of, {"limit": 2}).json()
    seen = page["results"]
    while page["next"]:
        LISTS[path](world, 2)
        page = api.get(page["next"]).json()
        seen += page["results"]
    assert seen == before
    newest_first = api.get(path_of, {"limit": 200}).json()["results"]
    assert newest_first[-len(before) :] == before
    assert len(newest_first) > len(before)


@pytest.mark.one_backend
@one_by_one("path", LISTS)
def test_oldest_first_is_newest_first_turned_round(path: str, world: World, api: Api) -> None:
    path_of = path.format(**world.ids)
    LISTS[path](world, 4)
    name = {"receipts": "received_at", "rejected-requests": "first_seen"}.get(path, "created_at")
    newest_first = api.get(path_of, {"ordering": f"-{name}"}).json()["results"]
    usual = api.get(path_of).json()["results"]
    assert usual == (newest_first[::-1] if path in BY_POSITION else newest_first)  # rules: by their position
    assert walk(api, path_of, ordering=name, limit=2)[0] == newest_first[::-1]


def test_leads_are_read_by_their_last_change_with_ties(world: World, api: Api) -> None:
    add_leads(world, 6)
    at = timezone.now()
    Lead.objects.all().update(updated_at=at)
    world.lead.refresh_from_db()
    everything = {row["id"] for row in api.get("leads").json()["results"]}
    for ordering in ("updated_at", "-updated_at"):
        rows, urls = walk(api, "leads", ordering=ordering, limit=2)
        assert [row["id"] for row in rows] == sorted(everything, reverse=ordering.startswith("-"))
        last = api.get(urls[-1]).json()
        previous = api.get(last["previous"]).json()
        assert previous["results"] == rows[4:6]


def test_pages_keep_their_filters(world: World, api: Api) -> None:
    add_leads(world, 5)
    Lead.objects.exclude(pk=world.lead.pk).update(priority="high")
    rows, urls = walk(api, "leads", priority="high", limit=2)
    assert len(rows) == 5
    assert all("priority=high" in url and "limit=2" in url for url in urls)
    assert all(url.startswith("http://testserver/api/v1/leads?") for url in urls)


def test_a_page_whose_rows_were_deleted_leads_back(world: World, api: Api) -> None:
    add_leads(world, 3)
    ids = [row["id"] for row in api.get("leads").json()["results"]]
    page = api.get("leads", {"limit": 2}).json()
    Lead.objects.filter(pk__in=ids[2:]).delete()
    empty = api.get(page["next"]).json()
    assert (empty["results"], empty["next"]) == ([], None)
    back = api.get(empty["previous"]).json()
    assert [row["id"] for row in back["results"]] == ids[:2]


def test_a_cursor_is_for_its_own_ordering_and_kind_of_list(world: World, api: Api) -> None:
    add_leads(world, 3)
    add_receipts(world, 3)
    cursor = api.get("leads", {"limit": 1}).json()["next"].partition("cursor=")[2].partition("&")[0]
    assert api.get("leads", {"cursor": cursor, "ordering": "updated_at"}).status_code == 400
    assert api.get("receipts", {"cursor": cursor}).status_code == 400
    assert api.get("leads", {"cursor": cursor + "x"}).status_code == 400
    assert api.get("leads", {"cursor": cursor[:-3]}).status_code == 400


def test_the_catalogue_has_pages_too(api: Api) -> None:
    names = [kind["name"] for kind in api.get("event-types", {"limit": 200}).json()["results"]]
    rows, urls = walk(api, "event-types", limit=7)
    assert [kind["name"] for kind in rows] == names
    assert api.get(api.get(urls[0]).json()["previous"]).json()["results"] == rows[:7]
    by_name = [kind["name"] for kind in walk(api, "event-types", limit=5, ordering="name")[0]]
    assert by_name == sorted(names)


def test_a_list_asks_the_database_a_handful_of_times(
    world: World, api: Api, django_assert_max_num_queries: Any
) -> None:
    for path, add in LISTS.items():
        add(world, 20)
        with django_assert_max_num_queries(8):
            assert api.get(path.format(**world.ids)).status_code == 200
