"""Staff set up an agency with its owner in one form, and see on its page how it is doing."""

import re

from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from accounts.models import Agency, ApiKey, AuditEntry, Event, Invitation
from tests.factories import make_everything

ADD = "/admin/accounts/agency/add/"
NEW = {
    "name": "Contoso",
    "owner_email": "Olive@Example.com",
    "timezone": "Europe/Berlin",
    "locale": "en-US",
    "ghl_company_id": "contosoCompany000001",
}


def test_one_form_makes_the_agency_and_invites_its_owner(signed_in: Client, staff: User) -> None:
    answer = signed_in.post(ADD, NEW, follow=True)
    agency = Agency.objects.get()
    assert (agency.name, agency.timezone, agency.ghl_company_id) == ("Contoso", "Europe/Berlin", "contosoCompany000001")
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by) == ("olive@example.com", "owner", staff)
    assert Event.objects.get().recipient == "olive@example.com"
    page = answer.content.decode()
    assert "Contoso created. Invitation sent to olive@example.com." in page
    assert answer.request["PATH_INFO"] == f"/admin/accounts/agency/{agency.pk}/change/"
    assert {entry.user for entry in AuditEntry.objects.filter(agency=agency)} == {staff}
    assert mail.outbox == []  # a worker sends it


def test_no_key_of_the_agency_is_made_or_shown(signed_in: Client) -> None:
    page = signed_in.post(ADD, NEW, follow=True).content.decode()
    assert not ApiKey.objects.exists()
    assert not re.search(r"\bll_\w{10,}", page)


def test_a_wrong_address_leaves_no_agency_behind(signed_in: Client) -> None:
    for wrong in ("", "olive", "olive@localhost@example.com"):
        answer = signed_in.post(ADD, NEW | {"owner_email": wrong})
        assert "owner_email" in answer.context["adminform"].form.errors, wrong
    assert not Agency.objects.exists()


def test_a_company_id_that_is_taken_is_refused_beside_the_form(signed_in: Client, agency: Agency) -> None:
    answer = signed_in.post(ADD, NEW | {"ghl_company_id": agency.ghl_company_id})
    assert list(answer.context["adminform"].form.errors) == ["ghl_company_id"]
    assert not Invitation.objects.exists()


def test_an_agencys_page_says_how_it_is_doing(signed_in: Client, staff: User, agency: Agency, stranger: Agency) -> None:
    make_everything(agency, staff, text="Ann")

    def states(of: Agency) -> dict[str, str]:
        page = signed_in.get(f"/admin/accounts/agency/{of.pk}/change/").content.decode()
        rows = re.findall(r'data-label="Check">(.*?)</td>.*?data-label="State">(.*?)</td>', page, re.S)
        return {title: re.sub(r"<[^>]+>", "", state).split()[-1] for title, state in rows}

    assert set(states(stranger).values()) == {"OK"}
    assert states(agency) == {
        "Accounts that need attention": "1",
        "Open incidents": "1",
        "Sources with issues": "1",
        "Leads awaiting reply": "1",
        "Unrecognised events": "1",
        "Failing channels": "1",
        "Failed deliveries (24 h)": "1",
    }
