"""A client of the REST API."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.core.enums import Scope
from accounts.models import Agency
from accounts.tenancy.api_keys import create_api_key
from tests.answers import Answer

BASE = "/api/v1"


SHARED = Client(raise_request_exception=False)  # loading the middleware anew for every test is what costs


@dataclass
class Api:
    """A client of the REST API with one key."""

    key: str
    client: Client = SHARED

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Answer:
        return self.send("get", path, query or {}, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("post", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self.send("patch", path, body, **headers)

    def delete(self, path: str) -> Answer:
        return self.send("delete", path)

    def send(self, method: str, path: str, data: Any = None, **headers: str) -> Answer:
        """`data` is the query of a GET, else the body: JSON is made of it unless it is bytes."""
        url = path if path.startswith(("/", "http")) else f"{BASE}/{path}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        options: dict[str, Any] = {"headers": headers}
        if method in ("get", "head", "options"):
            return getattr(self.client, method)(url, data or {}, **options)
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        content_type = headers.pop("Content-Type", "application/json")
        return getattr(self.client, method)(url, body, content_type=content_type, **options)


def api_with(agency: Agency, *scopes: Scope) -> Api:
    return Api(create_api_key(agency, scopes=scopes)[1])
