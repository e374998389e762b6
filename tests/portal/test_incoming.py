"""What comes in is what every page can use: NUL, unknown charsets and odd hosts end before a page sees them."""

import io
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, get_resolver
from pytest_django import Settings

from accounts.models import Agency
from config.asgi import django as wsgi
from tests.answers import Answer
from tests.factories import furnish
from tests.portal.browser import Browser

#: What stands in for each variable part of a path, and what is answered at most.
NUL = ("%00", "a%00b", "%00/x", "x%00")
ODD = ("%0A", "%1b%5b2J", "%ff", "%ED%A0%80", "9" * 400, "-1", "x" * 5000, "%F0%9F%92%A5" * 100, "..", "%25", "null")


def routes() -> list[str]:
    """The path of every URL pattern, with `{}` where something stands in."""

    def walk(resolver: Any, before: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            here = before + str(entry.pattern)
            if isinstance(entry, URLPattern):
                yield here
            else:
                yield from walk(entry, here)

    return sorted({fill(route) for route in walk(get_resolver(), "/")})


def fill(route: str) -> str:
    """A route as a path: variable parts as `{}`, the signs of regular expressions left out."""
    out, depth = "", 0
    for char in route.replace(r"\Z", "").replace("\\", ""):
        opens, closes = char in "<(", char in ">)"
        if opens and not depth:
            out += "{}"
        depth += opens - closes
        if not depth and not closes and char not in "^$?":
            out += char
    return out.replace("{}+", "{}")


ROUTES = routes()
VARIABLE = [route for route in ROUTES if "{}" in route]


@pytest.fixture
def visitors(agency: Agency, sign_in: Browser, staff: User, fresh_cache: None) -> list[Client]:
    """A stranger, an owner and a member of staff. What a page raises is a 500 here."""
    furnish(agency)
    owner, operator, nobody = sign_in(), Client(), Client()
    operator.force_login(staff)
    for client in (owner, operator, nobody):
        client.raise_request_exception = False
    return [nobody, owner, operator]


def test_the_walk_knows_the_routes() -> None:
    assert len(VARIABLE) > 60
    assert {"/verify/{}", "/admin/accounts/agency/{}/change/", "/api/v1/leads/{}", "/sources/{}/rename"} <= set(ROUTES)


def test_a_nul_in_any_path_is_not_found(visitors: list[Client]) -> None:
    ways = zip(VARIABLE, cycle(NUL), cycle(visitors), cycle(("GET", "POST")), strict=False)
    for route, value, client, method in ways:
        assert client.generic(method, route.replace("{}", value)).status_code == 404, route


@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.fault) for turn in range(1, len(ODD)))])
def test_no_path_is_a_fault(turn: int, visitors: list[Client]) -> None:
    """Each route with one value a turn, for one of the visitors and by one method by turns."""
    values, clients = islice(cycle(ODD), turn, None), islice(cycle(visitors), turn, None)
    methods = islice(cycle(("GET", "POST")), turn, None)
    for route, value, client, method in zip(VARIABLE, values, clients, methods, strict=False):
        assert client.generic(method, route.replace("{}", value)).status_code < 500, (route, value)


NUL_FIELDS = ["login", "agency", "q", "name", "action", "next", "\x00"]
SENT: list[Callable[[Client, str, str], Answer]] = [
    lambda client, path, field: client.get(f"{path}?{quote(field)}=a%00b"),
    lambda client, path, field: client.post(path, {field: "a\x00b"}),
    lambda client, path, field: client.post(
        path, f"{quote(field)}=a%00b", content_type="application/x-www-form-urlencoded"
    ),
]


