"""The back office's pages for leads."""

import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency, Member
from leads.enums import LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead
from leads.routing.pools import create_pool
from leads.routing.rules import KIND as ROUTING
from leads.rules.kinds import rule_kind
from leads.rules.service import create_rule
from tests.reactions import react

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
    assert '<option value="de_DE">' in page
    assert "German (DE)" in page
    assert "French" not in page
    page = signed_in.get(LIST, {"agency": agency.pk, "creation_locale": "de_DE"}).content.decode()
    assert names_in(page) == {"Emmy Noether"}
    assert 'name="creation_locale"' not in signed_in.get(LIST).content.decode()


def test_the_list_says_where_each_lead_stands_and_which_are_tests(signed_in: Client, agency: Agency) -> None:
    create_lead(agency, name="Ada Lovelace", status=LeadStatus.REPLY_RECEIVED, state="Massachusetts")
    page = signed_in.get(LIST).content.decode()
    assert ("Replied</span>" in page, "Massachusetts" in page, "test</span>" in page) == (True, False, False)
    create_lead(agency, name="Tried Out", is_test=True)
    assert "test</span>" in signed_in.get(LIST).content.decode()


@pytest.mark.usefixtures("people")
def test_staff_take_an_agencys_leads_along_as_the_list_shows_them(
    signed_in: Client, agency: Agency, stranger: Agency
) -> None:
    create_lead(stranger, name="Ada Lovelace", email="one@example.com")
    chosen = {"agency": agency.pk, "creation_locale": "en_US"}
    page = signed_in.get(LIST, chosen).content.decode()
    [url] = re.findall(r'action="(/admin/leads/lead/export/[^"]+)"', page)
    answer = signed_in.post(unescape(url))
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert names_in(text) == {"Ada Lovelace"}
    assert text.count("one@example.com") == 1
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (agency.pk, "Downloaded leads (CSV).")


@pytest.mark.usefixtures("people")
def test_leads_are_taken_along_of_one_agency_by_who_may_change_them(
    signed_in: Client, onlooker: Client, agency: Agency
) -> None:
    there = f"{LIST}export/?agency={agency.pk}"
    assert "export/" not in signed_in.get(LIST).content.decode()
    assert "export/" not in onlooker.get(LIST, {"agency": agency.pk}).content.decode()
    assert onlooker.post(there).status_code == 403
    refused = [signed_in.get(there), signed_in.post(f"{LIST}export/"), signed_in.post(f"{LIST}export/?agency=x")]
    assert [answer.status_code for answer in refused] == [404, 404, 404]
    assert signed_in.post(f"{there}&secret=1").status_code == 400
    assert not LogEntry.objects.exists()


def test_staff_read_why_somebody_has_a_lead_and_nobody_else(signed_in: Client, agency: Agency) -> None:
    anna, ben = (
        Member.objects.create(agency=agency, user=User.objects.create_user(name, first_name=name), role=Role.MANAGER)
        for name in ("Anna", "Ben")
    )
    pool = create_pool(agency, name="Enterprise", members=[{"member": anna, "weight": 2}, {"member": ben}])
    create_rule(ROUTING, agency, name="Everything", pool_id=pool.pk)
    lead = create_lead(agency, name="Ada Lovelace")
    react()
    page = signed_in.get("/admin/leads/assignment/", {"lead": lead.pk}).content.decode()
    assert "rule “Everything”, pool “Enterprise”" in page
    row = lead.assignments.get()
    page = " ".join(signed_in.get(f"/admin/leads/assignment/{row.pk}/change/").content.decode().split())
    assert '<td data-label="Member">Ben</td><td data-label="Why">was not next: 0.3 leads behind</td>' in page
    anna.delete()
    assert signed_in.get(f"/admin/leads/assignment/{row.pk}/change/").status_code == 200


def test_leads_are_listed_with_their_score_and_by_grade_within_an_agency(signed_in: Client, agency: Agency) -> None:
    for name, score, grade in (("Ada Lovelace", 87, "A1"), ("Emmy Noether", 12, "C3"), ("Mary Jackson", None, "")):
        lead = create_lead(agency, name=name)
        Lead.objects.filter(pk=lead.pk).update(score=score, grade=grade)
    page = signed_in.get(LIST, {"agency": agency.pk}).content.decode()
    assert ("87 A1" in page, "12 C3" in page) == (True, True)
    for grade, expected in (("A1", "Ada Lovelace"), ("none", "Mary Jackson")):
        page = signed_in.get(LIST, {"agency": agency.pk, "grade": grade}).content.decode()
        assert names_in(page) == {expected}
    assert 'name="grade"' not in signed_in.get(LIST).content.decode()


@pytest.mark.parametrize("kind", ["scoring", "routing", "target"])
def test_rules_say_in_words_which_leads_they_match(kind: str, signed_in: Client, agency: Agency) -> None:
    tree = {"field": "seniority", "op": "in", "value": ["vp"]}
    own: dict[str, dict[str, object]] = {
        "scoring": {"group": "fit", "points": 5},
        "routing": {"keeps": True},
        "target": {"minutes": 5},
    }
    rule = create_rule(rule_kind(kind), agency, name="VPs", conditions=tree, **own[kind])
    page = signed_in.get(f"/admin/leads/{kind}rule/{rule.pk}/change/", follow=True).content.decode()
    assert "The seniority is vice president" in page
