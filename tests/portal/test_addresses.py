"""An address stands for a person only when they have proved it."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from accounts.core.enums import Role
from accounts.core.errors import FieldError
from accounts.models import Agency, Invitation, Member
from accounts.tenancy.team import accept_invitation_as_new_user, invitation_url, invite_member
from accounts.tenancy.verified_email import find_user_by_email, mark_email_verified, verified_email
from notifications.delivery import drain_deliveries

pytestmark = pytest.mark.usefixtures("fresh_cache")

PASSWORD = "a long and strange sentence"
OWN, STRANGERS = "mgr@beta.example", "boss@other.example"


def sign_in_as(login: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": login, "password": password})
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def join_by_invitation(agency: Agency, email: str, role: Role = Role.OWNER, password: str = PASSWORD) -> User:
    token = invitation_url(invite_member(agency, email=email, role=role).pk).rpartition("/")[2]
    return accept_invitation_as_new_user(token, password=password).user


def path_in_mail(pattern: str, to: str) -> str:
    """The newest link of this kind that was mailed to this address."""
    texts = [str(message.body) for message in mail.outbox if message.to == [to]]
    return [path for text in texts for path in re.findall(rf"https?://[^/\s]+({pattern}\S+)", text)][-1]


def ask_to_change(client: Client, email: str) -> None:
    assert client.post("/accounts/email/", {"action_add": "", "email": email}).status_code == 302


def reset_password(email: str, password: str) -> Client:
    """Ask for a reset and follow the mail; KeyError or IndexError where none came."""
    asker = Client()
    assert asker.post("/accounts/password/reset/", {"email": email}).status_code == 302
    asker = Client()
    page = asker.get(path_in_mail("/accounts/password/reset/key/", email), follow=True)
    asker.post(page.request["PATH_INFO"], {"password1": password, "password2": password})
    return asker


@pytest.fixture
def attacker(stranger: Agency) -> Client:
    join_by_invitation(stranger, OWN, Role.MANAGER)
    return sign_in_as(OWN)


@pytest.fixture
def signed_in_staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief", password=PASSWORD))
    return client


@pytest.fixture
def demo_owner(agency: Agency) -> Client:
    join_by_invitation(agency, "owner@example.com")
    return sign_in_as("owner@example.com")


def test_who_writes_a_strangers_address_into_his_user_gets_nothing_of_an_agency_that_invites_it(
    agency: Agency, stranger: Agency, attacker: Client, demo_owner: Client
) -> None:
    user = User.objects.get(username=OWN)
    ask_to_change(attacker, STRANGERS)
    attacker.post("/accounts/email/", {"action_primary": "", "email": STRANGERS})
    user.refresh_from_db()
    assert (user.email, verified_email(user)) == (OWN, OWN)

    assert demo_owner.post("/team", {"email": STRANGERS, "role": "owner"}).status_code == 302
    drain_deliveries()
    invitation = path_in_mail("/invitation/", STRANGERS)
    assert "already has a password here" not in Client().get(invitation).content.decode()
    before = len(mail.outbox)
    Client().post("/accounts/password/reset/", {"email": STRANGERS})
    assert "/reset/key/" not in "".join(str(message.body) for message in mail.outbox[before:])

    victim = Client()
    victim.post(invitation, {"password": "Victims-own-pass-1", "again": "Victims-own-pass-1"})
    assert agency.members.get(user__email=STRANGERS).role == Role.OWNER
    assert victim.get("/keys").status_code == 200

    back = reset_password(OWN, "Attackers-pass-2")
    assert is_signed_in(sign_in_as(OWN, "Attackers-pass-2"))
    assert not is_signed_in(sign_in_as(STRANGERS, "Attackers-pass-2"))
    for client in (attacker, back, sign_in_as(OWN, "Attackers-pass-2")):
        client.post("/agency", {"agency": agency.pk})
        assert "Northwind" not in client.get("/").content.decode()
        assert client.get("/keys").status_code in {302, 403}
    assert set(user.memberships.values_list("agency_id", flat=True)) == {stranger.pk}
    assert is_signed_in(sign_in_as(STRANGERS, "Victims-own-pass-1"))


def test_the_owner_of_an_address_who_confirms_nothing_of_an_attacker_keeps_it(attacker: Client) -> None:
    ask_to_change(attacker, STRANGERS)
    confirm = path_in_mail("/accounts/confirm-email/", STRANGERS)
    reader = Client()
    assert reader.get(confirm).status_code == reader.post(confirm).status_code == 302
    User.objects.create_user("reader", password=PASSWORD)
    other = sign_in_as("reader")
    assert other.get(confirm).status_code == other.post(confirm).status_code == 403
    assert is_signed_in(other)
    assert find_user_by_email(STRANGERS) is None


def test_a_change_counts_when_it_is_proved_and_drops_the_old_address(attacker: Client) -> None:
    user = User.objects.get(username=OWN)
    ask_to_change(attacker, "new@beta.example")
    assert find_user_by_email("new@beta.example") is None
    assert is_signed_in(sign_in_as(OWN))
    confirm = path_in_mail("/accounts/confirm-email/", "new@beta.example")
    assert attacker.get(confirm).status_code == 200
    assert find_user_by_email("new@beta.example") is None
    attacker.post(confirm)
    user.refresh_from_db()
    assert (user.email, user.username) == ("new@beta.example", "new@beta.example")
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@beta.example", True, True)]
    assert is_signed_in(sign_in_as("new@beta.example"))
    assert not is_signed_in(sign_in_as(OWN))
    assert [message.to for message in mail.outbox if OWN in message.to] == [[OWN]]
    before = len(mail.outbox)
    Client().post("/accounts/password/reset/", {"email": OWN})
    assert "/reset/key/" not in str([message.body for message in mail.outbox[before:]])


def test_an_address_that_another_user_has_proved_meanwhile_is_not_taken(attacker: Client, agency: Agency) -> None:
    ask_to_change(attacker, STRANGERS)
    confirm = path_in_mail("/accounts/confirm-email/", STRANGERS)
    owner = join_by_invitation(agency, STRANGERS)
    attacker.post(confirm)
    assert find_user_by_email(STRANGERS) == owner
    assert verified_email(User.objects.get(username=OWN)) == OWN


def test_changing_the_address_takes_the_password_of_now(stranger: Agency) -> None:
    user = join_by_invitation(stranger, OWN)
    stolen = Client()
    stolen.force_login(user)
    answer = stolen.post("/accounts/email/", {"action_add": "", "email": STRANGERS})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email=STRANGERS).exists()


@pytest.mark.parametrize("entry", ["shell", "back office"])
def test_an_address_that_staff_typed_identifies_nobody_until_it_is_proved(entry: str, signed_in_staff: Client) -> None:
    if entry == "shell":
        user = User.objects.create_superuser("root", STRANGERS, PASSWORD)
    else:
        user = User.objects.create_user("root", "old@example.com", PASSWORD)
        mark_email_verified(user, "old@example.com")
        page = f"/admin/auth/user/{user.pk}/change/"
        form = signed_in_staff.get(page).context["adminform"].form
        data = {name: value for name, value in form.initial.items() if isinstance(value, str)} | {"email": STRANGERS}
        assert signed_in_staff.post(page, {**data, "is_active": "on"}).status_code == 302
        user.refresh_from_db()
    assert (user.email, verified_email(user)) == (STRANGERS, "")
    assert "Unconfirmed" in signed_in_staff.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    assert not is_signed_in(sign_in_as(STRANGERS))
    assert not is_signed_in(sign_in_as("old@example.com"))
    client = sign_in_as("root")
    assert is_signed_in(client)
    client.get("/accounts/email/")
    client.post("/accounts/email/", {"action_send": "", "email": STRANGERS})
    client.post(path_in_mail("/accounts/confirm-email/", STRANGERS))
    assert find_user_by_email(STRANGERS) == user
    assert is_signed_in(sign_in_as(STRANGERS))


def test_a_known_person_accepts_with_the_password_they_have(agency: Agency, stranger: Agency) -> None:
    user = join_by_invitation(stranger, "Lena@Example.com", Role.READ_ONLY)
    path = invitation_url(invite_member(agency, email="lena@example.com", role=Role.OWNER).pk).partition(":8000")[2]
    assert "already has a password here" in Client().get(path).content.decode()
    client = sign_in_as("LENA@example.com")
    assert client.post(path)["Location"] == "/"
    assert set(user.memberships.values_list("agency_id", flat=True)) == {agency.pk, stranger.pk}


def test_a_link_in_the_hands_of_a_user_with_that_unproved_address_proves_it(agency: Agency) -> None:
    user = User.objects.create_user("lena", "Lena@example.com", PASSWORD)
    path = invitation_url(invite_member(agency, email="lena@example.com", role=Role.OWNER).pk).partition(":8000")[2]
    client = sign_in_as("lena")
    client.post(path)
    assert find_user_by_email("lena@example.com") == user
    assert user.memberships.get().agency == agency


def test_a_user_with_a_proved_address_does_not_join_for_another(agency: Agency, attacker: Client) -> None:
    path = invitation_url(invite_member(agency, email=STRANGERS, role=Role.OWNER).pk).partition(":8000")[2]
    User.objects.filter(username=OWN).update(email=STRANGERS)
    assert "This invitation is for" in attacker.get(path).content.decode()
    assert attacker.post(path)["Location"] == path
    assert not agency.members.exists()


def test_two_invitations_of_one_address_make_one_user(agency: Agency, stranger: Agency) -> None:
    join_by_invitation(agency, "lena@example.com")
    with pytest.raises(FieldError, match="has a password already"):
        join_by_invitation(stranger, "Lena@EXAMPLE.com.")
    assert User.objects.count() == 1


def test_an_unproved_address_does_not_keep_its_owner_out_of_the_agency(agency: Agency) -> None:
    squatter = User.objects.create_user("squatter", STRANGERS, PASSWORD)
    Member.objects.create(agency=agency, user=squatter, role=Role.READ_ONLY)
    assert invite_member(agency, email=STRANGERS, role=Role.OWNER).is_open


def test_a_user_name_that_is_somebodys_address_does_not_stand_for_them(agency: Agency) -> None:
    User.objects.create_user("lena@example.com", password="Squatters-pass-3")
    owner = join_by_invitation(agency, "lena@example.com")
    assert not is_signed_in(sign_in_as("lena@example.com", "Squatters-pass-3"))
    assert sign_in_as("lena@example.com").session["_auth_user_id"] == str(owner.pk)


def test_people_read_an_internationalised_address_in_its_own_letters(agency: Agency, demo_owner: Client) -> None:
    demo_owner.post("/team", {"email": "Bea@Bücher.example", "role": "owner"})
    page = demo_owner.get("/team").content.decode()
    assert '<td class="lead-cell">bea@bücher.example</td>' in page
    path = invitation_url(Invitation.objects.get(email="bea@xn--bcher-kva.example").pk).partition(":8000")[2]
    assert "<strong>bea@bücher.example</strong>" in Client().get(path).content.decode()


def test_staff_cannot_send_a_stranger_a_link_for_their_own_user(signed_in_staff: Client) -> None:
    chief = User.objects.get(username="chief")
    signed_in_staff.post("/accounts/email/", {"action_add": "", "email": STRANGERS})
    chief.refresh_from_db()
    assert (chief.email, find_user_by_email(STRANGERS)) == ("", None)


def test_a_change_to_an_address_of_somebody_else_is_answered_as_any_other(attacker: Client, agency: Agency) -> None:
    join_by_invitation(agency, STRANGERS)
    answers = []
    for address in (STRANGERS, "nobody@other.example"):
        answer = attacker.post("/accounts/email/", {"action_add": "", "email": address}, follow=True)
        answers.append((answer.redirect_chain, answer.content.decode().replace(address, "ADDRESS").count("ADDRESS")))
    assert answers[0] == answers[1]
