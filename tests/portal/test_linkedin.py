"""The page of a LinkedIn source: what is set up, what is wrong, the way to connect."""

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency, Member, Source
from accounts.sources.service import create_source
from config.demo.linkedin_api.forms import form
from leads.lead_sync import backfill
from leads.models import LeadSync, Subscription
from tests.leads.lead_sync.linkedin import connected, linkedin, sync_of, work
from tests.portal.browser import Browser

pytestmark = pytest.mark.django_db


def page(sign_in: Browser, source: Source, role: Role = Role.OWNER) -> str:
    answer = sign_in(role).get(f"/sources/{source.pk}/linkedin")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_somebody_who_begins_sees_what_to_do_first(agency: Agency, sign_in: Browser) -> None:
    source, _ = create_source(agency=agency, provider="linkedin", secret="hush")
    text = page(sign_in, source)
    assert "Nobody has connected LinkedIn yet" in text
    assert "Client ID" in text
    assert "/authorization" not in text
    assert not LeadSync.objects.exists()
    client = sign_in(Role.MANAGER)
    client.post(f"/sources/{source.pk}/linkedin/app", {"client_id": "my-app"})
    text = page(sign_in, source)
    assert 'href="https://www.linkedin.com/oauth/v2/authorization?' in text
    assert "client_id=my-app" in text
    assert "authorization" not in page(sign_in, source, Role.READ_ONLY)


def test_owners_are_added_and_taken_away(agency: Agency, sign_in: Browser) -> None:
    source, _ = create_source(agency=agency, provider="linkedin", secret="hush")
    client = sign_in()
    url = f"/sources/{source.pk}/linkedin/want"
    client.post(url, {"lead_type": "SPONSORED", "owner": "520866471"})
    client.post(url, {"lead_type": "EVENT", "owner": "urn:li:organization:7"})
    client.post(url, {"lead_type": "EVENT", "owner": "nobody"})
    wanted = Subscription.objects.filter(wanted=True).order_by("pk")
    assert [(row.owner, row.lead_type) for row in wanted] == [
        ("urn:li:sponsoredAccount:520866471", "SPONSORED"),
        ("urn:li:organization:7", "EVENT"),
    ]
    client.post(url, {"forget": str(wanted[1].pk)})
    assert Subscription.objects.get(wanted=True).lead_type == "SPONSORED"


def test_what_is_done_is_ticked_and_who_connected_is_shown(agency: Agency, sign_in: Browser) -> None:
    person = User.objects.create_user("ann@example.com", "ann@example.com", "correct horse")
    Member.objects.create(agency=agency, user=person, role=Role.MANAGER)
    with linkedin():
        source = connected(agency, user=person)
        work()
        text = page(sign_in, source)
    assert "Subscribed" in text
    assert "ann@example.com" in text
    assert text.count("To do") == 2  # a public https address, and a test lead
    assert "Back-fill from LinkedIn" in text


def test_portal_and_back_office_name_a_form_that_linkedin_does_not_show(
    agency: Agency, sign_in: Browser, staff: User
) -> None:
    back_office = Client()
    back_office.force_login(staff)
    with linkedin() as stand_in:
        stand_in.world.forms[901] = form(901)
        source = connected(agency)
        work()
        stand_in.world.refuse("leadForms", key="901")
        stand_in.world.submit(form=901)
        backfill.plan(sync_of(source))
        work()
    pages = [
        page(sign_in, source),
        *(unescape(sign_in().get(path).content.decode()) for path in ("/sources",)),
        *(
            unescape(back_office.get(f"/admin/{path}/{source.pk}/change/").content.decode())
            for path in ("leads/leadsync", "accounts/source")
        ),
    ]
    assert ["The form 901 is not shown" in text for text in pages] == [True] * 4
    assert "Action required" in pages[0]
    assert "Leads incomplete" in pages[1]
    assert "Not shown since" in pages[2]
    Agency.objects.filter(pk=agency.pk).update(locale="de-DE")
    assert "Das Formular 901 wird nicht gezeigt: " in page(sign_in, source)
    assert "Das Formular 901 wird nicht gezeigt: " in unescape(sign_in().get("/sources").content.decode())
