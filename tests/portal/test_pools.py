"""Pools, unrouted leads, and why somebody has a lead, on their pages."""

import pytest
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency
from leads.models import Assignment, Credit, Pool, RoutingRule, RoutingSettings, WaitingLead
from leads.pipeline.changes import create_lead
from leads.rules.preview_jobs import preview_due
from tests.leads.routing.teams import make_member, make_pool, owner_of, place_of, routed
from tests.portal.browser import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


def text_of(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def test_a_manager_makes_a_pool_and_its_page_says_how_fair_the_turns_were(agency: Agency, manager: Client) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    form = {"name": "Enterprise", "kind": "round_robin", "is_catch_all": "on"}
    places = {f"in_{anna.pk}": "on", f"weight_{anna.pk}": "3", f"in_{grace.pk}": "on", f"daily_cap_{grace.pk}": "5"}
    made = manager.post("/pools/new", form | places)
    assert made.status_code == 302
    pool = agency.pools.get()
    assert [(place.member, place.weight, place.daily_cap) for place in pool.members.order_by("pk")] == [
        (anna, 3, None),
        (grace, 1, 5),
    ]
    routed(create_lead(agency, name="Ada", email="ada@gmail.com"))
    page = text_of(manager, f"/pools/{pool.pk}")
    assert "0.2 leads ahead" in page or "0.3 leads ahead" in page
    assert "Takes leads" in page
    changed = manager.post(f"/pools/{pool.pk}/change", form | {"name": "Big", f"in_{grace.pk}": "on"})
    assert (changed.status_code, Pool.objects.get().name, Pool.objects.get().members.count()) == (302, "Big", 1)
    assert manager.post(f"/pools/{pool.pk}/change", form | {"name": ""}).status_code == 422


def test_a_credit_stands_on_the_page_with_its_reason(agency: Agency, manager: Client) -> None:
    anna = make_member(agency, "anna")
    pool = make_pool(agency, anna)
    manager.post(f"/pools/{pool.pk}/credit", {"member": anna.pk, "leads": "1.5", "reason": "Was at the fair"})
    assert (place_of(pool, anna).behind, Credit.objects.get().by is None) == (1_500_000, False)
    page = text_of(manager, f"/pools/{pool.pk}")
    assert "Was at the fair" in page
    assert "1.5 leads behind" in page
    manager.post(f"/pools/{pool.pk}/credit", {"member": anna.pk, "leads": "x", "reason": "Was at the fair"})
    assert Credit.objects.count() == 1


def test_an_unrouted_lead_is_assigned_with_one_click_or_dealt_by_a_pool(agency: Agency, manager: Client) -> None:
    anna = make_member(agency, "anna")
    pool = make_pool(agency, anna, name="Later")
    one, other = (create_lead(agency, name=name, email=f"{name}@gmail.com") for name in ("Ada", "Bea"))
    assert routed(one, other) == ["", ""]
    page = text_of(manager, "/leads/unrouted")
    assert "Ada" in page
    assert "Bea" in page
    manager.post("/leads/unrouted/assign", {"lead": one.pk, "assignee": anna.pk})
    manager.post("/leads/unrouted/assign", {"lead": other.pk, "pool": pool.pk})
    assert (owner_of(one), owner_of(other), WaitingLead.objects.count()) == ("Anna", "Anna", 0)
    for wrong in ({"lead": one.pk}, {"lead": one.pk, "pool": "pool_other"}, {"assignee": anna.pk}):
        assert manager.post("/leads/unrouted/assign", wrong).status_code == 302
    assert Assignment.objects.count() == 2
    assert "Every lead has an owner" in text_of(manager, "/leads/unrouted")


def test_a_leads_page_says_why_its_owner_has_it_and_why_nobody_else(agency: Agency, manager: Client) -> None:
    make_pool(agency, make_member(agency, "anna"), make_member(agency, "grace", role=Role.READ_ONLY), is_catch_all=True)
    lead = create_lead(agency, name="Ada", email="ada@gmail.com")
    assert routed(lead) == ["Anna"]
    page = text_of(manager, f"/leads/{lead.pk}")
    assert "no rule applied: pool “Sales”" in page
    assert "Grace may only read" in page


def test_a_lead_that_waits_says_so_and_a_pool_can_be_asked_from_its_page(agency: Agency, manager: Client) -> None:
    anna = make_member(agency, "anna")
    pool = make_pool(agency, anna, hold=True)
    lead = create_lead(agency, name="Ada", email="ada@gmail.com", assigned_to=anna.user)
    answer = manager.post(f"/leads/{lead.pk}/assign", {"pool": pool.pk}, follow=True).content.decode()
    assert "Ada waits: nobody of “Sales” can take it now." in answer
    assert "Waits in the pool “Sales” until somebody can take it." in answer
    assert owner_of(lead) == ""


def test_a_manager_makes_a_routing_rule_and_sees_what_it_would_have_done(agency: Agency, manager: Client) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace)
    for number in range(4):
        create_lead(agency, title="VP Sales", email=f"{number}@gmail.com", assigned_to=anna.user)
    conditions = '{"field": "seniority", "op": "equals", "value": "vp"}'
    form = {"name": "VPs", "active": "on", "conditions": conditions, "target": f"pool:{pool.pk}", "tags": "hot, new"}
    assert manager.post("/rules/routing/new", {**form, "target": "pool:other"}).status_code == 422
    assert manager.post("/rules/routing/new", form).status_code == 302
    rule = RoutingRule.objects.get()
    assert (rule.pool, rule.tags, rule.keeps, rule.member) == (pool, ["hot", "new"], False, None)
    page = text_of(manager, "/routing")
    assert "to the pool “Sales”, tagged hot, new" in page
    assert "There is no catch-all pool" in page
    manager.post(f"/rules/routing/{rule.pk}", {**form, "target": f"member:{grace.pk}", "target_minutes": "5"})
    rule.refresh_from_db()
    assert (rule.member, rule.pool, rule.target_minutes) == (grace, None, 5)
    asked = manager.post("/rules/routing/preview", {"days": "30"})
    preview_due()
    shown = text_of(manager, asked["Location"].partition("#")[0])
    assert "Who would have got how many" in shown
    assert "What changes for whom" in shown


def test_the_owner_of_the_same_company_is_an_option_of_the_routing_page(agency: Agency, manager: Client) -> None:
    manager.post("/routing/options", {"company_days": "30"})
    stored = RoutingSettings.objects.get()
    assert (stored.same_company, stored.company_days) == (False, 30)
    manager.post("/routing/options", {"same_company": "on", "company_days": "0"})
    stored.refresh_from_db()
    assert stored.same_company is False
