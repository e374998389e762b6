"""Unknown names, bad values, malformed and hostile requests: refused by name, never a 500, alike on both back ends."""

import json
import re
from collections.abc import Callable, Iterable
from itertools import cycle, islice
from typing import Any

import pytest
from django.test import Client

from accounts.models import Source
from leads.models import Lead
from tests.api.client import Api
from tests.api.routes import CREATIONS, HISTORIES, LISTS, OBJECT_ROUTES
from tests.cases import one_by_one
from tests.factories import World

PROBLEM = {"type", "title", "status", "detail", "request_id"}
JUNK = "\x01\u202e\u200b<script>alert(1)</script>' OR 1=1 --%00{{7*7}}"


def assert_problem(answer: Any, status: int, *names: str) -> None:
    assert answer.status_code == status, (answer.wsgi_request.get_full_path(), answer.content)
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) - {"errors"} == PROBLEM
    assert body["status"] == status
    assert body["request_id"] == answer["X-Request-ID"]
    assert [error["field"] for error in body.get("errors", [])] == list(names)
    for name in names:
        assert name in body["detail"]


# --- parameters -----------------------------------------------------------------------------------


UNKNOWN = [
    ("colour", "red"),
    ("agency", "x"),
    ("agency__id", "x"),
    ("secret__startswith", "w"),
    ("agency__api_keys__digest__startswith", "a"),
    ("format", "json"),
    ("offset", "10"),
    ("limit", "0"),
    ("limit", "201"),
    ("limit", "-1"),
    ("limit", "many"),
    ("limit", "1e2"),
    ("limit", "٥"),
    ("limit", ""),
    ("cursor", "nonsense"),
    ("cursor", ""),
    ("cursor", "é\x00"),
    ("cursor", "W10"),
    ("cursor", "bnVsbA"),
    ("cursor", "e30"),
    ("ordering", "password"),
    ("ordering", "-agency__name"),
    ("ordering", "--created_at"),
    ("ordering", "?"),
    ("ordering", ""),
    (JUNK, JUNK),
]


def test_lists_refuse_what_they_do_not_know(api: Api) -> None:
    """One list each of them; the others, which are made alike, some by turns."""
    turns = cycle(UNKNOWN)
    for resource in LISTS:
        for name, value in UNKNOWN if resource == "leads" else islice(turns, 9):
            assert_problem(api.get(resource, {name: value}), 400, name[:100])


def test_a_parameter_is_given_once(api: Api) -> None:
    for resource in LISTS:
        assert_problem(api.get(resource, {"limit": ["1", "2"]}), 400, "limit")


SENSELESS = [
    ("accounts", "status", "ACTIVE"),
    ("accounts", "provider", "facebook"),
    ("accounts", "q", ""),
    ("accounts", "q", "x" * 201),
    ("accounts", "q", "a\x00b"),
    ("leads", "status", "pending"),
    ("leads", "is_test", "1"),
    ("leads", "creation_locale", "de-DE"),
    ("leads", "creation_locale", "German"),
    ("leads", "creation_locale", "de_DE\n"),
    ("leads", "account_active", "yes"),
    ("leads", "received_after", "yesterday"),
    ("leads", "received_before", "2026-13-01"),
    ("leads", "updated_after", "9999-12-31T23:59:59-23:59"),
    ("leads", "updated_after", "1e99"),
    ("sub-accounts", "installed", "maybe"),
    ("receipts", "status", "lost"),
    ("deliveries", "status", "lost"),
]


def test_filters_refuse_values_that_make_no_sense(api: Api) -> None:
    for resource, name, value in SENSELESS:
        assert_problem(api.get(resource, {name: value}), 400, name)


def test_objects_refuse_unknown_parameters(world: World, api: Api) -> None:
    for method, resource, rest, *_ in OBJECT_ROUTES:
        if method == "get":
            assert_problem(api.get(f"{resource}/{world.ids[resource]}{rest}", {"colour": "red"}), 400, "colour")


def test_readiness_refuses_unknown_actions(world: World, api: Api) -> None:
    assert_problem(api.get(f"accounts/{world.account.id}/readiness", {"action": "dance"}), 400, "action")


# --- bodies ---------------------------------------------------------------------------------------


def test_objects_refuse_unknown_fields(world: World, api: Api) -> None:
    for method, resource, rest, _, body in OBJECT_ROUTES:
        if method in ("patch", "post"):
            path = f"{resource}/{world.ids[resource]}{rest}"
            answer = api.send(method, path, (body or {}) | {"colour": "red", "agency": "agc_1"})
            assert_problem(answer, 400, "colour", "agency")


def test_creations_refuse_unknown_fields(api: Api) -> None:
    for resource, _, body in CREATIONS:
        assert_problem(api.post(resource, body | {"colour": "red", "agency_id": "agc_1"}), 400, "colour", "agency_id")
        assert api.get(resource).json()["results"] == []


