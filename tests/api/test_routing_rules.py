"""Routing rules over the API: an effect in one object, versions, a preview of what is not saved."""

from accounts.models import Agency
from tests.api.client import Api
from tests.leads.routing.teams import make_member, make_pool

VP = {"field": "seniority", "op": "equals", "value": "vp"}


def test_a_rule_is_made_changed_previewed_and_rolled_back(api: Api, agency: Agency) -> None:
    anna = make_member(agency, "anna")
    pool = make_pool(agency, anna)
    effect = {"member": anna.pk, "tags": ["hot"], "target_minutes": 10}
    made = api.post("routing-rules", {"name": "VPs", "conditions": VP, "effect": effect})
    assert made.status_code == 201
    rule = made.json()
    assert rule["effect"] == {**effect, "pool": None, "keep": False, "channels": []}
    assert (rule["position"], rule["active"], rule["sentence"]) == (1, True, "The seniority is vice president")
    changed = api.patch(f"routing-rules/{rule['id']}", {"effect": {"pool": pool.pk}}).json()
    assert changed["effect"] == {
        "member": None,
        "pool": pool.pk,
        "keep": False,
        "tags": [],
        "target_minutes": None,
        "channels": [],
    }
    kept = api.patch(f"routing-rules/{rule['id']}", {"name": "All VPs"}).json()
    assert (kept["name"], kept["effect"]) == ("All VPs", changed["effect"])
    draft = {"name": "Draft", "conditions": VP, "effect": {"pool": pool.pk}}
    shown = api.post("routing-rules/preview", {"days": 90, "rules": [draft]}).json()
    assert (shown["days"], shown["outcome"]["unrouted"]) == (90, 0)
    assert api.post("routing-rules/rollback", {"version": 1}).status_code == 200
    assert api.get(f"routing-rules/{rule['id']}").json()["effect"]["member"] == anna.pk


def test_an_effect_leads_to_exactly_one_place(api: Api, agency: Agency) -> None:
    anna = make_member(agency, "anna")
    pool = make_pool(agency, anna)
    for effect in ({}, {"member": anna.pk, "pool": pool.pk}, {"keep": False}, {"member": "mbr_1"}, {"colour": "red"}):
        answer = api.post("routing-rules", {"name": "A", "effect": effect})
        assert answer.status_code == 400, effect
    assert api.post("routing-rules", {"name": "A"}).status_code == 400
    assert api.get("routing-rules").json()["results"] == []
