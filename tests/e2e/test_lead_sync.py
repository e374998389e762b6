"""From an empty agency: connect, subscribe, challenge, CREATED, fetch, lead complete, DELETED, gone."""

from typing import Any

import pytest

from config.demo.linkedin_api import StandIn
from config.demo.linkedin_api.forms import ACCOUNT, form
from config.demo.linkedin_api.world import Refusal
from tests.e2e.client import Client
from tests.e2e.stack import Run, change, wait_for


def test_a_lead_comes_and_goes(run: Run, linkedin: StandIn) -> None:
    api, world = Client(run, "Come & Go"), linkedin.world
    source = api.source(world, ACCOUNT)
    early = world.submit(submittedAt=world.now_ms() - 30 * 86_400_000)
    api.connect(source)

    asked = wait_for(lambda: [row for row in world.challenges if row["webhook"] == source["webhook_url"]])
    assert asked == [{"webhook": source["webhook_url"], "passed": True}]
    [account] = api("GET", "accounts?provider=linkedin")[1]["results"]
    assert (account["external_id"], account["status"]) == (world.member, "active")

    archived = wait_for(lambda: api("GET", f"leads?external_id={early['id']}")[1]["results"])
    assert [lead["email"] for lead in archived] == ["kevin@example.com"]

    response = world.submit()
    assert world.notify(response["id"]) == [200]
    by_id = f"leads?external_id={response['id']}"
    wait_for(lambda: [lead for lead in api("GET", by_id)[1]["results"] if not lead["details_pending"]])
    [lead] = api("GET", by_id)[1]["results"]
    assert (lead["name"], lead["phone"], lead["phone_e164"]) == ("Kevin Okafor", "(212) 555-0147", "+12125550147")
    assert (lead["status"], lead["lead_type"], lead["owner"]) == ("PENDING", "SPONSORED", ACCOUNT)
    types = [row["event_type"] for row in api("GET", "events?limit=200")[1]["results"] if row["subject"] == lead["id"]]
    assert types == ["lead_created"]

    assert world.notify(response["id"], "DELETED") == [200]
    wait_for(lambda: api("GET", f"leads/{lead['id']}")[0] == 404)
    assert api("GET", by_id)[1]["results"] == []
    assert world.notify(response["id"]) == [200]  # the notification of before, once more
    wait_for(lambda: all(row["status"] == "processed" for row in api("GET", "receipts")[1]["results"]))
    assert api("GET", by_id)[1]["results"] == []


@pytest.mark.fault  # which run on both back ends: real processes start once in the suite
def test_a_lead_comes_and_goes_with_every_back_end(run: Run, linkedin: StandIn) -> None:
    test_a_lead_comes_and_goes(run, linkedin)


@pytest.mark.fault
def test_a_day_with_a_form_that_is_not_shown_and_a_role_that_is_lost(run: Run, linkedin: StandIn) -> None:
    api, world, owner = Client(run, "Forms & Roles"), linkedin.world, "urn:li:sponsoredAccount:777"
    ours = {"sponsoredAccount": owner}
    world.account_roles[owner], world.forms[903] = "VIEWER", form(903)
    refusal = Refusal("leadForms", key="903")
    world.refusals.append(refusal)
    source = api.source(world, owner)
    api.connect(source)
    wait_for(lambda: [row for row in world.subscriptions.values() if row["owner"] == ours])

    def lead(response: dict[str, Any]) -> Any:
        found = api("GET", f"leads?external_id={response['id']}")[1]["results"]
        return found[0] if found and not found[0]["details_pending"] else None

    def health() -> Any:
        return api("GET", f"sources/{source['id']}")[1]["health"]

    forbidden, plain = world.submit(form=903, owner=ours), world.submit(owner=ours)
    assert [world.notify(response["id"]) for response in (forbidden, plain)] == [[200], [200]]
    assert wait_for(lambda: lead(plain))["email"] == "kevin@example.com"
    answers = wait_for(lambda: lead(forbidden))["answers"]
    assert ("90303", "kevin@example.com", None) in [(row["question_id"], row["value"], row["label"]) for row in answers]
    wait_for(lambda: "903" in health()["troubles"][0]["detail"] if health()["troubles"] else False)
    assert health()["status"] == "attention"

    del world.account_roles[owner]
    hidden = world.submit(owner=ours)  # without a notification
    pulled = run.checkout.manage("sync_leads", "--source", source["id"])
    assert (pulled["finished"], pulled["refused_forms"]) == (False, ["903"])
    wait_for(lambda: "has no role on the ad account 777" in health()["troubles"][0]["detail"])
    assert lead(hidden) is None

    world.account_roles[owner] = "VIEWER"
    world.refusals.remove(refusal)
    for table, key in {"refusedform": "sync_id", "leadsync": "source_id"}.items():
        due = f"UPDATE leads_{table} SET next_attempt_at = '2000-01-01' WHERE {key} = '{source['id']}'"
        change(run.checkout, due)
    assert wait_for(lambda: lead(hidden))["email"] == "kevin@example.com"
    wait_for(lambda: lead(forbidden)["email"] == "kevin@example.com")
    wait_for(lambda: health()["troubles"] == [])
