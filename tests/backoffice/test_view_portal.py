"""Staff see the portal as an agency does: they change nothing, and the agency's audit log says that they looked."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from accounts.core.enums import Role
from accounts.models import Agency, AuditEntry, Member
from leads.models import Lead
from leads.pipeline.changes import create_lead
from tests.factories import furnish
from tests.portal.routes import ROUTES


def begin(client: Client, agency: Agency) -> int:
    return client.post(f"/admin/accounts/agency/{agency.pk}/press/view_portal/").status_code


def test_staff_see_what_the_agency_sees_and_nothing_of_another(
    agency: Agency, stranger: Agency, signed_in: Client
) -> None:
    create_lead(agency, name="Ada Lovelace")
    theirs = create_lead(stranger, name="Emmy Noether")
    assert begin(signed_in, agency) == 302
    page = signed_in.get("/leads").content.decode()
    assert "Ada Lovelace" in page
    assert "Emmy Noether" not in page
    assert "You are viewing the portal as <strong>Northwind Outreach</strong>" in page
    assert signed_in.get(f"/leads/{theirs.pk}").status_code == 404


def test_every_button_of_the_portal_is_refused_and_changes_nothing(agency: Agency, signed_in: Client) -> None:
    things = furnish(agency, "Ann Lee")
    begin(signed_in, agency)
    before = list(Lead.objects.values())
    for route in ROUTES:
        if route.post:
            assert signed_in.post(route.url(things), route.data).status_code == 403, route
    for method in ("put", "patch", "delete"):
        assert getattr(signed_in, method)("/leads").status_code == 403
    assert list(Lead.objects.values()) == before


def test_pages_with_keys_and_people_stay_closed(agency: Agency, signed_in: Client) -> None:
    begin(signed_in, agency)
    assert [signed_in.get(path).status_code for path in ("/keys", "/team")] == [403, 403]


def test_the_way_back_ends_the_view_and_both_ends_are_in_the_audit_log(
    agency: Agency, staff: User, signed_in: Client
) -> None:
    begin(signed_in, agency)
    answer = signed_in.post("/admin/viewing/end/")
    assert answer["Location"] == f"/admin/accounts/agency/{agency.pk}/change/"
    assert "viewing the portal" not in signed_in.get("/", follow=True).content.decode()
    assert [(entry.action, entry.user, entry.actor_kind) for entry in AuditEntry.objects.order_by("pk")] == [
        ("Portal viewed by Leadline's staff", staff, "staff"),
        ("Portal view by Leadline's staff ended", staff, "staff"),
    ]


def test_the_view_ends_after_an_hour_and_with_the_session(agency: Agency, staff: User, signed_in: Client) -> None:
    Member.objects.create(agency=agency, user=staff, role=Role.OWNER)
    begin(signed_in, agency)
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        assert "viewing the portal" in signed_in.get("/").content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        page = signed_in.get("/").content.decode()
        assert "viewing the portal" not in page
        assert signed_in.post("/settings", {"name": "Other", "timezone": "UTC", "locale": "en-US"}).status_code == 302
    begin(signed_in, agency)
    signed_in.logout()
    signed_in.force_login(staff)
    assert "viewing the portal" not in signed_in.get("/").content.decode()


def test_the_back_office_works_on_beside_the_view(agency: Agency, signed_in: Client) -> None:
    begin(signed_in, agency)
    answer = signed_in.post(
        f"/admin/accounts/agency/{agency.pk}/change/",
        {
            "name": "Northwind",
            "ghl_company_id": agency.ghl_company_id,
            "timezone": "UTC",
            "locale": "en-US",
            "reauth_contact": "owner",
        },
    )
    assert answer.status_code == 302
    agency.refresh_from_db()
    assert agency.name == "Northwind"


@pytest.mark.parametrize("right", ["view_agency", "view_portal"])
def test_the_view_takes_a_right_of_its_own(agency: Agency, right: str) -> None:
    helper = User.objects.create_user("helper", is_staff=True)
    names = {"view_agency", right}
    helper.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts", codename__in=names))
    client = Client()
    client.force_login(helper)
    may = right == "view_portal"
    page = client.get(f"/admin/accounts/agency/{agency.pk}/change/").content.decode()
    assert ("View portal as this agency" in page) == may
    assert begin(client, agency) == (302 if may else 403)
    assert ("viewing the portal" in client.get("/").content.decode()) == may
    helper.user_permissions.clear()
    assert "viewing the portal" not in client.get("/").content.decode()


def test_no_session_of_an_agencys_own_can_claim_a_view(agency: Agency, stranger: Agency) -> None:
    client = Client()
    user = User.objects.create_user("member")
    Member.objects.create(agency=agency, user=user, role=Role.OWNER)
    client.force_login(user)
    session = client.session
    session["viewed_agency"] = {"agency": stranger.pk, "until": (timezone.now() + timedelta(hours=1)).timestamp()}
    session.save()
    assert "Stranger" not in client.get("/").content.decode()
    assert begin(client, stranger) in (302, 403)
    assert not AuditEntry.objects.filter(agency=stranger).exists()
