"""Target lists on their pages: what is uploaded, what is shown, what is refused."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency
from leads.rules.service import create_rule
from leads.scoring.kind import KIND
from leads.target_lists.service import create_list
from tests.portal.browser import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


def file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("companies.csv", content)


def test_a_file_becomes_a_list_and_its_page_says_what_was_not_read(agency: Agency, manager: Client) -> None:
    content = b"Company;Domain\nAcme GmbH;acme.example.com\nAda;gmail.com\n"
    page = manager.post("/target-lists/new", {"name": "Key accounts", "csv": file(content)}, follow=True)
    html = page.content.decode()
    listed = agency.target_lists.get()
    assert page.redirect_chain == [(f"/target-lists/{listed.pk}", 302)]
    for text in ("3 companies are on the list.", "1 row could not be read.", "Acme GmbH", "a provider of free mail"):
        assert text in html
    assert "Globex" not in html
    found = manager.get(f"/target-lists/{listed.pk}", {"q": "ACME.ex"}).content.decode()
    assert ("acme.example.com" in found, "Acme GmbH" in found) == (True, False)
    changed = {"name": "Partners", "csv": file(b"Globex")}
    html = manager.post(f"/target-lists/{listed.pk}/change", changed, follow=True).content.decode()
    assert ("Globex" in html, "Acme" in html, "1 company is on the list." in html) == (True, False, True)
    manager.post(f"/target-lists/{listed.pk}/change", {"name": "Renamed"})
    assert [(one.name, one.companies) for one in agency.target_lists.all()] == [("Renamed", 1)]


def test_what_cannot_be_read_is_said_beside_the_file(agency: Agency, manager: Client) -> None:
    for data, message in (
        ({"name": "Key accounts", "csv": file(b"Company\n")}, "names no company"),
        ({"name": "Key accounts", "csv": file(b"x" * (20 * 1024 * 1024 + 1))}, "larger than 20 MB"),
        ({"name": "Key accounts"}, "This field is required"),
    ):
        answer = manager.post("/target-lists/new", data)
        assert (answer.status_code, message in answer.content.decode()) == (422, True), message
    assert not agency.target_lists.exists()


def test_a_list_that_a_rule_asks_about_names_the_rule_and_stays(agency: Agency, manager: Client) -> None:
    listed = create_list(agency, name="Key accounts", file=BytesIO(b"Acme"))
    asks = {"field": "target_list", "op": "on_list", "value": listed.pk}
    create_rule(KIND, agency, name="Wanted", group="fit", points=30, conditions=asks)
    assert "Asked about by the rule Wanted." in manager.get(f"/target-lists/{listed.pk}").content.decode()
    html = manager.post(f"/target-lists/{listed.pk}/delete", follow=True).content.decode()
    assert ("Change or delete the rule first." in html, agency.target_lists.count()) == (True, 1)
    agency.scoringrules.all().delete()
    manager.post(f"/target-lists/{listed.pk}/delete")
    assert not agency.target_lists.exists()


def test_the_builder_offers_lists_by_name_once_there_are_any(agency: Agency, manager: Client) -> None:
    assert "target_list" not in manager.get("/rules/scoring/new").content.decode()
    listed = create_list(agency, name="Key accounts", file=BytesIO(b"Acme"))
    html = manager.get("/rules/scoring/new").content.decode()
    assert ("target_list" in html, listed.pk in html, "Key accounts" in html) == (True, True, True)
