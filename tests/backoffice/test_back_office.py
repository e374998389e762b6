"""The back office opens for every model, stays fast at any size, and shows neither secrets nor somebody's script."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.models import Account, Agency, ApiKey, BouncedAddress, Calendar, Invitation, Sender
from accounts.web.backoffice.filters import ByAgency
from accounts.web.backoffice.pipeline import MAX_STAGE_COUNT
from leads.models import Pool, RoutingRule
from notifications.models import Channel, StaffAlerts
from tests.factories import CANARY, make_everything
from webhooks.models import Receipt, WordMapping

OURS = ("accounts", "leads", "webhooks", "notifications", "auth")
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
#: Tables that stay so small that a search may read them whole.
SMALL = [
    *(Calendar, WordMapping, User, Group, ApiKey, Invitation, BouncedAddress, Sender, Channel, StaffAlerts),
    *(Pool, RoutingRule),
]
#: Where counting a status above a list ends.
BOUND = f"LIMIT {MAX_STAGE_COUNT + 1}"
Everything = Mapping[type[models.Model], Any]

XSS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "javascript:alert(1)//",
    "</textarea><script>alert(1)</script>",
    "</title><iframe srcdoc='<script>alert(1)</script>'>",
    "{{ 7777|add:7777 }}{% now 'Y' %}",
    "--><script>alert(1)</script>",
    "\u202eevil\u200b<b onmouseover=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
]
TURNS = len(XSS) // 2
TAGS = re.compile(r"<(script(?! (src|id=|data-))|iframe|img src=x|svg/onload|b onmouseover|a href=\"javascript)", re.I)


def each_list_with(values: Sequence[str]) -> Iterator[tuple[type[models.Model], str]]:
    """All values with one list, and each list (they are made alike) with one of them."""
    yield from ((Account, value) for value in values)
    yield from zip(MODELS, cycle(values))


def url(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def pages(everything: Everything) -> list[str]:
    lists = [url(model, "changelist") for model in MODELS]
    return ["/admin/", *lists, *(url(model, "change", row.pk) for model, row in everything.items())]


def test_every_model_of_the_product_has_a_page(everything: Everything) -> None:
    ours = {model for model in apps.get_models() if model._meta.app_label in OURS} - {
        apps.get_model("auth", "Permission")
    }
    assert set(MODELS) == ours == set(everything)


def test_every_page_opens_with_data_and_shows_no_secret(everything: Everything, signed_in: Client) -> None:
    histories = [url(model, "history", row.pk) for model, row in everything.items()]
    secrets = (CANARY, ApiKey.objects.get(pk=everything[ApiKey].pk).digest, "gAAAA")
    for page in pages(everything) + histories:
        answer = signed_in.get(page)
        assert answer.status_code == 200, page
        html = answer.content.decode()
        assert [secret for secret in secrets if secret in html] == [], page


@pytest.mark.once
@pytest.mark.parametrize(
    ("page", "crumbs"),
    [
        ("accounts/apikey", ["Overview", "Agencies", "API keys"]),
        ("accounts/accountlink", ["Overview", "Accounts", "Possible duplicates"]),
        ("leads/lead", ["Overview", "Campaigns and leads", "Leads"]),
        ("webhooks/rejectedrequest", ["Overview", "Inbound", "Refused requests"]),
        ("notifications/channel", ["Overview", "Outbound", "Channels"]),
        ("auth/group", ["Overview", "System", "Staff groups"]),
    ],
)
def test_a_page_says_where_it_is(page: str, crumbs: list[str], signed_in: Client) -> None:
    html = signed_in.get(f"/admin/{page}/").content.decode()
    [names] = re.findall(r'<ol class="breadcrumbs">(.*?)</ol>', html, re.S)
    assert [re.sub(r"<[^>]+>", "", name).strip() for name in re.findall("<li>(.*?)</li>", names)] == crumbs
    assert f"<h1>{crumbs[-1]}</h1>" in html


@pytest.mark.one_backend
def test_every_empty_list_opens(signed_in: Client) -> None:
    for page in ["/admin/", *(url(model, "changelist") for model in MODELS)]:
        assert signed_in.get(page).status_code == 200, page


def queries(client: Client, page: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page).status_code == 200, page
    return [query["sql"].upper() for query in captured.captured_queries]


def test_lists_never_count_without_a_bound_never_skip_rows_and_ask_no_more_for_more_rows(
    agency: Agency, staff: User, signed_in: Client
) -> None:
    make_everything(agency, staff, text="first")
    lists = [url(model, "changelist") for model in MODELS]
    with_agencies = {
        url(model, "changelist") for model in MODELS if ByAgency in admin.site.get_model_admin(model).list_filter
    }
    small = {url(model, "changelist") for model in SMALL}
    piped = {url(model, "changelist") for model in MODELS if admin.site.get_model_admin(model).pipeline}  # type: ignore[attr-defined]
    few = {page: len(queries(signed_in, page)) for page in lists}
    for number in range(1, 4):
        make_everything(agency, staff, text="more", number=number)
    for page in lists:
        asked = queries(signed_in, page)
        chosen = f"&agency={agency.pk}" if page in with_agencies else ""
        assert len(asked) <= few[page], asked
        sql = "\n".join(asked + queries(signed_in, f"{page}?q=first{chosen}"))
        counted = [one for one in sql.split("\n") if "COUNT(" in one]
        assert all(one.startswith("SELECT COUNT(*) FROM (SELECT ") and BOUND in one for one in counted), page
        assert counted == [] or page in piped, page
        assert "OFFSET" not in sql, page
        compared = [column for column in re.findall(r"(\S+) LIKE ", sql) if "SEARCH_TEXT" not in column]
        assert compared == [] or page in small, page


def test_pages_turn_by_key_and_back(agency: Agency, signed_in: Client) -> None:
    accounts = [
        Account.objects.create(
            agency=agency, provider="salesflow", external_id=str(n), status="active", status_since=timezone.now()
        )
        for n in range(120)
    ]
    newest_first = [account.pk for account in reversed(accounts)]

    def names(response: Any) -> list[str]:
        return [row.pk for row in response.context["cl"].result_list]

    first = signed_in.get(url(Account, "changelist"))
    second = signed_in.get(url(Account, "changelist") + first.context["cl"].older_url)
    third = signed_in.get(url(Account, "changelist") + second.context["cl"].older_url)
    assert names(first) + names(second) + names(third) == newest_first
    assert (first.context["cl"].newer_url, third.context["cl"].older_url) == ("", "")
    back = signed_in.get(url(Account, "changelist") + third.context["cl"].newer_url)
    assert names(back) == names(second)
    assert "OFFSET" not in str(back.context["cl"].queryset.query).upper()


def test_turning_pages_keeps_the_filters(agency: Agency, signed_in: Client) -> None:
    for n in range(60):
        Account.objects.create(
            agency=agency, provider="salesflow", external_id=str(n), status="blocked", status_since=timezone.now()
        )
    first = signed_in.get(url(Account, "changelist"), {"status": "blocked", "agency": agency.pk})
    assert "status=blocked" in first.context["cl"].older_url
    second = signed_in.get(url(Account, "changelist") + first.context["cl"].older_url)
    assert len(second.context["cl"].result_list) == 10


FORGED_PAGES = ["before=%01", "after=%01", "after=x'--", "p=7", "all=", "o=1", "before=9999999999999999999999"]
FORGED_KEYS = ["%00", "x", "%FF", "9" * 400, "a_5Fb", "%F0%9F%98%80"]
FORGED_CHOICES = ["%00", "nobody", "%FF", "x" * 3000]
HOSTILE_WORDS = ["\x00", "%", "'; --", "9" * 400, "\ud800", "rct_", "x" * 5000]


def test_a_forged_page_is_no_error_of_ours(everything: Everything, signed_in: Client) -> None:
    for model, bad in each_list_with(FORGED_PAGES):
        assert signed_in.get(f"{url(model, 'changelist')}?{bad}", follow=True).status_code == 200, (model, bad)


def test_an_object_that_is_not_there_is_no_error_of_ours(signed_in: Client) -> None:
    for model, key in each_list_with(FORGED_KEYS):
        page = url(model, "changelist")
        assert signed_in.get(f"{page}{key}/change/").status_code in (302, 404), (model, key)
        assert signed_in.get(f"{page}{key}/history/").status_code in (302, 404), (model, key)
        assert signed_in.post(f"{page}{key}/press/process_again/").status_code == 404, (model, key)


def test_a_forged_filter_finds_nothing(everything: Everything, signed_in: Client) -> None:
    for model, value in each_list_with(FORGED_CHOICES):
        for choice in admin.site.get_model_admin(model).list_filter:
            name = choice.parameter_name  # type: ignore[union-attr]
            answer = signed_in.get(f"{url(model, 'changelist')}?{name}={value}", follow=True)
            assert answer.status_code in (200, 400), (model, name, value)


@pytest.mark.parametrize(
    "probe",
    [
        (ApiKey, "digest__startswith=a"),
        (Account, "agency__api_keys__digest__startswith=a"),
        (Account, "name__icontains=a"),
        (User, "password__startswith=pbkdf2"),
    ],
)
def test_other_columns_cannot_be_probed(
    probe: tuple[type[models.Model], str], everything: Everything, signed_in: Client
) -> None:
    model, query = probe
    assert signed_in.get(f"{url(model, 'changelist')}?{query}").status_code == 400


def test_a_whole_id_is_found(everything: Everything, signed_in: Client) -> None:
    for model, row in everything.items():
        word = getattr(row, "public_id", None) or getattr(row, "username", None) or getattr(row, "name", row.pk)
        word = row.pk if model._meta.app_label not in {"webhooks", "auth"} else word
        found = signed_in.get(url(model, "changelist"), {"q": word}).context["cl"].result_list
        assert [row.pk] == [one.pk for one in found], model


def test_hostile_words_find_nothing(everything: Everything, signed_in: Client) -> None:
    for model, word in each_list_with(HOSTILE_WORDS):
        response = signed_in.get(url(model, "changelist"), {"q": word.encode("utf-8", "surrogatepass"), "agency": "x"})
        assert response.status_code in (200, 302, 400), (model, word)


@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.fault) for turn in range(1, TURNS))])
@pytest.mark.one_backend
def test_no_field_of_any_model_runs_as_a_script(turn: int, agency: Agency, staff: User, signed_in: Client) -> None:
    """Each list shows all texts, two in a row; the page of an object those of one row, another each turn."""
    pairs = [XSS[start : start + 2] for start in range(0, len(XSS), 2)]
    made = [make_everything(agency, staff, text="".join(pair), number=number) for number, pair in enumerate(pairs)]
    Agency.objects.update(name="".join(pairs[turn]))
    lists = ["/admin/", *(url(model, "changelist") for model in MODELS)]
    shown: list[str] = []
    rows = [(model, made[(place + turn) % TURNS][model]) for place, model in enumerate(MODELS)]
    for page in (*lists, *(url(model, "change", row.pk) for model, row in rows)):
        html = signed_in.get(page).content.decode()
        assert not TAGS.search(html), (page, TAGS.search(html))
        assert "15554" not in html, page
        assert 'href="javascript' not in html, page
        shown += [second for _, second in pairs if escape(second) in html]
    assert set(shown) == {second for _, second in pairs}
    assert len(shown) > len(MODELS)


@pytest.mark.one_backend
def test_rows_that_no_key_opens_break_no_page(everything: Everything, signed_in: Client) -> None:
    for table, columns in {
        "accounts_source": ["credentials"],
        "accounts_sourcesecret": ["secret"],
        "notifications_channel": ["url", "headers"],
        "notifications_channelsecret": ["secret"],
        "accounts_reauthprompt": ["token"],
        "accounts_accounttoken": ["token"],
    }.items():
        with connection.cursor() as cursor:
            for column in columns:
                cursor.execute(f"UPDATE {table} SET {column} = 'garbage'")
    for page in pages(everything):
        assert signed_in.get(page).status_code == 200, page


@pytest.mark.once
@pytest.mark.parametrize(
    "body",
    [
        b'{"x": "' + b"b-" * 500_000 + b'"}',
        b'{"event_type":"zz","x":"' + b"-----BEGIN A PRIVATE KEY-----" * 34_000 + b'"}',
        b"[" + b"[]," * 340_000 + b"[]]",
        b"{" + b",".join(b'"token%d@a.example": "a@"' % number for number in range(35_000)) + b"}",
        b"b-" * 500_000,
    ],
    ids=["dashes", "keys", "brackets", "names", "no JSON"],
)
def test_a_large_receipt_is_shown_in_part_and_holds_nobody_up(
    body: bytes, signed_in: Client, everything: Everything
) -> None:
    def seconds(names: bytes) -> float:
        Receipt.objects.update(body=names)

        def once() -> float:
            began = time.thread_time()
            answer = signed_in.get(path)
            assert answer.status_code == 200
            assert len(answer.content) < 400_000
            assert (b"more)" in answer.content or b"(cut here)" in answer.content) == (names is body)
            return time.thread_time() - began

        return min(once() for _ in range(3))

    path = reverse("admin:webhooks_receipt_change", args=[everything[Receipt].pk])
    usual = seconds(b'{"x": [%s"a word"]}' % (b'"a word, ", ' * 1_000))
    assert seconds(body) < 20 * usual  # what it forbids takes minutes
