"""From an empty database: connect, subscribe, challenge, CREATED, fetch, lead complete, DELETED, gone."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.stack import Run, http, wait_for
from tests.linkedin_api import StandIn
from tests.linkedin_api.world import ACCOUNT

pytestmark = pytest.mark.xdist_group("e2e")
SECRET = "li-client-secret-example"


class Client:
    """A program of an agency's."""

    def __init__(self, run: Run) -> None:
        self.url, self.key = run.checkout.url, run.value("API key")

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        answer = http.request(method, f"{self.url}/api/v1/{path}", body=content, headers=headers)
        return answer.status, json.loads(answer.data) if answer.data else None


def test_a_lead_comes_and_goes(run: Run, linkedin: StandIn) -> None:
    api, world = Client(run), linkedin.world
    wanted = {"owner": ACCOUNT, "lead_type": "SPONSORED", "form": None, "entity": None}
    status, source = api(
        "POST",
        "sources",
        {
            "provider": "linkedin", "name": "Ads", "secret": SECRET, "credentials": {"client_id": world.client_id},
            "subscriptions": [wanted],
        },
    )  # fmt: skip
    assert (status, source["subscriptions"]) == (201, [wanted])
    early = world.submit(submittedAt=world.now_ms() - 30 * 86_400_000)

    status, link = api("POST", f"sources/{source['id']}/connect")
    assert status == 202
    consent = http.request("GET", link["authorize_url"], redirect=False)
    assert urlsplit(consent.headers["Location"]).path == "/oauth/linkedin/callback"
    assert http.request("GET", consent.headers["Location"]).status == 200

    wait_for(lambda: world.subscriptions)
    assert world.challenges == [{"webhook": source["webhook_url"], "passed": True}]
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
