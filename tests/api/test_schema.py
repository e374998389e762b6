"""OpenAPI: complete, current, without warnings; and the page for people."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from tests.api.client import Api
from tests.api.routes import ACTIONS, CREATIONS, LISTS, OBJECT_ROUTES, OF_LEADS, PROPOSALS, REPORTS, SINGLE
from tests.cases import one_by_one
from tests.factories import World

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def document() -> Any:
    answer = Client().get("/api/v1/schema")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return answer.json()


def test_the_description_is_valid_and_the_one_in_docs_is_current(tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", "--file", str(target))
    stored = settings.BASE_DIR / "docs" / "openapi.json"
    assert target.read_text() == stored.read_text(), (
        "docs/openapi.json is out of date: manage.py spectacular --format openapi-json --file docs/openapi.json"
    )


def test_every_route_is_described_and_nothing_else(document: Any) -> None:
    described = {(method, path) for path, operations in document["paths"].items() for method in operations}
    routes = {("get", f"/api/v1/{name}") for name in (*LISTS, *REPORTS, *SINGLE, *PROPOSALS)}
    routes |= {("post", f"/api/v1/{name}") for name in (*(name for name, _, _ in CREATIONS), *OF_LEADS, *ACTIONS)}
    routes |= {(method, f"/api/v1/{resource}/{{id}}{rest}") for method, resource, rest, _, _ in OBJECT_ROUTES}
    assert described == routes


def test_every_operation_tells_its_scope_its_errors_and_its_headers(document: Any) -> None:
    scopes = {(method, f"/api/v1/{resource}/{{id}}{rest}"): scope for method, resource, rest, scope, _ in OBJECT_ROUTES}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["security"] == [{"apiKey": []}]
            assert (
                f"Scope: `{scopes.get((method, path), operation['description'].split('`')[-2])}`"
                in operation["description"]
            )
            assert {"400", "401", "403", "429"} <= set(operation["responses"])
            names = [parameter["name"] for parameter in operation.get("parameters", [])]
            assert ("Idempotency-Key" in names) == (method == "post")
            for status, response in operation["responses"].items():
                assert "X-Request-ID" in response["headers"]
                if status >= "400":
                    assert list(response["content"]) == ["application/problem+json"]


def test_secrets_are_never_described_as_readable_where_they_are_not(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert "secret" not in schemas["Source"]["properties"]
    assert "credentials" not in schemas["Source"]["properties"]
    assert "secret" in schemas["SourceWithSecret"]["properties"]


@one_by_one("resource", LISTS)
def test_answers_have_the_described_fields(resource: str, document: Any, world: World, api: Api) -> None:
    if resource == "channels":
        return
    schema = document["paths"][f"/api/v1/{resource}"]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    page = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    row = document["components"]["schemas"][page["properties"]["results"]["items"]["$ref"].rpartition("/")[2]]
    assert set(api.get(resource).json()["results"][0]) == set(row["properties"])


def test_the_page_for_people_runs_no_inline_script(api: Api) -> None:
    answer = Client().get("/api/v1/docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") == 4  # of the frame, and the two below
    assert "/api/v1/schema" in page
    for name in ("leadline/api-docs.js", "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"):
        assert f"/static/{name}" in page
        assert finders.find(name)
    assert "unsafe" not in answer["Content-Security-Policy"]


def test_nobody_needs_a_key_to_read_the_description() -> None:
    assert Api("").get("schema").status_code == 200
    assert Api("").get("docs").status_code == 200
    assert Api("").post("schema").status_code == 405


def test_every_operation_has_a_summary_of_its_own_in_a_few_words(document: Any) -> None:
    summaries = [operation["summary"] for operations in document["paths"].values() for operation in operations.values()]
    assert [summary for summary in summaries if not 8 <= len(summary) <= 70 or summary[-1] in ".,:"] == []
    assert len({*summaries}) == len(summaries)