WRITABLE = {
    "accounts": {"name", "email", "location_id"},
    "leads": {
        *("name", "first_name", "last_name", "email", "phone", "title", "company", "linkedin_url", "location"),
        *("campaign", "account", "status", "assigned_to", "tags", "priority"),
    },
    "campaigns": {"status", "account", "pause_reason"},
    "pools": {
        *("name", "kind", "is_catch_all", "respects_hours", "hold", "calendar", "overflow_pool", "overflow_minutes"),
        "members",
    },
    "members": {"name", "calendar", "paused_until", "alerts"},
    "target-rules": {"name", "position", "active", "conditions", "minutes", "warn_minutes", "escalate_to"},
    "calendars": {"name", "timezone", "week", "always_open", "exceptions", "is_default"},
    "routing-rules": {"name", "position", "active", "conditions", "effect"},
    "imports": {"name", "csv", "mapping"},
    "target-lists": {"name", "csv"},
    "templates": {"name", "channel", "subject", "text"},
    "sequences": {"name", "active", "trigger", "steps"},
    "scoring-rules": {"name", "position", "active", "conditions", "group", "points", "cap"},
    "sources": {"name", "enabled", "location_id", "allowed_networks", "subscriptions"},
    "channels": {
        *("name", "url", "event_types", "locations", "lead_statuses", "creation_locales", "test_events"),
        *("conditions", "status", "headers", "rate_per_second"),
    },
}


@one_by_one("resource", WRITABLE)
def test_read_only_fields_cannot_be_written(resource: str, world: World, api: Api) -> None:
    path = f"{resource}/{world.ids[resource]}"
    result = api.get(path).json()
    for name in set(result) - WRITABLE[resource]:
        answer = api.patch(path, {name: result[name]})
        assert_problem(answer, 400, name)
        assert "cannot be written" in answer.json()["detail"]
    assert api.get(path).json() == result


@pytest.mark.one_backend
@one_by_one("resource, scope, body", CREATIONS)
def test_read_only_fields_cannot_be_made_up(resource: str, scope: str, body: Any, world: World, api: Api) -> None:
    result = api.get(f"{resource}/{world.ids[resource]}").json()
    for name in ("id", *(set(result) - WRITABLE[resource] - {"provider", "kind"})):
        assert_problem(api.post(resource, body | {name: result[name]}), 400, name)


MALFORMED = [
    (b"{", 400),
    (b"[]", 400),
    (b"null", 400),
    (b'"text"', 400),
    (b"42", 400),
    (b'{"name": NaN}', 400),
    (b'{"name": Infinity}', 400),
    (b'{"name": 1e999}', 400),
    (b'{"name": "a", "name": "b"}', 400),
    (b'{"name": "\\u0000"}', 400),
    (b'{"name": "\\ud800"}', 400),
    (b'{"\\udfff": 1}', 400),
    (b"\xef\xbb\xbf{}", 400),
    ('{"name": "é"}'.encode("utf-16"), 400),
    (b'{"name": "\xff"}', 400),
    (b'{"name": ' + b"9" * 5000 + b"}", 400),
    (b'{"name": ' + b"[" * 70 + b"]" * 70 + b"}", 400),
    (b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    (b'{"name": "' + b"x" * (1024 * 1024) + b'"}', 413),
]


@pytest.mark.parametrize(("method", "path"), [("patch", "leads/{leads}"), ("post", "leads"), ("post", "channels")])
def test_bodies_that_are_no_plain_json_object_are_refused(method: str, path: str, world: World, api: Api) -> None:
    for raw, status in MALFORMED:
        answer = api.send(method, path.format(**world.ids), raw)
        assert answer.status_code == status, raw[:30]
        assert_problem(answer, status)


def test_bodies_that_do_not_say_they_are_json_are_415(world: World, api: Api) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "💥"):
        assert_problem(api.post("leads", b'{"email": "a@example.com"}', Content_Type=content_type), 415)
        assert_problem(api.patch(f"leads/{world.lead.id}", b"name=x", Content_Type=content_type), 415)


def test_json_may_carry_a_charset(api: Api) -> None:
    answer = api.post("leads", b'{"email": "a@example.com"}', Content_Type="Application/JSON; charset=utf-8")
    assert answer.status_code == 201


def test_compressed_and_chunked_bodies_are_refused(api: Api) -> None:
    assert_problem(api.post("leads", b"\x1f\x8b", Content_Encoding="gzip"), 415)
    chunked = Client().generic(
        "POST",
        "/api/v1/leads",
        b"",
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.key}", "Transfer-Encoding": "chunked"},
    )
    assert_problem(chunked, 411)


