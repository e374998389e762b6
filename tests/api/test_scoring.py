"""Scoring rules over the API, and the score of a lead."""

from tests.api.client import Api
from tests.reactions import react

VP = {"field": "seniority", "op": "equals", "value": "vp"}


def test_rules_are_made_previewed_changed_and_rolled_back(api: Api) -> None:
    made = api.post("scoring-rules", {"name": "VPs", "conditions": VP, "group": "fit", "points": 30})
    assert made.status_code == 201
    rule = made.json()
    assert rule == {
        "id": rule["id"],
        "name": "VPs",
        "position": 1,
        "active": True,
        "conditions": VP,
        "sentence": "The seniority is vice president",
        "disabled_reason": None,
        "version": 1,
        "group": "fit",
        "points": 30,
        "cap": None,
    }
    api.post("leads", {"email": "ada@example.com", "title": "VP Sales"})
    draft = {"name": "VPs", "conditions": VP, "group": "fit", "points": 50}
    preview = api.post("scoring-rules/preview", {"days": 90, "rules": [draft]}).json()
    assert (preview["leads"], preview["rules"]) == (1, [{"name": "VPs", "matched": 1, "undecided": 0}])
    assert preview["outcome"]["grades"] == {"A3": 1}
    path = f"scoring-rules/{rule['id']}"
    assert api.patch(path, {"points": -5, "active": False}).json()["version"] == 2
    assert api.delete(path).status_code == 204
    rolled = api.post("scoring-rules/rollback", {"version": 1}).json()
    assert (rolled["version"], rolled["change"]) == (4, "Went back to version 1")
    assert [(row["points"], row["active"]) for row in api.get("scoring-rules").json()["results"]] == [(30, True)]
    versions = api.get("scoring-rules/versions").json()["results"]
    assert [row["version"] for row in versions] == [4, 3, 2, 1]


def test_what_is_wrong_with_a_rule_is_named(api: Api) -> None:
    good = {"name": "VPs", "group": "fit", "points": 30}
    for change, field in (
        ({"conditions": {"field": "revenue", "op": "exists"}}, "conditions"),
        ({"group": "luck"}, "group"),
        ({"points": 101}, "points"),
        ({"cap": 0}, "cap"),
        ({"position": 7}, "position"),
    ):
        answer = api.post("scoring-rules", {**good, **change})
        assert (answer.status_code, field in answer.text) == (400, True), answer.text
    answer = api.post("scoring-rules/preview", {"rules": [{"group": "luck"}]})
    assert (answer.status_code, "group" in answer.text) == (400, True)
    assert api.post("scoring-rules/rollback", {"version": 9}).status_code == 400
    assert api.get("scoring-rules").json()["results"] == []


def test_a_lead_says_what_its_score_is_made_of_and_lists_filter_by_it(api: Api) -> None:
    api.post("scoring-rules", {"name": "VPs", "conditions": VP, "group": "fit", "points": 50})
    lead = api.post("leads", {"email": "ada@example.com", "title": "VP Sales"}).json()
    assert api.get(f"leads/{lead['id']}/score").status_code == 404
    react()
    score = api.get(f"leads/{lead['id']}/score").json()
    assert (score["total"], score["fit"], score["engagement"], score["grade"]) == (50, 50, 0, "A3")
    assert [(one["why"], one["points"]) for one in score["contributions"]] == [("VPs", 50)]
    for query, found in (({"grade": "A3"}, 1), ({"grade": "B1"}, 0), ({"score_min": 50}, 1), ({"score_min": 51}, 0)):
        assert len(api.get("leads", query).json()["results"]) == found
    assert api.get("leads", {"score_min": "many"}).status_code == 400
