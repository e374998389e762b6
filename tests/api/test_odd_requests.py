"""Whatever a caller asks for, no route of the API fails: odd parameters, and bodies in pieces."""

import re
from collections.abc import Iterator
from itertools import cycle, islice, product
from typing import Any

import pytest

from tests.api.client import Api
from tests.api.routes import CREATIONS, HISTORIES, LISTS, OBJECT_ROUTES, REPORTS
from tests.cases import one_by_one
from tests.factories import World

#: Every name that some list can be ordered by, both ways, and some that none can.
NAMES = ("created_at", "updated_at", "received_at", "last_seen", "status_since", "pk", "id")
ORDERINGS = (*NAMES, *(f"-{name}" for name in NAMES), "", "-", "--x", "?", "-*")
ODD = (
    "",
    "0",
    "-1",
    "9" * 30,
    "x" * 3000,
    "null",
    "true",
    "[]",
    "é",
    "%",
    "2026-13-45",
    "1e9",
    "\u202e",
    "a,b",
    "[object]",
)


def lists_of(world: World) -> Iterator[str]:
    yield from LISTS
    yield from REPORTS
    for resource, rest in HISTORIES:
        yield f"{resource}/{world.ids[resource]}/{rest}"


def order_lists(api: Api, world: World, each: int) -> None:
    """Order each list in `each` of the ways, by turns."""
    orderings = cycle(ORDERINGS)
    for path in lists_of(world):
        for ordering in islice(orderings, each):
            assert api.get(path, {"ordering": ordering}).status_code in (200, 400), (path, ordering)


def test_no_list_fails_whatever_it_is_ordered_by(api: Api, world: World) -> None:
    order_lists(api, world, 6)


@pytest.mark.fault  # every ordering
def test_no_list_fails_whatever_each_is_ordered_by(api: Api, world: World, unlimited: None) -> None:
    order_lists(api, world, len(ORDERINGS))


def test_a_list_below_an_object_is_ordered_by_its_own(api: Api, world: World) -> None:
    for resource, rest in HISTORIES:
        path = f"{resource}/{world.ids[resource]}/{rest}"
        assert api.get(path, {"ordering": "-created_at"}).status_code == 200
        for other in ("updated_at", "-updated_at", "status_since"):
            assert api.get(path, {"ordering": other}).status_code == 400


def filter_lists(api: Api, world: World, each: int) -> None:
    """Give each parameter of each list `each` of the values, by turns."""
    values = cycle(ODD)
    paths = api.get("schema").json()["paths"]
    for path in lists_of(world):
        declared = paths[f"/api/v1/{re.sub('/[a-z]+_[0-9a-z]+', '/{id}', path)}"]["get"]
        names = [parameter["name"] for parameter in declared["parameters"] if parameter["in"] == "query"]
        assert "limit" in names or path in REPORTS
        for name in (*names, "agency"):
            for value in islice(values, each):
                assert api.get(path, {name: value}).status_code in (200, 400), (path, name, value)


def test_no_filter_fails_whatever_its_value(api: Api, world: World) -> None:
    filter_lists(api, world, 2)


@pytest.mark.fault  # every value
def test_no_filter_fails_whatever_the_value_of_each(api: Api, world: World, unlimited: None) -> None:
    filter_lists(api, world, len(ODD))


#: Bodies whose inner parts are there in pieces, or of another kind.
PIECES: list[Any] = [
    None,
    [],
    {},
    [{}],
    [None],
    [[]],
    "x",
    1,
    [{"x": 1}],
    {"x": {}},
    [{"lead_type": "SPONSORED"}],
    [{"owner": ""}],
]


def write_pieces(api: Api, world: World, each: int) -> None:
    """Send each field of each write with `each` of the pieces, by turns."""
    schema, pieces = api.get("schema").json(), cycle(PIECES)
    writes: list[Any] = [(method, resource, f"/{{id}}{rest}", {}) for method, resource, rest, *_ in OBJECT_ROUTES]
    writes += [("post", resource, "", good) for resource, _, good in CREATIONS]
    for method, resource, rest, good in writes:
        if method in ("post", "patch"):
            path = f"{resource}{rest}"
            for name in (*sorted(fields_of(schema, method, path)), "agency"):
                for piece in islice(pieces, each):
                    answer = api.send(method, path.replace("{id}", world.ids.get(resource, "")), {**good, name: piece})
                    assert answer.status_code < 429, (method, path, name, piece)


@pytest.mark.one_backend
def test_no_write_fails_whatever_is_missing_inside(api: Api, world: World) -> None:
    write_pieces(api, world, 2)


@pytest.mark.fault  # every piece
def test_no_write_fails_whatever_is_missing_anywhere(api: Api, world: World, unlimited: None) -> None:
    write_pieces(api, world, len(PIECES))


def fields_of(schema: dict[str, Any], method: str, path: str) -> set[str]:
    """The fields that a body may have there, as the OpenAPI document says."""
    content = schema["paths"][f"/api/v1/{path}"][method].get("requestBody", {"content": {}})["content"]
    return {name for kind in content.values() for name in properties(schema, kind["schema"])}


def properties(schema: dict[str, Any], shape: dict[str, Any]) -> Iterator[str]:
    if "$ref" in shape:
        shape = schema["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    yield from shape.get("properties", {})
    for part in (*shape.get("oneOf", ()), *shape.get("anyOf", ()), *shape.get("allOf", ())):
        yield from properties(schema, part)


@one_by_one("provider, piece", list(product(["welink", "linkedin"], PIECES)))
def test_a_nested_object_of_a_patch_is_checked_as_in_a_post(piece: Any, provider: str, api: Api, world: World) -> None:
    world.source.provider = provider
    world.source.save()
    for name in ("subscriptions", "credentials", "allowed_networks"):
        answer = api.patch(f"sources/{world.source.id}", {name: piece})
        assert answer.status_code in (200, 400), (name, piece)
    row = [{"lead_type": "SPONSORED"}]
    answer = api.patch(f"sources/{world.source.id}", {"subscriptions": row})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "subscriptions.0.owner"


def test_a_patch_keeps_the_credentials_that_it_does_not_name(api: Api, world: World) -> None:
    path = f"sources/{world.source.id}"
    assert api.patch(path, {"credentials": {"api_key": "a"}}).status_code == 200
    world.source.refresh_from_db()
    assert world.source.credentials == {"api_key": "a"}


def test_a_byte_order_mark_is_named(api: Api, world: World) -> None:
    answer = api.post("leads", b'\xef\xbb\xbf{"email": "a@example.com"}')
    assert answer.status_code == 400
    assert "byte order mark" in answer.json()["detail"]
