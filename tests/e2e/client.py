"""A program of an agency's, and the way it connects LinkedIn."""

import json
from typing import Any
from urllib.parse import urlsplit

from config.demo.linkedin_api.world import World
from tests.e2e.stack import Run, http

SECRET = "li-client-secret-example"


class Client:
    """Has an agency that is made for it; without a name it is one of the demo agency's."""

    def __init__(self, run: Run, name: str = "") -> None:
        made = run.checkout.manage("create_agency", name) if name else {"api_key": run.value("API key")}
        self.agency, self.url, self.key = made.get("agency_id"), run.checkout.url, made["api_key"]

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        content = None if body is None else json.dumps(body).encode()
        answer = http.request(method, f"{self.url}/api/v1/{path}", body=content, headers=headers)
        return answer.status, json.loads(answer.data) if answer.data else None

    def source(self, world: World, owner: str) -> dict[str, Any]:
        """A source that wants this owner's leads."""
        wanted = {"owner": owner, "lead_type": "SPONSORED", "form": None, "entity": None}
        status, source = self(
            "POST",
            "sources",
            {
                "provider": "linkedin", "name": "Ads", "secret": SECRET,
                "credentials": {"client_id": world.client_id}, "subscriptions": [wanted],
            },
        )  # fmt: skip
        assert (status, source["subscriptions"]) == (201, [wanted])
        return dict(source)

    def connect(self, source: dict[str, Any]) -> None:
        """As a person would: to LinkedIn's consent page and back."""
        status, link = self("POST", f"sources/{source['id']}/connect")
        assert status == 202
        consent = http.request("GET", link["authorize_url"], redirect=False)
        assert urlsplit(consent.headers["Location"]).path == "/oauth/linkedin/callback"
        assert http.request("GET", consent.headers["Location"]).status == 200
