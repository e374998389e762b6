"""Who may do what: no key, bad keys, scopes, and other agencies' objects, over every route."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from accounts.core.enums import Scope
from accounts.models import Agency, ApiKey
from accounts.tenancy.api_keys import create_api_key
from tests.api.client import Api, api_with
from tests.api.routes import CREATIONS, LISTS, OBJECT_ROUTES, success_of
from tests.cases import one_by_one
from tests.factories import World


@pytest.mark.one_backend
def test_every_object_answers_its_agency_and_nobody_else(world: World, strange_api: Api) -> None:
    only = {scope: api_with(world.agency, scope) for scope in Scope}
    without = {scope: api_with(world.agency, *(other for other in Scope if other is not scope)) for scope in Scope}
    keys = ApiKey.objects.count()
    for method, resource, rest, scope, body in OBJECT_ROUTES:
        path = f"{resource}/{world.ids[resource]}{rest}"
        with transaction.atomic():
            world.make_ready_for(rest)
            assert strange_api.send(method, path, body).status_code == 404, (method, path)
            assert Api("").send(method, path, body).status_code == 401, (method, path)
            refused = without[scope].send(method, path, body)
            assert refused.status_code == 403, (method, path)
            assert scope in refused.json()["detail"], (method, path)
            allowed = only[scope].send(method, path, body)
            assert allowed.status_code == success_of(method, rest), (method, path, allowed.content)
            assert ApiKey.objects.count() == keys, (method, path)
            transaction.set_rollback(True)  # the next finds everything as it was


@pytest.mark.one_backend
def test_a_stranger_changes_nothing_and_learns_nothing(world: World, api: Api, strange_api: Api) -> None:
    for method, resource, rest, _, body in OBJECT_ROUTES:
        path = f"{resource}/{world.ids[resource]}"
        before = api.get(path).json()
        theirs = strange_api.send(method, path + rest, body).json()
        unknown = strange_api.send(method, f"{resource}/nobody{rest}", body).json()
        assert api.get(path).json() == before, (method, path + rest)
        assert theirs | {"request_id": ""} == unknown | {"request_id": ""}, (method, path + rest)


@pytest.mark.one_backend
@one_by_one("resource", LISTS)
def test_lists_show_an_agency_its_own_rows_only(
    resource: str, world: World, strange_world: World, api: Api, strange_api: Api
) -> None:
    if resource == "event-types":
        assert api.get(resource).json() == strange_api.get(resource).json()
        return
    ours, theirs = (one.get(resource).json()["results"] for one in (api, strange_api))
    assert ours
    assert theirs
    names = [{row.get("id", row.get("source")) for row in rows} for rows in (ours, theirs)]
    assert not names[0] & names[1]
    assert Api("").get(resource).status_code == 401
    assert api_with(world.agency, Scope.WRITE, Scope.ADMIN).get(resource).status_code == 403


@pytest.mark.parametrize(("resource", "scope", "body"), CREATIONS)
def test_making_takes_a_key_with_the_scope(resource: str, scope: Scope, body: object, agency: Agency) -> None:
    assert Api("").post(resource, body).status_code == 401
    assert api_with(agency, *(other for other in Scope if other is not scope)).post(resource, body).status_code == 403
    made = api_with(agency, scope, Scope.READ).post(resource, body)
    assert made.status_code == 201, made.content
    assert api_with(agency, Scope.READ).get(f"{resource}/{made.json()['id']}").status_code == 200


@pytest.mark.once
@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {key} {key}",
        "Bearer é",
    ],
)
def test_a_bad_key_is_401_and_says_how_to_authenticate(header: str, api: Api) -> None:
    answer = Api("").get("leads", Authorization=header.format(key=api.key))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


def test_the_word_bearer_is_read_in_any_case(api: Api) -> None:
    assert Api("").get("leads", Authorization=f"bEARER {api.key}").status_code == 200


@pytest.mark.once
@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "Authorization"])
def test_a_key_in_the_query_string_is_not_a_key(name: str, api: Api) -> None:
    assert Api("").get("leads", {name: api.key}).status_code == 401


def test_revoked_and_expired_keys_are_refused(agency: Agency) -> None:
    row, key = create_api_key(agency, expires_at=timezone.now() + timedelta(hours=1))
    assert Api(key).get("leads").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert Api(key).get("leads").status_code == 401
    row.revoked_at = timezone.now()
    row.save()
    assert Api(key).get("leads").status_code == 401


REFERENCES = (
    ("leads", "campaign", "campaigns"),
    ("leads", "account", "accounts"),
    ("campaigns", "account", "accounts"),
)


@pytest.mark.parametrize(("resource", "field", "target"), REFERENCES)
def test_a_body_cannot_name_another_agencys_object(
    resource: str, field: str, target: str, world: World, strange_world: World, api: Api
) -> None:
    path = f"{resource}/{world.ids[resource]}"
    theirs = api.patch(path, {field: strange_world.ids[target]})
    unknown = api.patch(path, {field: "acc_00000000000000000000000000"})
    assert theirs.status_code == unknown.status_code == 400
    assert theirs.json()["errors"] == unknown.json()["errors"]
    assert theirs.json()["errors"][0]["field"] == field
    ours = api.patch(path, {field: world.ids[target]})
    assert ours.status_code == 200
    assert ours.json()[field] == world.ids[target]


def test_locations_and_requests_cannot_name_another_agencys_rows(world: World, strange_world: World, api: Api) -> None:
    foreign = {"location_id": strange_world.sub_account.location_id}
    for answer in (
        api.patch(f"accounts/{world.account.id}", foreign),
        api.patch(f"sources/{world.source.id}", foreign),
        api.post("sources", {"provider": "salesflow"} | foreign),
    ):
        assert answer.status_code == 400
        assert answer.json()["detail"] == "location_id: There is no such location."
    request = {"request_id": "r1", "action": "connect"}
    for field, foreign_id in (("account", strange_world.account.id), ("lead", strange_world.lead.id)):
        answer = api.post(f"sources/{world.source.id}/requests", request | {field: foreign_id})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_filters_by_anothers_ids_find_nothing(world: World, strange_world: World, api: Api) -> None:
    for resource, name, value in (
        ("leads", "campaign", strange_world.campaign.id),
        ("leads", "account", strange_world.account.id),
        ("leads", "external_id", "lead-b"),
        ("accounts", "location_id", strange_world.sub_account.location_id),
        ("receipts", "source", strange_world.source.id),
        ("deliveries", "channel", strange_world.channel.id),
        ("events", "subject", strange_world.lead.id),
    ):
        assert api.get(resource, {name: value}).json()["results"] == [], (resource, name)