WRONG: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**400, 1.5, "", "x" * 3000, JUNK),
    *([], [1], ["x" * 3000], [None], {}, {"a": 1}, [[[]]]),
)
#: Fields and the wrong values that they take after all.
BODIES = {
    "accounts": ("name", "email", "location_id"),
    "leads": (
        *("name", "first_name", "last_name", "email", "phone", "title", "company", "linkedin_url", "location"),
        *("campaign", "account", "status", "assigned_to", "tags", "priority", "note"),
    ),
    "campaigns": ("status", "account", "pause_reason"),
    "sources": ("name", "secret", "enabled", "location_id", "allowed_networks", "credentials", "subscriptions"),
    "channels": (
        *("name", "url", "event_types", "locations", "lead_statuses", "creation_locales", "test_events", "headers"),
        *(
            "rate_per_second",
            "conditions",
            "status",
            "mode",
            "digest_at",
            "quiet_hours",
            "working_days",
            "timezone",
            "conflation_seconds",
            "urgent_event_types",
        ),
    ),
}


def taken(send: Callable[[dict[str, Any]], Any], fields: Iterable[str], value: Any) -> set[str]:
    """Send a value as all of the fields at once, then as those that no answer refused. Return which are taken. Where an
    answer refuses no field, but what they make together, send it as each of them."""
    left = set(fields)
    while left:
        answer = send(dict.fromkeys(sorted(left), value))
        assert answer.status_code in (200, 201, 400, 409), (left, value, answer.content)
        if answer.status_code != 400:
            break
        refused = left & {error["field"].partition(".")[0] for error in answer.json()["errors"]}
        if not refused:
            for name in left:
                assert send({name: value}).status_code in (200, 201, 400, 409), (name, value)
            break
        left -= refused
    return left


@pytest.mark.parametrize("resource", BODIES)
def test_no_value_of_any_field_is_a_500(resource: str, world: World, api: Api) -> None:
    path = f"{resource}/{world.ids[resource]}"
    for value in WRONG:
        if taken(lambda body: api.patch(path, body), BODIES[resource], value):
            assert api.get(path).status_code == 200, value
    assert api.get(resource).status_code == 200


@pytest.mark.fault  # each value of each field in a request of its own
@pytest.mark.parametrize("resource", BODIES)
def test_no_value_of_a_field_alone_is_a_500(resource: str, world: World, api: Api, unlimited: None) -> None:
    path = f"{resource}/{world.ids[resource]}"
    for name in BODIES[resource]:
        for value in WRONG:
            answer = api.patch(path, {name: value})
            assert answer.status_code in (200, 400), (name, value, answer.content)
            if answer.status_code == 400:
                assert answer.json()["errors"][0]["field"].startswith(name), (name, value)
        assert api.get(path).status_code == 200, name


@pytest.mark.parametrize("resource", ["leads", "sources", "channels"])
def test_no_value_makes_a_creation_a_500(resource: str, world: World, api: Api) -> None:
    good = {body[0]: body[2] for body in CREATIONS}[resource]
    fields = {*BODIES[resource], "provider", "kind", "email"}
    for value in WRONG:
        taken(lambda body: api.post(resource, good | body), fields, value)


