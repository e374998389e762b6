"""The board of leads: a column for each status of what is open, cards that move, and parts that ask again."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import EventType, Role
from accounts.models import Agency, Event, Member
from leads.enums import ENDED, ChangedBy, LeadStatus
from leads.models import Lead, LeadChange
from leads.pipeline.bulk import assign_leads
from leads.pipeline.changes import create_lead, set_status
from leads.portal.board import SIZE
from tests.portal.browser import Browser

OPEN = [status for status in LeadStatus if status not in ENDED]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def columns(page: str) -> dict[str, list[str]]:
    """Return the names on the cards of each column."""
    parts = re.split(r'<ol class="board-cards" data-status="(\w+)"', page)
    cards = [re.findall(r'<a href="/leads/lead_\w+">([^<]+)</a>', part) for part in parts[2::2]]
    return dict(zip(parts[1::2], cards, strict=True))


def counts(page: str) -> dict[str, str]:
    return dict(re.findall(r'<span class="badge" id="count-(\w+)"[^>]*>(\d+\+?)</span>', page))


def mark(page: str) -> str:
    [found] = re.findall(r'"X-Shown": "(\w+)"', page)
    return str(found)


def test_each_open_status_has_a_column_with_its_count(agency: Agency, stranger: Agency, manager: Client) -> None:
    for status in LeadStatus:
        create_lead(agency, name=f"Ann {status}", status=status)
    create_lead(agency, name="Test", is_test=True)
    create_lead(stranger, name="Zed")
    page = html(manager, "/leads/board")
    assert columns(page) == {**{status: [f"Ann {status}"] for status in OPEN}, **{status: [] for status in ENDED}}
    assert counts(page) == dict.fromkeys(OPEN, "1")


def test_a_card_says_who_has_the_lead_its_grade_and_until_when_it_is_to_be_answered(
    agency: Agency, manager: Client
) -> None:
    anna = User.objects.create_user("anna@example.com", first_name="Anna", last_name="Berg")
    Member.objects.create(agency=agency, user=anna, role=Role.MANAGER)
    lead = create_lead(agency, name="Ada", title="Founder", company="Example", assigned_to=anna)
    at = lead.received_at
    Lead.objects.filter(pk=lead.pk).update(grade="A1", response_warn_at=at, response_due_at=at)
    page = html(manager, "/leads/board")
    for words in ("Anna Berg", ">A1</span>", "Founder, Example", "Overdue by"):
        assert words in page, words
    assert f"/leads/due?lead={lead.pk}" in page


def test_a_long_column_is_read_to_its_end_by_key(agency: Agency, manager: Client) -> None:
    for number in range(2 * SIZE + 3):
        create_lead(agency, name=f"L{number}")
    page, seen = html(manager, "/leads/board?age=7"), []
    assert counts(page)["PENDING"] == str(2 * SIZE + 3)
    while True:
        seen += re.findall(r'<a href="/leads/lead_\w+">(L\d+)</a>', page)
        more = re.findall(r'hx-get="(/leads/board/PENDING\?[^"]+)"', page)
        if not more:
            break
        page = html(manager, more[0].replace("&amp;", "&"))
    assert seen == [f"L{number}" for number in reversed(range(2 * SIZE + 3))]


def test_the_board_is_filtered_and_sorted_as_the_list_is(agency: Agency, manager: Client) -> None:
    me = User.objects.get(pk=manager.session["_auth_user_id"])
    create_lead(agency, name="Mine", assigned_to=me)
    create_lead(agency, name="Vip", tags=["vip"], status=LeadStatus.OPPORTUNITY)
    create_lead(agency, name="Other")
    for query, found in (
        ("assigned_to=me", ["Mine"]),
        ("tag=vip", ["Vip"]),
        ("status=OPPORTUNITY", ["Vip"]),
        ("q=oth", ["Other"]),
        ("sort=received", ["Mine", "Other", "Vip"]),
        ("waiting=yes", ["Vip"]),
    ):
        names = [name for cards in columns(html(manager, f"/leads/board?{query}")).values() for name in cards]
        assert names == found, query
    page = html(manager, "/leads/board?tag=vip")
    assert 'href="/leads?tag=vip"' in page
    assert 'href="/leads/board?tag=vip"' in html(manager, "/leads?tag=vip")


def test_a_board_without_leads_says_where_the_others_are(agency: Agency, manager: Client) -> None:
    create_lead(agency, name="Over", status=LeadStatus.DONE)
    assert "No open leads match" in html(manager, "/leads/board?q=Over")
    page = html(manager, "/leads/board")
    assert "No open leads<" in page
    assert 'href="/leads">Show all leads' in page


def test_a_card_that_moves_is_a_change_of_status(agency: Agency, manager: Client) -> None:
    lead = create_lead(agency, name="Ada")
    answer = manager.post(f"/leads/{lead.pk}/move", {"status": "OPPORTUNITY", "shown": "PENDING"}, headers=HTMX)
    part = answer.content.decode()
    assert f'id="{lead.pk}" data-status="OPPORTUNITY"' in part
    assert "Status of Ada changed to “Opportunity”." in part
    assert counts(part) == {**dict.fromkeys(OPEN, "0"), "OPPORTUNITY": "1"}
    change = LeadChange.objects.filter(lead=lead).latest("pk")
    assert (change.new_status, change.changed_by, change.user_id) == (
        "OPPORTUNITY",
        ChangedBy.USER,
        int(manager.session["_auth_user_id"]),
    )
    assert Event.objects.filter(subject=lead.pk, event_type=EventType.LEAD_OPPORTUNITY).count() == 1


def test_a_card_that_shows_an_outdated_status_comes_back_with_the_reason(agency: Agency, manager: Client) -> None:
    lead = create_lead(agency, name="Ada")
    set_status(lead, status=LeadStatus.REPLY_RECEIVED, changed_by=ChangedBy.USER)
    before = Event.objects.count()
    answer = manager.post(f"/leads/{lead.pk}/move", {"status": "CONNECTION_SENT", "shown": "PENDING"}, headers=HTMX)
    part = answer.content.decode()
    assert f'id="{lead.pk}" data-status="REPLY_RECEIVED"' in part
    assert "Ada was not moved: the status is another one by now." in part
    assert "toast-error" in part
    assert (Lead.objects.get().status, Event.objects.count()) == (LeadStatus.REPLY_RECEIVED, before)


def test_a_lead_that_is_closed_leaves_the_board(agency: Agency, manager: Client) -> None:
    lead = create_lead(agency, name="Ada")
    part = manager.post(f"/leads/{lead.pk}/move", {"status": "DONE", "shown": "PENDING"}, headers=HTMX).content.decode()
    assert "board-card" not in part
    assert counts(part)["PENDING"] == "0"
    assert Lead.objects.get().status == LeadStatus.DONE


def test_a_status_that_there_is_not_moves_nothing(agency: Agency, manager: Client) -> None:
    lead = create_lead(agency, name="Ada")
    part = manager.post(f"/leads/{lead.pk}/move", {"status": "RICH", "shown": "PENDING"}, headers=HTMX).content.decode()
    assert f'id="{lead.pk}" data-status="PENDING"' in part
    assert "toast-error" in part
    assert manager.get("/leads/board/DONE").status_code == 404


def test_who_may_only_read_moves_nothing(agency: Agency, sign_in: Browser) -> None:
    create_lead(agency, name="Ada")
    page = html(sign_in(Role.READ_ONLY), "/leads/board")
    for words in ("board-handle", "data-sorts", "board.js", "board-ends"):
        assert words not in page, words


@pytest.mark.parametrize("path", ["/leads", "/leads?assigned_to=me", "/leads/board", "/leads/mine"])
def test_a_part_that_asks_again_is_rendered_once_its_leads_changed(agency: Agency, manager: Client, path: str) -> None:
    me = User.objects.get(pk=manager.session["_auth_user_id"])
    first = create_lead(agency, name="Ada", assigned_to=me)
    shown = mark(html(manager, path))
    assert manager.get(path, headers={"X-Shown": shown}).status_code == 204
    second = create_lead(agency, name="Grace")
    assign_leads(agency, [second.pk], assignee=me, by=me)
    answer = manager.get(path, headers={"X-Shown": shown})
    assert ">Grace</a>" in answer.content.decode()
    shown = mark(answer.content.decode())
    Lead.objects.filter(pk=first.pk).update(grade="A1")
    assert manager.get(path, headers={"X-Shown": shown}).status_code == 200


def test_a_member_sees_their_own_open_leads_first_what_is_due_first(agency: Agency, manager: Client) -> None:
    me = User.objects.get(pk=manager.session["_auth_user_id"])
    late, _, new = (create_lead(agency, name=name, assigned_to=me) for name in ("Late", "Old", "New"))
    Lead.objects.filter(pk=late.pk).update(response_warn_at=new.received_at, response_due_at=new.received_at)
    create_lead(agency, name="Over", assigned_to=me, status=LeadStatus.DONE)
    create_lead(agency, name="Somebody's")
    for path in ("/", "/leads/mine"):
        part = html(manager, path).partition('id="mine"')[2].partition("All your leads")[0]
        assert re.findall(r'<a href="/leads/lead_\w+">([^<]+)</a>', part) == ["Late", "New", "Old"], path


@pytest.mark.one_backend
def test_a_full_board_is_light(agency: Agency, manager: Client) -> None:
    anna = User.objects.create_user("anna@example.com", first_name="Annabelle", last_name="Bergström-Lindqvist")
    Member.objects.create(agency=agency, user=anna, role=Role.MANAGER)
    for status in OPEN:
        for number in range(SIZE + 1):
            create_lead(
                agency,
                name=f"Maximiliane Hohenstein {number}",
                title="Director of Partnerships",
                company="Brightwater Robotics",
                status=status,
                assigned_to=anna,
            )
    now = Lead.objects.latest("pk").received_at
    Lead.objects.update(grade="A1", response_due_at=now, response_warn_at=now)
    assert len(html(manager, "/leads/board?assigned_to=").encode()) <= 60 * 1024
