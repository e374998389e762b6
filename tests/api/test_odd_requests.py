"""Whatever a caller asks for, no route of the API fails: odd parameters, and bodies in pieces."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Api, World
from tests.api.routes import CREATIONS, HISTORIES, LISTS, OBJECT_ROUTES, REPORTS

#: Every name that some list can be ordered by, and some that none can.
ORDERINGS = (
    "created_at",
    "updated_at",
    "received_at",
    "last_seen",
    "status_since",
    "pk",
    "id",
    "",
    "-",
    "--x",
    "?",
    "*",
)
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


def test_no_list_fails_whatever_it_is_ordered_by(api: Api, world: World) -> None:
    for path in lists_of(world):
        for ordering in ORDERINGS:
            for sign in ("", "-"):
                answer = api.get(path, {"ordering": sign + ordering})
                assert answer.status_code in (200, 400), (path, sign + ordering)


def test_a_list_below_an_object_is_ordered_by_its_own(api: Api, world: World) -> None:
    for resource, rest in HISTORIES:
        path = f"{resource}/{world.ids[resource]}/{rest}"
        assert api.get(path, {"ordering": "-created_at"}).status_code == 200
        for other in ("updated_at", "-updated_at", "status_since"):
            assert api.get(path, {"ordering": other}).status_code == 400


def test_no_filter_fails_whatever_its_value(api: Api, world: World) -> None:
    names = {name for path in LISTS for name in declared(api, path)} | {"limit", "cursor", "to", "from", "group_by"}
    for path in lists_of(world):
        for number, name in enumerate(sorted(names)):
            for value in (ODD[number % len(ODD)], ODD[(number + 7) % len(ODD)]):
                assert api.get(path, {name: value}).status_code in (200, 400), (path, name, value)


def declared(api: Api, path: str) -> list[str]:
    schema = api.get("schema").json()["paths"][f"/api/v1/{path}"]["get"]
    return [parameter["name"] for parameter in schema.get("parameters", [])]


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


def test_no_write_fails_whatever_is_missing_inside(api: Api, world: World) -> None:
    schema = api.get("schema").json()["components"]["schemas"]
    names = sorted({name for shape in schema.values() for name in shape.get("properties", {})})
    for turn, (method, resource, rest, _, _) in enumerate(OBJECT_ROUTES):
        if method in ("post", "patch"):
            for number, name in enumerate(names[turn % 3 :: 3], turn):
                body = {name: PIECES[number % len(PIECES)]}
                answer = api.send(method, f"{resource}/{world.ids[resource]}{rest}", body)
                assert answer.status_code < 500, (method, resource, rest, body)
    for turn, (resource, _, good) in enumerate(CREATIONS):
        for number, name in enumerate(names[turn % 3 :: 3], turn):
            answer = api.post(resource, {**good, name: PIECES[number % len(PIECES)]})
            assert answer.status_code < 500, (resource, name)


@pytest.mark.parametrize("provider", ["welink", "linkedin"])
@pytest.mark.parametrize("piece", PIECES, ids=repr)
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
