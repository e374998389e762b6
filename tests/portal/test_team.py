"""People come in by an invitation, and an agency keeps its owner."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.core.errors import FieldError
from accounts.models import Agency, Event, Invitation, Member
from accounts.tenancy.team import accept_invitation_as_new_user, invitation_url, invite_member
from accounts.tenancy.verified_email import mark_email_verified
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from notifications.models import Delivery
from tests.portal.browser import Browser

PASSWORD = "a long and strange sentence"


def link(agency: Agency, email: str = "lena@example.com", role: Role = Role.MANAGER) -> str:
    owner = agency.members.filter(role=Role.OWNER).get().user
    url = invitation_url(invite_member(agency, email=email, role=role, invited_by=owner).pk)
    return url.removeprefix("http://127.0.0.1:8000")


def accept(path: str, **given: str) -> Any:
    client = Client()
    return client, client.post(path, {"password": PASSWORD, "again": PASSWORD, **given})


def test_an_invited_person_gets_a_mail_chooses_a_password_and_is_in(agency: Agency, sign_in: Browser) -> None:
    create_channel(agency, kind="email", email="team@example.com", verified=True)
    owner = sign_in(Role.OWNER)
    owner.post("/team", {"email": "Lena@Example.com", "role": "manager"})
    drain_deliveries()
    [message] = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    assert message.to == ["lena@example.com"]
    assert message.subject == "Northwind Outreach invites you to Leadline"
    assert "a manager, who may do everything but change the team and API keys" in str(message.body)
    [path] = re.findall(r"http://127\.0\.0\.1:8000(/invitation/\S+)", str(message.body))
    assert path in str(message.alternatives[0][0])
    assert "List-Unsubscribe" not in message.extra_headers
    page = Client().get(path)
    assert page.status_code == 200
    assert not Member.objects.filter(user__email="lena@example.com").exists()
    client, answer = accept(path, first_name="Lena", last_name="Roth")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    member = Member.objects.get(user__email="lena@example.com")
    assert (member.agency, member.role, member.user.get_full_name()) == (agency, Role.MANAGER, "Lena Roth")
    assert "Welcome to Northwind Outreach" in client.get("/").content.decode()
    other = Client()
    signed = other.post("/accounts/login/", {"login": "lena@example.com", "password": PASSWORD})
    assert (signed.status_code, signed["Location"]) == (302, "/")


def test_the_event_of_an_invitation_holds_no_link_and_reaches_nobody_else(agency: Agency, sign_in: Browser) -> None:
    create_channel(agency, kind="webhook", url="https://example.com/in")
    create_channel(agency, kind="email", email="team@example.com", verified=True)
    sign_in(Role.OWNER).post("/team", {"email": "lena@example.com", "role": "read_only"})
    drain_deliveries()
    event = Event.objects.get(event_type=EventType.MEMBER_INVITED)
    token = invitation_url(Invitation.objects.get().pk).rpartition("/")[2]
    assert set(event.payload) == {"event_type", "event_id", "ghl_company_id", "timestamp", "role"}
    assert token.rpartition("~")[2] not in str(event.__dict__)
    assert [(delivery.channel, delivery.recipient) for delivery in Delivery.objects.all()] == [
        (None, "lena@example.com")
    ]


def test_pressing_twice_sends_one_mail_and_makes_one_invitation(agency: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    for address in ("lena@example.com", "LENA@example.com"):
        owner.post("/team", {"email": address, "role": "manager"})
    drain_deliveries()
    assert len(mail.outbox) == Invitation.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        owner.post("/team", {"email": "lena@example.com", "role": "read_only"})
        drain_deliveries()
    assert len(mail.outbox) == 2
    assert Invitation.objects.get().role == Role.READ_ONLY


def test_an_invitation_is_good_once(agency: Agency, sign_in: Browser) -> None:
    sign_in(Role.OWNER)
    path = link(agency)
    accept(path)
    _, again = accept(path)
    assert again.status_code == 410
    assert "accepted already" in again.content.decode()
    assert User.objects.filter(email="lena@example.com").count() == 1


def test_an_invitation_ends_after_seven_days_or_when_it_is_withdrawn(agency: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    path = link(agency)
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert "has expired" in accept(path)[1].content.decode()
    owner.post(f"/team/invitations/{Invitation.objects.get().pk}/withdraw")
    gone = Client().get(path)
    assert (gone.status_code, "was withdrawn" in gone.content.decode()) == (410, True)
    assert not User.objects.filter(email="lena@example.com").exists()


@pytest.mark.parametrize("spoil", ["x", "inv_0~x", ""])
def test_a_link_that_was_never_ours_is_not_found(agency: Agency, sign_in: Browser, spoil: str) -> None:
    sign_in(Role.OWNER)
    path = link(agency)
    assert Client().get(f"{path[:-2]}{spoil}" if spoil != "inv_0~x" else "/invitation/inv_0~x").status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(
    ("password", "again", "complaint"),
    [
        ("short", "short", "too short"),
        ("password123", "password123", "too common"),
        ("lena@example.com", "lena@example.com", "too similar"),
        (PASSWORD, "another one entirely", "The two passwords do not match."),
    ],
)
def test_a_weak_password_lets_nobody_in(
    agency: Agency, sign_in: Browser, password: str, again: str, complaint: str
) -> None:
    sign_in(Role.OWNER)
    _, answer = accept(link(agency), password=password, again=again)
    assert complaint in answer.content.decode()
    assert 'name="password" value' not in answer.content.decode()
    assert not User.objects.filter(email="lena@example.com").exists()
    assert Invitation.objects.get().accepted_at is None


def test_who_has_a_password_already_signs_in_and_presses_join(
    agency: Agency, stranger: Agency, sign_in: Browser
) -> None:
    sign_in(Role.OWNER)
    lena = User.objects.create_user("lena", "Lena@example.com", PASSWORD)
    mark_email_verified(lena, lena.email)
    Member.objects.create(agency=stranger, user=lena, role=Role.READ_ONLY)
    path = link(agency)
    page = Client().get(path).content.decode()
    assert "already has a password here" in page
    assert 'name="password"' not in page
    assert accept(path)[1]["Location"] == path
    someone = Client()
    someone.force_login(User.objects.create_user("someone", "someone@example.com", PASSWORD))
    assert "This invitation is for" in someone.get(path).content.decode()
    assert someone.post(path)["Location"] == path
    assert not agency.members.exclude(role=Role.OWNER).exists()
    client = Client()
    client.force_login(lena)
    assert client.post(path).status_code == 302
    assert set(lena.memberships.values_list("agency_id", "role")) == {
        (agency.pk, Role.MANAGER),
        (stranger.pk, Role.READ_ONLY),
    }
    assert "Northwind Outreach" in client.get("/").content.decode()


def test_who_is_a_member_already_is_not_invited(agency: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    sign_in(Role.MANAGER)
    address = User.objects.get(username__startswith="manager").email
    answer = owner.post("/team", {"email": address.upper(), "role": "owner"})
    assert answer.status_code == 422
    assert "is a member already" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_invitations_that_wait_are_limited(agency: Agency, sign_in: Browser) -> None:
    sign_in(Role.OWNER)
    for number in range(50):
        link(agency, f"p{number}@example.com")
    with pytest.raises(FieldError, match="Too many invitations"):
        link(agency, "one.more@example.com")


def test_roles_change_and_people_leave_but_an_owner_stays(agency: Agency, sign_in: Browser) -> None:
    owner, manager = sign_in(Role.OWNER), sign_in(Role.MANAGER)
    first = agency.members.get(role=Role.OWNER)
    second = agency.members.get(role=Role.MANAGER)
    for path, data in ((f"/team/{first.pk}/role", {"role": "manager"}), (f"/team/{first.pk}/remove", {})):
        page = owner.post(path, data, follow=True).content.decode()
        assert "An agency needs an owner" in page
    assert agency.members.get(role=Role.OWNER) == first
    owner.post(f"/team/{second.pk}/role", {"role": "owner"})
    assert manager.get("/team").status_code == 200
    assert owner.post(f"/team/{first.pk}/remove", follow=True).redirect_chain == [("/", 302)]
    assert owner.get("/leads").status_code == 403
    assert list(agency.members.values_list("user__username", flat=True)) == [second.user.username]


def test_a_name_that_is_taken_makes_no_trouble(agency: Agency, sign_in: Browser) -> None:
    sign_in(Role.OWNER)
    User.objects.create_user("lena@example.com", "elsewhere@example.com", PASSWORD)
    token = link(agency).rpartition("/")[2]
    member = accept_invitation_as_new_user(token, password=PASSWORD)
    assert member.user.email == "lena@example.com"
    assert member.user.username != "lena@example.com"


def test_a_member_can_set_up_a_second_factor(sign_in: Browser) -> None:
    client = sign_in(Role.MANAGER)
    assert 'href="/accounts/2fa/"' in client.get("/").content.decode()
    assert client.get("/accounts/2fa/").status_code == 200


def test_guessing_passwords_is_slowed_down(agency: Agency, sign_in: Browser, fresh_cache: None) -> None:
    sign_in(Role.OWNER)
    name = agency.members.get().user.username
    client = Client()
    answers = [
        client.post("/accounts/login/", {"login": name, "password": f"guess {number}"}).content.decode()
        for number in range(12)
    ]
    assert "Too many failed login attempts" in answers[-1]


def test_the_link_of_an_invitation_is_in_no_log(
    agency: Agency, sign_in: Browser, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    sign_in(Role.OWNER)
    path = link(agency)
    Client().get(path)
    accept(path, password="short", again="short")
    token = path.rpartition("/")[2]
    logged = caplog.text + "".join(capfd.readouterr())
    assert "/invitation/<str:token>" in logged
    assert token not in logged


def test_what_a_member_changes_stands_in_the_audit_trail(agency: Agency, sign_in: Browser) -> None:
    browser = sign_in(Role.OWNER)
    owner = agency.members.get()
    colleague = Member.objects.create(agency=agency, user=User.objects.create_user("colleague"), role=Role.READ_ONLY)
    browser.post(f"/team/{colleague.pk}/role", {"role": "manager"})
    browser.post(f"/team/{colleague.pk}/remove")
    browser.post("/team", {"email": "new@example.com", "role": "manager"})
    browser.post(f"/team/invitations/{agency.invitations.get().pk}/withdraw")
    browser.post("/keys", {"name": "CRM", "scopes": "read", "lifetime": ""})
    browser.post(f"/keys/{agency.api_keys.get(name='CRM').pk}/revoke")
    browser.post("/settings", {"name": "Other", "timezone": "UTC", "locale": "en-US"})
    browser.post("/sources", {"provider": "sendpilot", "name": "", "secret": ""})
    source = agency.sources.get().pk
    browser.post(f"/sources/{source}/switch", {"to": "off"})
    browser.post(f"/sources/{source}/rotate", {"secret": ""})
    browser.post(f"/sources/{source}/remove")
    channel, _ = create_channel(agency, kind="webhook", url="https://example.com/")
    for button in ("test", "off", "on", "remove"):
        browser.post(f"/notifications/channels/{channel.pk}/{button}")
    rows = LogEntry.objects.filter(user=owner.user).order_by("id")
    assert [f"{row.content_type.model}: {row.change_message}" for row in rows if row.content_type] == [
        "member: Role changed: read_only → manager.",
        "member: Removed.",
        "invitation: Invited: manager.",
        "invitation: Revoked.",
        "apikey: Created.",
        "apikey: Revoked.",
        "agency: Changed: name.",
        "source: Created.",
        "source: Changed: enabled.",
        "source: Secret rotated.",
        "source: Removed.",
        "channel: Test sent.",
        "channel: Disabled.",
        "channel: Enabled.",
        "channel: Removed.",
    ]


def test_an_owner_says_until_when_somebody_is_away_and_when_they_work(agency: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    member = agency.members.get()
    calendar = agency.calendars.create(name="Office", timezone="UTC")
    Agency.objects.filter(pk=agency.pk).update(timezone="Europe/Berlin")
    form = {"paused_until": "2199-06-30", "calendar": calendar.pk}
    assert owner.post(f"/team/{member.pk}/availability", form).status_code == 302
    member.refresh_from_db()
    assert (str(member.paused_until), member.calendar) == ("2199-06-30 22:00:00+00:00", calendar)
    page = owner.get("/team").content.decode()
    assert 'value="2199-06-30"' in page
    owner.post(f"/team/{member.pk}/availability", {"paused_until": "", "calendar": ""})
    member.refresh_from_db()
    assert (member.paused_until, member.calendar) == (None, None)
