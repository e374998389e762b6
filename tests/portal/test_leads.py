"""The list of leads and the page of one: filters, tabs, assigning, status, neighbours, the history."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.models import Agency, Event, Member
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead, LeadChange, SavedFilter
from leads.pipeline.changes import create_lead, set_status
from leads.portal import bulk
from tests.portal.browser import Browser


@pytest.fixture
def owner(sign_in: Browser) -> Client:
    return sign_in(Role.OWNER)


@pytest.fixture
def me(owner: Client) -> Member:
    return Member.objects.get(user=owner.session["_auth_user_id"])


@pytest.fixture
def anna(agency: Agency) -> Member:
    user = User.objects.create_user("anna@example.com", first_name="Anna", last_name="Berg")
    return Member.objects.create(agency=agency, user=user, role=Role.MANAGER)


def make_leads(agency: Agency, count: int, **fields: object) -> list[Lead]:
    """Leads `L0`, `L1` …, of which each has its status and came a minute after the one before."""
    began = timezone.now() - timedelta(days=1)
    leads = [create_lead(agency, name=f"L{number}", email="l@example.com", **fields) for number in range(count)]
    for number, lead in enumerate(leads):
        at = began + timedelta(minutes=number)
        Lead.objects.filter(pk=lead.pk).update(status_since=at, received_at=at)
    return leads


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def names(page: str) -> list[str]:
    return re.findall(r'<a href="/leads/lead_\w+\?[^"]*">([^<]+)</a>', page)


def link(page: str, rel: str) -> str:
    [found] = re.findall(rf'href="([^"]+)" rel="{rel}"', page)
    return str(found).replace("&amp;", "&")


def walk(client: Client, path: str) -> Iterator[str]:
    while path:
        page = html(client, path)
        yield from names(page)
        path = "/leads" + link(page, "next") if 'rel="next"' in page else ""


def test_leads_are_filtered_by_who_has_them_their_tag_their_age_and_whether_they_wait(
    agency: Agency, owner: Client, me: Member, anna: Member
) -> None:
    source = agency.sources.create(provider="sendpilot", name="S")
    create_lead(agency, name="Mine", email="a@example.com", assigned_to=me.user, tags=["vip"])
    create_lead(agency, name="Hers", email="a@example.com", assigned_to=anna.user, status=LeadStatus.REPLY_RECEIVED)
    old = create_lead(agency, name="Old", email="a@example.com", source=source, status=LeadStatus.OPPORTUNITY)
    Lead.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=10))
    create_lead(agency, name="Test", email="a@example.com", is_test=True, status=LeadStatus.OPPORTUNITY)
    for query, found in (
        ("assigned_to=me", ["Mine"]),
        (f"assigned_to={anna.pk}", ["Hers"]),
        ("assigned_to=none", ["Test", "Old"]),
        ("tag=vip", ["Mine"]),
        ("tag=vi", []),
        ("age=7", ["Test", "Hers", "Mine"]),
        (f"source={source.pk}", ["Old"]),
        ("waiting=yes", ["Old", "Hers"]),
        ("waiting=yes&assigned_to=me", []),
        ("status=nonsense", ["Test", "Old", "Hers", "Mine"]),
    ):
        assert names(html(owner, f"/leads?{query}")) == found, query


@pytest.mark.parametrize("sort", ["", "sort=-status_since", "sort=received"])
def test_a_sorted_list_is_read_to_its_end_by_key(agency: Agency, owner: Client, sort: str) -> None:
    make_leads(agency, 110)
    expected = [f"L{number}" for number in range(110)]
    seen = list(walk(owner, f"/leads?{sort}"))
    assert seen == (expected if sort == "sort=received" else expected[::-1])
    assert 'class="list-count"><strong>110</strong> leads' in html(owner, f"/leads?{sort}")


@pytest.mark.parametrize("sort", ["due", "-due"])
def test_what_is_to_be_answered_is_read_to_its_end_in_the_order_in_which_it_is_due(
    agency: Agency, owner: Client, sort: str
) -> None:
    leads = make_leads(agency, 70)
    began = timezone.now()
    for number, lead in enumerate(leads[::-1]):
        due_at = began + timedelta(seconds=number // 2)  # two at a time
        Lead.objects.filter(pk=lead.pk).update(response_warn_at=began, response_due_at=due_at)
    make_leads(agency, 3)
    by_due = sorted(Lead.objects.exclude(response_due_at=None), key=lambda lead: (lead.response_due_at, lead.pk))
    expected = [lead.name for lead in by_due]
    assert list(walk(owner, f"/leads?clock=open&sort={sort}")) == (expected if sort == "due" else expected[::-1])


def test_what_awaits_a_reply_stands_oldest_first_with_its_text_and_its_owner(
    agency: Agency, owner: Client, anna: Member
) -> None:
    first, second = make_leads(agency, 2, status=LeadStatus.REPLY_RECEIVED, assigned_to=anna.user)
    LeadChange.objects.filter(lead=first).update(text="When can we talk?")
    page = html(owner, "/leads?waiting=yes&sort=status_since")
    assert names(page) == [first.name, second.name]
    assert "When can we talk?" in page
    assert "Anna Berg" in page
    assert 'aria-current="page">Awaiting reply <span class="badge">2</span>' in page


def test_a_member_saves_a_list_as_a_tab_of_their_own(agency: Agency, owner: Client, sign_in: Browser) -> None:
    make_leads(agency, 1, status=LeadStatus.DONE)
    query = "status=DONE&q=ada&before=x"
    answer = owner.post("/leads/filters", {"name": "Closed", "query": query})
    assert answer["Location"] == "/leads?status=DONE"
    page = html(owner, "/leads?status=DONE")
    assert 'aria-current="page">Closed' in page
    assert "Closed" not in html(sign_in(Role.MANAGER), "/leads")
    saved = SavedFilter.objects.get()
    assert sign_in(Role.MANAGER).post(f"/leads/filters/{saved.pk}/remove").status_code == 404
    owner.post(f"/leads/filters/{saved.pk}/remove")
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(("name", "query"), [("", "status=DONE"), ("All", "")])
def test_a_saved_filter_has_a_name_and_filters(agency: Agency, owner: Client, name: str, query: str) -> None:
    owner.post("/leads/filters", {"name": name, "query": query})
    assert not SavedFilter.objects.exists()


def test_ticked_leads_are_assigned_at_once(agency: Agency, stranger: Agency, owner: Client, anna: Member) -> None:
    ours, theirs = make_leads(agency, 3), make_leads(stranger, 1)
    data = {"lead": [lead.pk for lead in (*ours[:2], *theirs)], "assignee": anna.pk, "next": "/leads?status=PENDING"}
    answer = owner.post("/leads/bulk", data, follow=True)
    assert answer.redirect_chain == [("/leads?status=PENDING", 302)]
    assert "Assign to Anna Berg: 2 leads changed." in answer.content.decode()
    assert set(Lead.objects.filter(assigned_to=anna.user)) == set(ours[:2])
    assert Event.objects.filter(event_type=EventType.LEAD_ASSIGNED).count() == 2
    again = owner.post("/leads/bulk", data, follow=True)
    assert "0 leads changed." in again.content.decode()


def test_only_active_members_of_the_agency_are_offered_and_taken(
    agency: Agency, stranger: Agency, owner: Client, anna: Member
) -> None:
    [lead] = make_leads(agency, 1)
    zed = Member.objects.create(agency=stranger, user=User.objects.create_user("zed"), role=Role.OWNER)
    User.objects.filter(pk=anna.user_id).update(is_active=False)
    assert "Anna" not in html(owner, f"/leads/{lead.pk}").partition("<main")[2]
    for assignee in (zed.pk, anna.pk, "nonsense", "\x00"):
        owner.post(f"/leads/{lead.pk}/assign", {"assignee": assignee})
        owner.post("/leads/bulk", {"lead": lead.pk, "assignee": assignee})
        lead.refresh_from_db()
        assert lead.assigned_to is None, assignee


def test_all_that_match_are_changed_in_batches_after_a_question(
    agency: Agency, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    make_leads(agency, 5)
    other = create_lead(agency, name="Other", email="o@example.com", status=LeadStatus.OPPORTUNITY)
    data = {"all": "yes", "query": "status=PENDING", "status": "DONE", "next": "/leads"}
    asked = owner.post("/leads/bulk", data).content.decode()
    assert "Change 5 leads" in asked
    assert not Lead.objects.filter(status=LeadStatus.DONE).exists()
    steps = []
    data |= {"confirmed": "yes"}
    for _ in range(3):
        answer = owner.post("/leads/bulk", data, headers={"HX-Request": "true"})
        fields = re.findall(r'name="(after|done|changed|total)" value="([^"]*)"', answer.content.decode())
        data |= dict(fields)
        steps.append(data.get("done") if fields else answer["HX-Redirect"])
    assert steps == ["2", "4", "/leads"]
    assert Lead.objects.filter(status=LeadStatus.DONE).count() == 5
    other.refresh_from_db()
    assert other.status == LeadStatus.OPPORTUNITY
    assert "5 leads changed." in owner.get("/leads").content.decode()


def test_nothing_is_changed_without_a_choice(agency: Agency, owner: Client) -> None:
    [lead] = make_leads(agency, 1)
    for data in ({"lead": lead.pk}, {"assignee": "none"}, {"lead": lead.pk, "status": "RICH"}):
        answer = owner.post("/leads/bulk", data, follow=True)
        assert "toast-error" in answer.content.decode(), data


def test_a_lead_is_assigned_on_its_page_and_the_history_says_by_whom(
    agency: Agency, owner: Client, me: Member, anna: Member
) -> None:
    [lead] = make_leads(agency, 1)
    User.objects.filter(pk=me.user_id).update(first_name="Olive", last_name="Owner")
    owner.post(f"/leads/{lead.pk}/assign", {"assignee": anna.pk, "next": f"/leads/{lead.pk}?in=x"})
    page = html(owner, f"/leads/{lead.pk}")
    assert "<strong>Assigned to Anna Berg</strong>" in page
    assert "by Olive Owner" in page
    owner.post(f"/leads/{lead.pk}/assign", {"assignee": "none"})
    assert "Assigned to nobody" in html(owner, f"/leads/{lead.pk}")
    notes = LeadChange.objects.filter(lead=lead, is_report=False).order_by("pk").values_list("note", "changed_by")
    assert list(notes) == [("Assigned to Anna Berg.", ChangedBy.USER), ("Unassigned.", ChangedBy.USER)]
    anna.user.delete()
    assert "Assigned to a former member" in html(owner, f"/leads/{lead.pk}")


def test_one_goes_through_the_list_one_came_from(agency: Agency, owner: Client) -> None:
    make_leads(agency, 3, status=LeadStatus.REPLY_RECEIVED)
    listed = html(owner, "/leads?waiting=yes&sort=status_since")
    paths = [path.replace("&amp;", "&") for path in re.findall(r'<a href="(/leads/lead_[^"]+)">', listed)]
    middle = html(owner, paths[1])
    assert (link(middle, "prev"), link(middle, "next")) == (paths[0], paths[2])
    assert 'rel="prev"' not in html(owner, paths[0])
    assert 'href="/leads?waiting=yes&amp;sort=status_since">Leads' in middle
    first = Lead.objects.get(name="L0")
    set_status(first, status=LeadStatus.DONE, changed_by=ChangedBy.USER)
    assert link(html(owner, paths[0]), "next") == paths[1]
    assert 'rel="next"' not in html(owner, f"/leads/{first.pk}")


def test_a_contact_field_says_where_its_value_came_from(agency: Agency, owner: Client) -> None:
    lead = create_lead(agency, name="Ada", email="ada@example.com", company="Example")
    Lead.objects.filter(pk=lead.pk).update(provenance={"email": "person", "company": "provider"})
    lead.references.create(agency=agency, provider="sendpilot", external_id="1", status_since=timezone.now())
    page = html(owner, f"/leads/{lead.pk}")
    assert re.search(r"ada@example.com\s*<span class=\"soft\">set via API", page)
    assert re.search(r"Example\s*<span class=\"soft\">from SendPilot", page)


def test_a_reader_can_neither_tick_nor_assign(agency: Agency, sign_in: Browser) -> None:
    [lead] = make_leads(agency, 1)
    reader = sign_in(Role.READ_ONLY)
    assert 'class="form-check-input pick"' not in html(reader, "/leads")
    assert "Assign to" not in html(reader, f"/leads/{lead.pk}")