def test_no_value_makes_an_action_a_500(world: World, api: Api) -> None:
    for path, good in (
        (f"sources/{world.source.id}/requests", {"request_id": "r", "action": "login", "account": None, "lead": None}),
        (f"sources/{world.source.id}/rotate-secret", {"secret": "x"}),
        (f"channels/{world.channel.id}/replay", {"since": "2026-01-01T00:00:00Z", "until": None, "status": None}),
    ):
        for name in good:
            for value in (*WRONG, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
                answer = api.post(path, good | {name: value})
                assert answer.status_code in (200, 201, 202, 400), (path, name, value, answer.content)


# --- paths and methods ------------------------------------------------------------------------------

IDS = (
    *("nobody", "0", "-1", "rct_", "rct_0", "rct_01", "rct_1.0", "rct_99999999999999999999", "rct_\u0661", "%00"),
    *("a%00b", "%0A", "..", "%2e%2e%2f", "'", "%F0%9F%92%A5", "%ff", "x" * 5000, "null", "*", "{id}", "%ED%A0%80"),
)


@pytest.mark.one_backend
def test_ids_that_name_nothing_are_404(api: Api) -> None:
    """All of them one resource; the others, which look up ids alike, some by turns."""
    turns = cycle(IDS)
    for resource in LISTS:
        if resource not in ("event-types", "rejected-requests"):
            for name in IDS if resource in ("leads", "receipts") else islice(turns, 8):
                assert_problem(api.get(f"{resource}/{name}"), 404)


PATHS = (
    *("", "nothing", "accounts/x/y/z", "task", "message", "segment", "segments", "reports/nothing"),
    *("routing-rule", "../../etc/passwd", "accounts//history", "leads//"),
)


def test_unknown_paths_are_404(api: Api) -> None:
    for path in PATHS:
        assert_problem(api.get(path), 404)
        assert_problem(Api("").get(path), 404)


def test_what_only_linkedin_has_is_refused_elsewhere(world: World, api: Api) -> None:
    assert_problem(api.post(f"sources/{world.source.id}/connect", {}), 400, "provider")
    assert_problem(api.patch(f"sources/{world.source.id}", {"subscriptions": []}), 400, "subscriptions")


LACKING = [  # and one that they have
    ("post", "accounts", "GET"),
    ("delete", "leads", "GET"),
    ("post", "events", "GET"),
    ("put", "channels/{channels}", "GET"),
    ("delete", "leads/{leads}", "GET"),
    ("patch", "receipts/{receipts}", "GET"),
    ("get", "sources/{sources}/requests", "POST"),
    ("get", "channels/{channels}/test", "POST"),
    ("trace", "leads", "GET"),
]


def test_methods_that_a_resource_lacks_are_405(world: World, api: Api) -> None:
    for method, path, allowed in LACKING:
        answer = api.send(method, path.format(**world.ids), {} if method != "get" else None)
        assert_problem(answer, 405)
        assert allowed in re.split(", ", answer["Allow"])


def test_head_and_options_are_answered(world: World, api: Api) -> None:
    for resource in LISTS:
        head = api.send("head", resource)
        assert (head.status_code, head.content) == (200, b""), resource
        options = api.send("options", resource)
        assert options.status_code == 200, resource
        assert "GET" in options.json()["methods"], resource


@pytest.mark.one_backend
def test_a_slash_at_the_end_is_tolerated_without_a_redirect(world: World, api: Api) -> None:
    for resource in LISTS:
        plain, slashed = api.get(resource), api.get(f"{resource}/")
        assert (slashed.status_code, slashed.json()["results"]) == (200, plain.json()["results"]), resource
    for resource, name in world.ids.items():
        assert api.get(f"{resource}/{name}/").status_code == 200, resource
    assert api.post("leads/", {"email": "slash@example.com"}).status_code == 201


def test_histories_tolerate_a_slash_too(world: World, api: Api) -> None:
    for resource, rest in HISTORIES:
        assert api.get(f"{resource}/{world.ids[resource]}/{rest}/").status_code == 200


def test_answers_are_json_whatever_the_client_accepts(world: World, api: Api) -> None:
    for accept in ("text/html", "application/xml", "*/*", "nonsense", "application/json; version=9"):
        answer = api.get("leads", Accept=accept)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), accept


# --- request ids and the unforeseen ---------------------------------------------------------------


def test_every_answer_has_a_request_id(api: Api) -> None:
    for path in ("leads", "nothing", "leads/nobody", "schema", "docs"):
        first, second = api.get(path), api.get(path)
        assert first["X-Request-ID"], path
        assert first["X-Request-ID"] != second["X-Request-ID"], path
        assert api.get(path, X_Request_ID="my-own-id")["X-Request-ID"] == "my-own-id", path
        assert api.get(path, X_Request_ID="<script>")["X-Request-ID"] != "<script>", path


def test_what_nobody_foresaw_is_a_500_that_tells_nothing(
    world: World, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the canary sings")

    monkeypatch.setattr("leads.api.leads.create_lead", fail)
    answer = api.post("leads", {"email": "a@example.com"})
    assert_problem(answer, 500)
    assert b"canary" not in answer.content


def test_a_refused_host_is_a_problem_too(api: Api) -> None:
    answer = Client(raise_request_exception=False).get(
        "/api/v1/leads", headers={"Host": "evil.example.com", "Authorization": f"Bearer {api.key}"}
    )
    assert_problem(answer, 400)


def test_secrets_are_in_no_answer_but_the_one_that_makes_them(world: World, api: Api) -> None:
    made = api.post(
        "sources", {"provider": "salesflow", "secret": "canary-secret", "credentials": {"api_key": "canary-key"}}
    )
    assert made.json()["secret"] == "canary-secret"
    for path in ("sources", f"sources/{made.json()['id']}"):
        answer = api.get(path)
        assert b"canary" not in answer.content
        assert b"credentials" not in answer.content
    assert Source.objects.get(pk=made.json()["id"]).credentials == {"api_key": "canary-key"}


def test_texts_come_back_as_they_were_sent_but_for_what_nobody_sees(world: World, api: Api) -> None:
    name = "Zoë <b>&amp;</b> 👩\u200d💻 ' \" \\ {{7*7}}"
    answer = api.patch(f"leads/{world.lead.id}", {"name": name.replace("Zoë", "Zoë\u202e\u200b")})
    assert answer.json()["name"] == name
    assert json.loads(api.get(f"leads/{world.lead.id}").content)["name"] == name
    assert Lead.objects.get(pk=world.lead.pk).name == name