@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.fault) for turn in (1, 2))])
@pytest.mark.one_backend
def test_a_nul_in_a_field_or_parameter_is_refused(turn: int, visitors: list[Client]) -> None:
    """Each route in one of the three ways a turn, for one of the visitors, whom each way meets by turns."""
    ways = islice(cycle(SENT), turn, None)
    for number, (route, field, send) in enumerate(zip(ROUTES, cycle(NUL_FIELDS), ways, strict=False)):
        answer = send(visitors[number // len(SENT) % len(visitors)], route.replace("{}", "x"), field)
        if route.startswith("/api/"):
            assert 200 <= answer.status_code < 500, route  # it checks what it is given itself
        else:
            assert answer.status_code == 400, route


@pytest.mark.one_backend
def test_an_api_body_with_a_nul_is_refused(agency: Agency, visitors: list[Client]) -> None:
    from accounts.tenancy.api_keys import create_api_key

    _, key = create_api_key(agency)
    for route in (route for route in ROUTES if route.startswith("/api/v1/")):
        for method in ("post", "patch"):
            answer = getattr(visitors[0], method)(
                route.replace("{}", "x"),
                '{"name": "a\\u0000b"}',
                content_type="application/json",
                headers={"authorization": f"Bearer {key}"},
            )
            assert answer.status_code in (400, 401, 404, 405), route


@pytest.mark.once
@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages", "x"])
def test_a_cookie_with_a_nul_counts_as_none(name: str, visitors: list[Client]) -> None:
    for client in visitors:
        client.cookies[name] = "x"
        client.cookies[name].set(name, "a\x00b", "a\x00b")
        for path in ("/", "/leads", "/admin/", "/accounts/login/"):
            assert client.get(path).status_code < 500
            assert client.post(path).status_code < 500


CHARSETS = ["utf-7", "utf-16", "latin-1", "hex", "idna", "rot13", "nobody", "x" * 3000, "ascii", '"utf-32"', "*"]
FORMS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]


PARTS = b'--b\r\nContent-Disposition: form-data; name="login"\r\n\r\n+AGE-\r\n--b--\r\n'


@pytest.mark.one_backend
def test_a_form_in_another_charset_is_refused_on_every_page(visitors: list[Client]) -> None:
    for route, charset, kind, client in zip(ROUTES, cycle(CHARSETS), cycle(FORMS), cycle(visitors), strict=False):
        body = PARTS if kind.endswith("b") else b"login=%2BAGE-"
        answer = client.generic("POST", route.replace("{}", "x"), body, f"{kind}; charset={charset}")
        assert answer.status_code == 400 or (route.startswith("/api/") and 400 < answer.status_code < 500), route
        assert len(answer.content) < 5000


@pytest.mark.once
@pytest.mark.parametrize("charset", CHARSETS)
def test_the_api_reads_json_as_utf8_whatever_its_charset_says(charset: str, agency: Agency, fresh_cache: None) -> None:
    from accounts.tenancy.api_keys import create_api_key

    key = {"authorization": f"Bearer {create_api_key(agency)[1]}"}
    client = Client(raise_request_exception=False)
    kind = f"application/json; charset={charset}"
    body = '{"name": "Zoë", "email": "zoe@example.com"}'.encode()
    answer = client.generic("POST", "/api/v1/leads", body, kind, headers=key)
    assert (answer.status_code, answer.json()["name"]) == (201, "Zoë")
    answer = client.generic("GET", "/api/v1/leads?q=Zo%C3%AB", b"", kind, headers=key)
    assert [lead["name"] for lead in answer.json()["results"]] == ["Zoë"]


@pytest.mark.once
@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded; charset*=nobody''utf-8",
        "application/x-www-form-urlencoded; charset=\x00",
        "multipart/form-data",
        "multipart/form-data; boundary=" + "x" * 300,
        "multipart/form-data; boundary*=nobody''b",
        "; ; =",
        "\xff\x00",
    ],
)
def test_no_content_type_is_a_fault(kind: str, db: None) -> None:
    """As the server hands it over: Django's test client would fail before the product sees it."""
    begun: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/accounts/login/",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": "7",
        "wsgi.input": io.BytesIO(b"login=x"),
        "wsgi.url_scheme": "http",
    }
    b"".join(wsgi(environ, lambda status, headers: begun.append(status)))
    assert begun[0][:3] in ("400", "403")


@pytest.mark.one_backend
def test_a_part_of_a_form_in_an_unknown_encoding_is_refused(visitors: list[Client]) -> None:
    for header in ("name*=nobody''x", "name*=hex''x", "name=\"x\"; filename*=idna''%ff"):
        body = f"--b\r\nContent-Disposition: form-data; {header}\r\n\r\nx\r\n--b--\r\n".encode()
        for client in visitors:
            answer = client.post("/accounts/login/", body, content_type="multipart/form-data; boundary=b")
            assert answer.status_code < 500


@pytest.mark.once
@pytest.mark.parametrize("host", ["10.4.7.12:8111", "web", "127.0.0.1:8111", "evil.example", "a b", "[::1]", ""])
@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", None), ("/metrics", 200)])
def test_the_probes_answer_under_every_host(
    host: str, path: str, status: int | None, db: None, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.METRICS_TOKEN, settings.PUBLIC_URL = "probe", "https://hub.example.com"
    settings.ALLOWED_HOSTS = ["hub.example.com"]
    answer = Client().get(path, headers={"host": host, "authorization": "Bearer probe"})
    assert answer.status_code == status or (status is None and answer.json()["checks"])
    assert not [record for record in caplog.records if "Host" in record.name]
    assert Client().get("/leads", headers={"host": host}).status_code == 400
