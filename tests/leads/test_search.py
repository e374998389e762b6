"""A search finds the same on every back end, however names are written."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.core.derived_fields import fold, search_text
from accounts.core.unit_of_work import ReportBatch
from accounts.linkedin.links import linked_accounts, propose_links, proposed_links
from accounts.models import Account, Agency, Member
from accounts.tenancy.api_keys import create_api_key
from leads.models import Lead
from leads.pipeline.changes import create_lead, update_lead
from leads.pipeline.merge import merge_leads
from leads.pipeline.search import find_lead_ids
from leads.privacy.erasure import erase_lead
from tests.api.client import Api
from tests.leads.reporting import NOON, report
from tests.receiving import drain

JOERG, ZOE = "J\u00f6rg \u00c4rmel", "Zoe\u0308 Nfd"
IVAN = "\u0418\u0412\u0410\u041d \u041f\u0435\u0442\u0440\u043e\u0432"
FOUND_BY = {
    JOERG: [
        "J\u00d6RG",
        "\u00e4rmel",
        "jorg",
        "J\u00f6rg  \u00c4rmel",
        "jo\u0308rg",
        "ARMEL",
        "g \u00e4",
        "\uff4a\u00f6rg",
    ],
    IVAN: [
        "\u0438\u0432\u0430\u043d",
        "\u041f\u0415\u0422\u0420\u041e\u0412",
        "\u0438\u0432\u0430\u043d\t\u043f\u0435\u0442\u0440\u043e\u0432",
    ],
    ZOE: ["Zo\u00eb", "ZOE\u0308", "zoe", "ZO\u00cb  NFD"],
    "Stra\u00dfe  \ufb01x": ["STRASSE", "stra\u00dfe fix", "TRA\u1e9eE"],
    "Anna\u00a0Two\u2003Blanks": ["anna two", "two  blanks"],
    "Zero\u200bWidth": ["zerowidth", "zero\u00adwidth"],
    "100% _real_": ["100%", "_real_", "% _"],
}
FINDS_NOTHING = ["%", "j_rg", "\\", "\u200b", "nfd zo", "nobody!"]


@pytest.fixture
def api(agency: Agency) -> Api:
    return Api(create_api_key(agency)[1])


def ids(api: Api, resource: str, word: str) -> list[str]:
    answer = api.get(resource, {"q": word})
    assert answer.status_code == 200
    return [row["id"] for row in answer.json()["results"]]


@pytest.mark.parametrize("name", FOUND_BY)
def test_leads_are_found_by_a_part_of_their_name_however_it_is_written(agency: Agency, api: Api, name: str) -> None:
    create_lead(agency, name="Somebody Else", email="else@example.com")
    leads = [create_lead(agency, name=name), create_lead(agency, company=f"x {name} x")]
    for word in FOUND_BY[name]:
        assert ids(api, "leads", word) == [leads[1].pk, leads[0].pk], word


@pytest.mark.parametrize("name", FOUND_BY)
def test_accounts_are_found_by_a_part_of_their_name_however_it_is_written(
    agency: Agency, api: Api, owner: Client, name: str
) -> None:
    account = account_of(agency, "salesflow", name=name)
    other = account_of(agency, "salesflow", name="Somebody Else")
    for word in FOUND_BY[name]:
        assert ids(api, "accounts", word) == [account.pk], word
        page = owner.get("/linkedin", {"q": word}).content.decode()
        assert (account.pk in page, other.pk in page) == (True, False), word


@pytest.mark.parametrize("word", FINDS_NOTHING)
def test_what_is_part_of_no_name_finds_nothing(agency: Agency, api: Api, word: str) -> None:
    for name in (JOERG, ZOE):
        create_lead(agency, name=name)
        account_of(agency, "salesflow", name=name)
    assert ids(api, "leads", word) == ids(api, "accounts", word) == []


@pytest.mark.parametrize(
    "word", ["/", "@", "x@", "//", "https://", "linkedin.com", "/in/", "https://www.linkedin.com/in/"]
)
def test_what_names_nobody_finds_no_lead_in_the_portal_or_the_back_office(
    agency: Agency, owner: Client, staff_client: Client, word: str
) -> None:
    lead = create_lead(agency, name="No Profile")
    assert f"/leads/{lead.pk}" not in owner.get("/leads", {"q": word}).content.decode()
    listed = staff_client.get("/admin/leads/lead/", {"q": word, "agency": agency.pk})
    assert list(listed.context["cl"].result_list) == []


@pytest.mark.parametrize(
    "word",
    [
        *("J\u00d6RG@example.com", "j\u00f6rg@EXAMPLE.com", "jo\u0308rg@example.com"),
        *("https://de.linkedin.com/in/J\u00d6RG/", "linkedin.com/in/j%C3%B6rg"),
    ],
)
def test_an_address_is_found_exactly_however_it_is_written(
    agency: Agency, owner: Client, staff_client: Client, word: str
) -> None:
    lead = create_lead(agency, email="J\u00f6rg@example.com", linkedin_url="https://www.linkedin.com/in/j%c3%b6rg")
    create_lead(agency, email="other-j\u00f6rg@other.example.com", linkedin_url="https://www.linkedin.com/in/g%c3%b6rg")
    assert find_lead_ids(agency.pk, word) == {lead.pk}
    assert f"/leads/{lead.pk}" in owner.get("/leads", {"q": word}).content.decode()
    listed = staff_client.get("/admin/leads/lead/", {"q": word, "agency": agency.pk})
    assert list(listed.context["cl"].result_list) == [lead]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("ann.of-the-long-address@mail.example.com", {0, 1}),
        ("OF-THE-LONG-ADDRESS@MAIL.EXAMPLE", {0, 1}),
        ("joann.of-the-long-address@mail.example.com", {1}),
        ("ann.of-the-long-address@other.example.com", set()),
        ("https://www.linkedin.com/in/somebody-of-the-long-address", {0, 1}),
        ("https://www.linkedin.com/in/somebody-of-the-long-address-2", {1}),
        ("https://www.linkedin.com/in/nobody-of-the-long-address-2", set()),
    ],
)
def test_a_long_address_is_compared_as_a_whole(agency: Agency, api: Api, word: str, found: set[int]) -> None:
    leads = [
        create_lead(
            agency,
            email=f"{name}.of-the-long-address@mail.example.com",
            linkedin_url=f"https://www.linkedin.com/in/somebody-of-the-long-address{number}",
        )
        for name, number in (("ann", ""), ("joann", "-2"))
    ]
    assert set(ids(api, "leads", word)) == {leads[place].pk for place in found}


def test_a_profile_is_found_in_every_spelling_and_by_merged_records(agency: Agency, api: Api) -> None:
    lead = create_lead(agency, name="Anna", linkedin_url="https://www.linkedin.com/in/anna-example")
    other = create_lead(agency, linkedin_url="https://www.linkedin.com/sales/lead/ACwAAExample12345")
    assert ids(api, "leads", "https://de.linkedin.com/in/Anna-Example/details/") == [lead.pk]
    merge_leads(lead, other)
    assert find_lead_ids(agency.pk, "linkedin.com/sales/people/ACwAAExample12345,NAME") == {lead.pk}
    assert find_lead_ids(agency.pk, other.pk) == {lead.pk}


def test_the_search_text_follows_every_way_in_which_a_lead_changes(agency: Agency, api: Api) -> None:
    report(agency, 1, "https://www.linkedin.com/in/zo%C3%AB")
    drain()
    [lead] = Lead.objects.all()
    assert ids(api, "leads", "ZO\u00cb") == [lead.pk]
    lead = update_lead(lead, name=JOERG, email="a@example.com")
    assert ids(api, "leads", "J\u00d6RG") == ids(api, "leads", "A@EXAMPLE") == [lead.pk]
    update_lead(lead, name="", company="New \u00c4 Co")
    assert (ids(api, "leads", "j\u00f6rg"), ids(api, "leads", "\u00e4 co")) == ([], [lead.pk])
    with ReportBatch() as work:
        lead.first_name, lead.last_name = "\u0418\u0432\u0430\u043d", "P"
        work.update(lead, "first_name", "last_name")
    assert ids(api, "leads", "\u0418\u0412\u0410\u041d P") == [lead.pk]
    Lead.objects.bulk_create([Lead(agency=agency, name=ZOE, status_since=NOON, received_at=NOON)])
    assert len(ids(api, "leads", "zo\u00eb nfd")) == 1


def test_of_an_erased_lead_no_search_text_stays(agency: Agency) -> None:
    lead, other = create_lead(agency, name=JOERG), create_lead(agency, name="Canary")
    merge_leads(lead, other)
    erase_lead(lead)
    assert not Lead.all_records.exclude(search_text="").exists()


def test_accounts_of_one_person_are_linked_by_every_spelling_of_the_identifier(agency: Agency) -> None:
    one = account_of(agency, "salesflow", name="A", public_identifier="Zo\u00eb")
    same = [
        account_of(agency, "welink", name="B", public_identifier="ZO%C3%8B"),
        account_of(agency, "sendpilot", name="C", public_identifier="https://de.linkedin.com/in/zoe\u0308/"),
    ]
    nobody = [
        account_of(agency, "welink", name=str(n), public_identifier=word) for n, word in enumerate(["N/A", "N/A", "-"])
    ]
    assert linked_accounts([one])[one.pk] == same[::-1]
    assert linked_accounts(nobody) == {account.pk: [] for account in nobody}


def test_accounts_of_the_same_name_are_proposed_however_it_is_written(agency: Agency) -> None:
    one, other = (
        account_of(agency, "salesflow", name="J\u00d6RG  \u00c4rmel"),
        account_of(agency, "welink", name="jo\u0308rg \u00e4RMEL"),
    )
    longer = account_of(agency, "welink", name="J\u00f6rg \u00c4rmelmann")
    propose_links(one)
    assert [(row.first, row.second) for row in proposed_links(one)] == [(one, other)]
    assert proposed_links(longer) == []


@given(st.text(), st.text())
def test_folding_is_settled_and_a_text_contains_itself(text: str, other: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert folded in search_text([other, text])
    assert "\n" not in folded


def account_of(agency: Agency, provider: str, **fields: Any) -> Account:
    return Account.objects.create(agency=agency, provider=provider, status="active", status_since=NOON, **fields)


@pytest.fixture
def owner(agency: Agency) -> Client:
    user = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse battery")
    Member.objects.create(agency=agency, user=user, role="owner")
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff_client(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client
