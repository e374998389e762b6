"""The search over everything of an agency: in the portal, over the API, and in the back office."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Account, Agency, Campaign, Member, Source, SubAccount
from accounts.tenancy.api_keys import create_api_key
from leads.models import LeadReference
from leads.pipeline.changes import create_lead
from tests.api.client import Api
from tests.leads.reporting import NOON
from tests.portal.browser import Browser


@pytest.fixture
def quibble(agency: Agency, stranger: Agency) -> dict[str, Any]:
    """One of everything that is found by the word, at two agencies; those of the first."""
    made = [make(each) for each in (stranger, agency)]
    return made[1]


def make(agency: Agency) -> dict[str, Any]:
    user = User.objects.create_user(f"q-{agency.pk}", f"{agency.pk}@quibble.example.com", first_name="Quincy")
    place = SubAccount.objects.create(agency=agency, location_id="loc-1", name="Quibble East")
    account = Account.objects.create(
        agency=agency, provider="salesflow", external_id="77", name="Ann Quibble", status="active", status_since=NOON,
        sub_account=place,
    )  # fmt: skip
    return {
        "lead": create_lead(agency, name="Qu\u00edbble, Jo", title="Head of Sales", company="Acme"),
        "account": account,
        "campaign": Campaign.objects.create(agency=agency, provider="sendpilot", external_id="c1", name="Quibblers Q4"),
        "sub_account": place,
        "source": Source.objects.create(agency=agency, provider="welink", name="Quibble's We-Link"),
        "member": Member.objects.create(agency=agency, user=user, role="manager"),
    }


def page_of(client: Client, word: str, **headers: str) -> str:
    return client.get("/search", {"q": word}, headers=headers).content.decode()


def test_everything_of_an_agency_is_found_by_kinds_and_each_hit_leads_to_its_page(
    quibble: dict[str, Any], sign_in: Browser
) -> None:
    page = page_of(sign_in(), "QUIBBLE")
    titles = ["Leads", "Accounts", "Campaigns", "Sub-accounts", "Sources", "Team"]
    places = [page.index(f">{title}</h2>") for title in titles]
    assert places == sorted(places)
    assert page.count('class="search-hit"') == 6
    for path in (
        f"/leads/{quibble['lead'].pk}",
        f"/linkedin/{quibble['account'].pk}",
        f"/campaigns/{quibble['campaign'].pk}",
        f"/linkedin?location={quibble['sub_account'].pk}",
        f"/sources/{quibble['source'].pk}",
        "/team",
    ):
        assert f'href="{path}"' in page
    assert 'href="/leads?q=QUIBBLE"' in page
    assert 'href="/linkedin?q=QUIBBLE"' in page


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("head of sales", "Leads"),
        ("acme", "Leads"),
        ("loc-1", "Sub-accounts"),
        ("quincy", "Team"),
        ("welink", "Sources"),
    ],
)
def test_titles_companies_and_ids_are_found_too(
    quibble: dict[str, Any], sign_in: Browser, word: str, kind: str
) -> None:
    page = page_of(sign_in(), word)
    assert page.count('class="search-hit"') == 1
    assert f">{kind}</h2>" in page


def test_an_id_finds_by_a_part_and_a_providers_id_as_a_whole(
    agency: Agency, quibble: dict[str, Any], sign_in: Browser
) -> None:
    lead, client = quibble["lead"], sign_in()
    LeadReference.objects.create(
        agency=agency, lead=lead, provider="sendpilot", external_id="sp-4711", status_since=NOON
    )
    for word in (lead.pk, lead.pk[-8:], "sp-4711"):
        assert f'href="/leads/{lead.pk}"' in page_of(client, word), word
    assert f'href="/leads/{lead.pk}"' not in page_of(client, "sp-471")


def test_only_owners_find_the_team(quibble: dict[str, Any], sign_in: Browser) -> None:
    assert ">Team</h2>" not in page_of(sign_in(Role.READ_ONLY), "quibble")


def test_eight_of_a_kind_are_shown_the_best_first_and_all_are_listed(agency: Agency, sign_in: Browser) -> None:
    best = create_lead(agency, name="Lee")
    for number in range(9):
        create_lead(agency, name=f"Leeward {number}")
        create_lead(agency, name=f"Asleep {number}")
    client = sign_in()
    page = page_of(client, "lee")
    assert page.count('class="search-hit"') == 8
    assert page.index(best.pk) < page.index("Leeward 8")
    assert "Asleep" not in page
    listed = client.get("/leads", {"q": "lee"}).content.decode()
    assert listed.count('class="lead-cell"') == 19


def test_the_dialog_gets_the_groups_alone_and_words_that_find_nothing_are_told(
    quibble: dict[str, Any], sign_in: Browser
) -> None:
    client = sign_in()
    part = page_of(client, "quibble", HX_Request="true")
    assert "<html" not in part
    assert part.count('class="search-hit"') == 6
    assert "<html" in page_of(client, "quibble")
    assert "at least two characters" in page_of(client, "q")
    assert "No results for \u201c&lt;b&gt;\u201d." in page_of(client, "<b>")
    assert "search-group" not in page_of(client, " ")


def test_the_accounts_of_a_sub_account_are_listed(quibble: dict[str, Any], agency: Agency, sign_in: Browser) -> None:
    other = Account.objects.create(agency=agency, provider="welink", name="Other", status="active", status_since=NOON)
    listed = sign_in().get("/linkedin", {"location": quibble["sub_account"].pk}).content.decode()
    assert quibble["account"].pk in listed
    assert other.pk not in listed


def test_the_api_answers_with_leads_accounts_and_campaigns_best_first(
    agency: Agency, quibble: dict[str, Any], settings: Any
) -> None:
    api = Api(create_api_key(agency)[1])
    results = api.get("search", {"q": "quibble"}).json()["results"]
    assert [(row["type"], row["id"]) for row in results] == [
        (kind, quibble[kind].pk) for kind in ("lead", "campaign", "account")
    ]
    assert results[0] == {
        "type": "lead",
        "id": quibble["lead"].pk,
        "title": "Qu\u00edbble, Jo",
        "subtitle": "Head of Sales, Acme \u00b7 New",
        "url": f"{settings.PUBLIC_URL}/leads/{quibble['lead'].pk}",
    }
    for number in range(25):
        create_lead(agency, name=f"Quibble {number}")
    assert len(api.get("search", {"q": "quibble"}).json()["results"]) == 20
    for query in ({"q": "q"}, {"q": "\u200b\u200b"}, {}, {"q": "quibble", "limit": "3"}):
        assert api.get("search", query).status_code == 400, query


@pytest.mark.parametrize(
    ("page", "kind", "word"),
    [
        ("leads/lead", "lead", "head of"),
        ("leads/lead", "lead", "quibble"),
        ("accounts/account", "account", "n QUIB"),
        ("accounts/campaign", "campaign", "quibblers"),
        ("accounts/subaccount", "sub_account", "quibble"),
        ("accounts/source", "source", "quibble"),
        ("accounts/member", "member", "quincy"),
    ],
)
def test_staff_find_by_parts_within_an_agency_and_over_all(
    agency: Agency, quibble: dict[str, Any], signed_in: Client, page: str, kind: str, word: str
) -> None:
    within = signed_in.get(f"/admin/{page}/", {"q": word, "agency": agency.pk}).context["cl"].result_list
    everywhere = signed_in.get(f"/admin/{page}/", {"q": word}).context["cl"].result_list
    assert list(within) == [quibble[kind]]
    assert len(everywhere) == 2


def test_staff_find_an_agency_however_its_name_is_written(agency: Agency, stranger: Agency, signed_in: Client) -> None:
    for word in ("NORTHW\uff29ND", agency.ghl_company_id, agency.pk[4:]):
        assert list(signed_in.get("/admin/accounts/agency/", {"q": word}).context["cl"].result_list) == [agency]
