"""Possible duplicates on their page, and merges by hand from a lead's page."""

import pytest
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency
from leads.models import DuplicateProposal
from leads.pipeline.changes import create_lead
from leads.pipeline.merge import root_id
from tests.portal.browser import Browser
from tests.reactions import react

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]
PHONE = "+49 30 1234567"


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


def test_a_pair_is_shown_side_by_side_and_decided(agency: Agency, manager: Client) -> None:
    one = create_lead(agency, name="Zoë Müller", company="Acme", email="one@example.com", phone=PHONE)
    two = create_lead(agency, name="Zoe Müller", company="Globex", email="two@example.com", phone=PHONE)
    create_lead(agency, name="Bea Example", email="three@example.com", phone=PHONE)
    react()
    html = manager.get("/duplicates").content.decode()
    assert [word in html for word in ("one@example.com", "two@example.com", "Same telephone", "Globex")] == [True] * 4
    first = DuplicateProposal.objects.get(lead=one, other=two)
    page = manager.post(f"/duplicates/{first.pk}/merge", follow=True).content.decode()
    assert "Merged into Zoë Müller." in page
    assert root_id(two.pk) == one.pk
    react()
    second = DuplicateProposal.objects.get(decision="", lead=one)
    page = manager.post(f"/duplicates/{second.pk}/dismiss", follow=True).content.decode()
    assert "No possible duplicates" in page
    page = manager.post(f"/duplicates/{first.pk}/dismiss", follow=True).content.decode()
    assert "were merged already" in page


def test_two_leads_are_merged_by_hand_and_parted_on_their_page(agency: Agency, manager: Client) -> None:
    one = create_lead(agency, name="Ada Example", email="ada@example.com")
    two = create_lead(agency, name="A. Example", email="other@example.com", title="Owner")
    found = manager.get(f"/leads/{one.pk}/merge", {"q": "A. Ex"}).content.decode()
    assert f"?other={two.pk}" in found
    assert f"?other={one.pk}" not in found
    compared = manager.get(f"/leads/{one.pk}/merge", {"other": two.pk}).content.decode()
    assert [word in compared for word in ("ada@example.com", "other@example.com", "Differs")] == [True] * 3
    page = manager.post(f"/leads/{one.pk}/merge", {"other": two.pk}, follow=True).content.decode()
    assert f"The lead {two.pk} was merged into this one." in page
    assert "Owner" in page
    page = manager.post(f"/leads/{one.pk}/unmerge", {"record": two.pk}, follow=True).content.decode()
    assert f"The merge of the lead {two.pk} into this one was undone." in page
    assert f"The merge into the lead {one.pk} was undone." in manager.get(f"/leads/{two.pk}").content.decode()


def test_a_lead_that_is_not_there_cannot_be_merged(agency: Agency, stranger: Agency, manager: Client) -> None:
    one, theirs = create_lead(agency, email="ada@example.com"), create_lead(stranger, email="zed@example.com")
    for other in (theirs.pk, "lead_nobody", ""):
        page = manager.post(f"/leads/{one.pk}/merge", {"other": other}, follow=True).content.decode()
        assert "Choose a lead to merge with." in page, other
    assert "zed@example.com" not in manager.get(f"/leads/{one.pk}/merge", {"other": theirs.pk}).content.decode()
