"""From an empty agency: connect, subscribe, challenge, CREATED, fetch, lead complete, DELETED, gone."""

import pytest

from tests.e2e.client import Client
from tests.e2e.stack import Run, wait_for
from tests.linkedin_api import StandIn
from tests.linkedin_api.world import ACCOUNT


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
    told = [row["event_type"] for row in api("GET", "events?limit=200")[1]["results"] if row["subject"] == lead["id"]]
    assert told == ["lead_created"]

    assert world.notify(response["id"], "DELETED") == [200]
    wait_for(lambda: api("GET", f"leads/{lead['id']}")[0] == 404)
    assert api("GET", by_id)[1]["results"] == []
    assert world.notify(response["id"]) == [200]  # the notification of before, once more
    wait_for(lambda: all(row["status"] == "processed" for row in api("GET", "receipts")[1]["results"]))
    assert api("GET", by_id)[1]["results"] == []


@pytest.mark.fault  # which run on both back ends: real processes start once in the suite
def test_a_lead_comes_and_goes_with_every_back_end(run: Run, linkedin: StandIn) -> None:
    test_a_lead_comes_and_goes(run, linkedin)
