"""The back office's pages for leads."""

import pytest
from django.test import Client

from accounts.models import Agency
from leads.services import create_lead

LIST = "/admin/leads/lead/"


@pytest.fixture
def people(agency: Agency) -> None:
    for name, locale in (("Ada Lovelace", "en_US"), ("Emmy Noether", "de_DE"), ("Mary Jackson", "")):
        create_lead(agency, name=name, email="one@example.com", creation_locale=locale)


def names_in(page: str) -> set[str]:
    return {name for name in ("Ada Lovelace", "Emmy Noether", "Mary Jackson") if name in page}


@pytest.mark.usefixtures("people")
def test_leads_are_listed_by_the_language_of_their_form(signed_in: Client, agency: Agency, stranger: Agency) -> None:
    create_lead(stranger, email="one@example.com", creation_locale="fr_FR")
    page = signed_in.get(LIST, {"agency": agency.pk}).content.decode()
    assert "creation_locale=de_DE" in page
    assert "German (DE)" in page
    assert "French" not in page
    page = signed_in.get(LIST, {"agency": agency.pk, "creation_locale": "de_DE"}).content.decode()
    assert names_in(page) == {"Emmy Noether"}
    assert "creation_locale=" not in signed_in.get(LIST).content.decode()
