"""Pools, members and assignments over the API."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import Agency, AuditEntry
from leads.models import Credit, Lead, Pool
from leads.pipeline.changes import create_lead
from tests.api.client import Api
from tests.leads.routing.teams import make_member, make_pool, routed


def places(pool: dict[str, Any]) -> dict[str, tuple[float, int, float]]:
    return {one["member"]: (one["behind"], one["received"], one["expected"]) for one in pool["members"]}


def test_a_pool_is_made_deals_and_says_how_fair_it_is(api: Api, agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    members = [{"member": anna.pk, "weight": 3, "daily_cap": 20}, {"member": grace.pk}]
    made = api.post("pools", {"name": "Sales", "is_catch_all": True, "members": members})
    assert made.status_code == 201
    pool = made.json()
    assert (pool["kind"], pool["hold"], pool["overflow_minutes"]) == ("round_robin", False, 0)
    assert routed(create_lead(agency, email="ada@gmail.com")) == ["Anna"]
    shown = api.get(f"pools/{pool['id']}").json()
    assert places(shown) == {anna.pk: (-0.25, 1, 0.75), grace.pk: (0.25, 0, 0.25)}
    credited = api.post(f"pools/{pool['id']}/credit", {"member": grace.pk, "leads": 1.5, "reason": "Was on a fair"})
    assert (credited.status_code, places(credited.json())[grace.pk]) == (202, (1.75, 0, 0.25))
    assert (Credit.objects.get().amount, Credit.objects.get().reason) == (1_500_000, "Was on a fair")
    kept = api.patch(f"pools/{pool['id']}", {"members": [{"member": grace.pk, "weight": 2}]}).json()
    assert places(kept) == {grace.pk: (1.75, 0, 0.25)}
    assert Credit.objects.latest("pk").amount == 250_000  # what Anna was ahead, written off
    actions = list(AuditEntry.objects.filter(object_type="pool").order_by("pk").values_list("action", flat=True))
    assert actions == ["Created", "Credit given", "Changed"]


def test_what_a_pool_cannot_be_is_a_400_that_names_the_field(api: Api, agency: Agency, stranger: Agency) -> None:
    anna, theirs = make_member(agency, "anna"), make_member(stranger, "grace")
    pool = make_pool(agency, anna)
    for body, field in (
        ({"name": "Sales"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "A", "kind": "random"}, "kind"),
        ({"name": "A", "members": [{"member": theirs.pk}]}, "members"),
        ({"name": "A", "members": [{"member": anna.pk}, {"member": anna.pk}]}, "members"),
        ({"name": "A", "members": [{"weight": 2}]}, "members"),
        ({"name": "A", "members": [{"member": anna.pk, "weight": 0}]}, "weight"),
        ({"name": "A", "overflow_pool": make_pool(stranger, theirs, name="Theirs").pk}, "overflow_pool"),
        ({"name": "A", "overflow_minutes": -1}, "overflow_minutes"),
    ):
        answer = api.post("pools", body)
        assert (answer.status_code, field in answer.text) == (400, True), body
        Pool.objects.filter(agency=stranger).delete()
    assert api.patch(f"pools/{pool.pk}", {"overflow_pool": pool.pk}).status_code == 400
    wrong: list[dict[str, Any]] = [{"leads": 0, "reason": "x"}, {"leads": 1}, {"leads": 101, "reason": "x"}]
    for credit in wrong:
        assert api.post(f"pools/{pool.pk}/credit", {"member": anna.pk, **credit}).status_code == 400
    assert api.post(f"pools/{pool.pk}/credit", {"leads": 1, "reason": "x"}).status_code == 400


def test_there_is_one_catch_all_pool_and_a_deleted_one_leaves_its_assignments(api: Api, agency: Agency) -> None:
    first = make_pool(agency, make_member(agency, "anna"), is_catch_all=True)
    lead = create_lead(agency, email="ada@gmail.com")
    routed(lead)
    second = api.post("pools", {"name": "Second", "is_catch_all": True}).json()
    assert list(agency.pools.filter(is_catch_all=True).values_list("pk", flat=True)) == [second["id"]]
    assert api.delete(f"pools/{first.pk}").status_code == 204
    [row] = api.get(f"leads/{lead.pk}/assignments").json()["results"]
    assert (row["pool"], row["reason"]) == (None, "catch_all")


def test_a_lead_is_assigned_to_a_member_or_dealt_by_a_pool(api: Api, agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace)
    lead = create_lead(agency, email="ada@gmail.com")
    path = f"leads/{lead.pk}/assign"
    assert api.post(path, {"member": anna.pk}).json()["assigned_to"] == anna.pk
    answer = api.post(path, {"pool": pool.pk})
    assert (answer.status_code, answer.json()["assigned_to"]) == (202, grace.pk)
    newest, oldest = api.get(f"leads/{lead.pk}/assignments").json()["results"]
    assert (newest["member"], newest["pool"], newest["reason"]) == (grace.pk, pool.pk, "pool")
    assert newest["passed_over"] == [{"member": anna.pk, "why": "gave_back"}]
    assert (oldest["member"], oldest["reason"], oldest["ended_at"] is None) == (anna.pk, "api", False)
    assert newest["sentence"] == "given to the pool “Sales” by the API"
    for body in ({}, {"member": anna.pk, "pool": pool.pk}, {"member": "mbr_other"}):
        assert api.post(path, body).status_code == 400


def test_leads_are_found_by_who_has_them_and_by_the_pool_that_dealt_or_holds_them(api: Api, agency: Agency) -> None:
    anna = make_member(agency, "anna")
    pool = make_pool(agency, anna, hold=True)
    dealt, mine, nobodys = (create_lead(agency, email=f"{name}@gmail.com") for name in ("a", "b", "c"))
    api.post(f"leads/{dealt.pk}/assign", {"pool": pool.pk})
    anna.user.is_active = False
    anna.user.save()
    held = create_lead(agency, email="d@gmail.com")
    api.post(f"leads/{held.pk}/assign", {"pool": pool.pk})
    Lead.objects.filter(pk=mine.pk).update(assigned_to=anna.user)

    def found(**query: str) -> set[str]:
        return {row["id"] for row in api.get("leads", query).json()["results"]}

    assert found(assigned_to=anna.pk) == {dealt.pk, mine.pk}
    assert found(assigned_to="none") == {nobodys.pk, held.pk}
    assert found(pool=pool.pk) == {dealt.pk, held.pk}
    assert found(assigned_to="me") == set()


def test_after_a_merge_a_lead_is_found_by_the_pool_of_its_owner(api: Api, agency: Agency) -> None:
    owners = {}
    for name in ("anna", "ben"):
        pool = make_pool(agency, make_member(agency, name), name=name)
        lead = create_lead(agency, email=f"{name}@example.com")
        api.post(f"leads/{lead.pk}/assign", {"pool": pool.pk})
        owners[lead.pk] = pool.pk
    one, other = owners
    root = api.post(f"leads/{one}/merge", {"other": other}).json()["id"]

    def found_by_pool() -> list[set[str]]:
        return [{row["id"] for row in api.get("leads", {"pool": pool}).json()["results"]} for pool in owners.values()]

    assert found_by_pool() == [{root} if lead == root else set() for lead in owners]
    api.post(f"leads/{root}/unmerge", {"record": other if root == one else one})
    assert found_by_pool() == [{lead} for lead in owners]


def test_members_are_read_and_say_when_they_work_and_what_they_are_mailed(api: Api, agency: Agency) -> None:
    anna = make_member(agency, "anna")
    calendar = api.post("calendars", {"name": "Office"}).json()["id"]
    shown = api.get(f"members/{anna.pk}").json()
    assert (shown["name"], shown["role"], shown["paused_until"], shown["last_seen_at"]) == (
        *("Anna", "manager"),
        *(None, None),
    )
    assert shown["alerts"] == {"assigned": True, "due_soon": True, "digest": False, "working_hours": False}
    changes = {"name": "Anna Smith", "calendar": calendar, "paused_until": "2199-01-01T00:00:00.000Z"}
    changed = api.patch(f"members/{anna.pk}", changes | {"alerts": {"assigned": False}}).json()
    assert {name: changed[name] for name in changes} == changes
    assert changed["alerts"] == {"assigned": False, "due_soon": True, "digest": False, "working_hours": False}
    anna.refresh_from_db()
    assert anna.paused_until == datetime(2199, 1, 1, tzinfo=UTC)
    assert api.patch(f"members/{anna.pk}", {"paused_until": None}).json()["paused_until"] is None
    for body in ({"alerts": {"noise": True}}, {"alerts": {"digest": "yes"}}, {"role": "owner"}, {"calendar": "cal_1"}):
        assert api.patch(f"members/{anna.pk}", body).status_code == 400
