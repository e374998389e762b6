"""Target lists over the API."""

from tests.api.client import Api


def test_a_list_is_made_of_a_csv_file_used_in_a_rule_replaced_and_deleted(api: Api) -> None:
    made = api.post("target-lists", {"name": "Key accounts", "csv": "Company;Domain\nAcme GmbH;acme.example.com\n;x\n"})
    assert made.status_code == 201
    body = made.json()
    assert {name: value for name, value in body.items() if not name.endswith("_at") and name != "id"} == {
        "name": "Key accounts",
        "companies": 1,
        "domains": 1,
        "duplicates": 0,
        "refused_count": 1,
        "refused": [{"row": 3, "value": "x", "reason": "no_domain"}],
    }
    asks = {"field": "target_list", "op": "on_list", "value": body["id"]}
    rule = api.post("scoring-rules", {"name": "Wanted", "group": "fit", "points": 30, "conditions": asks}).json()
    assert rule["sentence"] == "The target lists include “Key accounts”"
    path = f"target-lists/{body['id']}"
    assert api.patch(path, {"csv": "Globex"}).json()["domains"] == 0
    refused = api.delete(path)
    assert (refused.status_code, "Wanted" in refused.text) == (400, True)
    assert api.delete(f"scoring-rules/{rule['id']}").status_code == 204
    assert api.delete(path).status_code == 204
    assert api.get("target-lists").json()["results"] == []


def test_a_file_or_a_list_that_cannot_be_is_a_400_that_names_the_field(api: Api) -> None:
    for body, field in (({"name": "Empty", "csv": "\n"}, "csv"), ({"csv": "Acme"}, "name"), ({"name": "None"}, "csv")):
        answer = api.post("target-lists", body)
        assert (answer.status_code, field in answer.text) == (400, True), answer.text
    asks = {"field": "target_list", "op": "on_list", "value": ["list_0"]}
    answer = api.post("scoring-rules", {"name": "Wanted", "group": "fit", "points": 30, "conditions": asks})
    assert (answer.status_code, "value: There is no target list" in answer.text) == (400, True)
