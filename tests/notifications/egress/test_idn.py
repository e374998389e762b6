"""Internationalised domains: mail goes where it was sent, and what comes back finds whom it was for."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import Role
from accounts.models import Account, Agency, Event
from accounts.reauth.prompts import ask
from accounts.reauth.recipients import block_address, reachable_addresses
from accounts.tenancy.api_keys import create_api_key
from accounts.tenancy.team import invite_member
from accounts.tenancy.verified_email import find_user_by_email, mark_email_verified
from notifications.channels.service import create_channel, update_channel
from notifications.delivery import drain_deliveries
from notifications.egress.url_policy import check_url
from notifications.models import Channel, ChannelStatus, Delivery
from tests.smtp_server import smtp_server

pytestmark = pytest.mark.one_backend

Happen = Callable[..., Event]
TOKEN = "bounce-token-of-this-test"


@pytest.fixture
def bounce(settings: Settings) -> Callable[[str], int]:
    settings.BOUNCE_TOKEN = TOKEN

    def bounce(email: str) -> int:
        body = json.dumps({"type": "hard", "email": email})
        answer = Client().post("/bounces", body, "application/json", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
        assert answer.status_code == 200
        return int(answer.json()["channels_disabled"])

    return bounce


@pytest.mark.once
@pytest.mark.parametrize(
    ("channel_email", "mail_goes_to"),
    [
        ("bea@bücher.example", "bea@xn--bcher-kva.example"),
        ("ann@faß.example", "ann@xn--fa-hia.example"),
        ("Zoë <zoe@ÖSTERREICH.example>", "zoe@xn--sterreich-z7a.example"),
    ],
)
def test_the_envelope_names_the_domain_that_was_meant(
    agency: Agency, happen: Happen, settings: Settings, channel_email: str, mail_goes_to: str
) -> None:
    channel, _ = create_channel(agency, kind="email", email=channel_email, verified=True)
    assert channel.email == mail_goes_to
    with smtp_server() as (port, taken):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.DEFAULT_FROM_EMAIL = "Leadline <hello@straße.example>"
        happen()
        drain_deliveries()
        user = User.objects.create_user("ann", password="a long and strange sentence")
        mark_email_verified(user, channel_email)
        Client().post("/accounts/password/reset/", {"email": mail_goes_to.upper()})
    assert [(mail.sender, mail.recipients) for mail in taken] == [
        ("hello@xn--strae-oqa.example", [mail_goes_to]),
        ("hello@xn--strae-oqa.example", [mail_goes_to]),
    ]
    assert f"To: {mail_goes_to}" in taken[0].text


def test_a_channel_that_was_saved_before_is_written_to_where_it_was_meant(
    agency: Agency, happen: Happen, settings: Settings
) -> None:
    channel, _ = create_channel(agency, kind="email", email="ann@example.com", verified=True)
    Channel.objects.filter(pk=channel.pk).update(email="Ann@faß.example")
    with smtp_server() as (port, taken):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        happen()
        drain_deliveries()
    assert [mail.recipients for mail in taken] == [["ann@xn--fa-hia.example"]]


@pytest.mark.parametrize("spelling", ["bea@xn--bcher-kva.example", "BEA@Bücher.example", "bea@bu\u0308cher.example"])
def test_a_bounce_in_any_spelling_finds_the_channel(
    agency: Agency, bounce: Callable[[str], int], spelling: str
) -> None:
    channel, _ = create_channel(agency, kind="email", email="bea@bücher.example", verified=True)
    other, _ = create_channel(agency, kind="email", email="bea@bucher.example", verified=True)
    assert bounce(spelling) == 1
    for row, status in ((channel, ChannelStatus.DISABLED), (other, ChannelStatus.ENABLED)):
        row.refresh_from_db()
        assert row.status == status
    assert reachable_addresses(["Bea@bücher.example", "bea@bucher.example"]) == ["bea@bucher.example"]


def test_an_owner_is_not_asked_at_an_address_that_came_back_in_another_spelling(agency: Agency) -> None:
    account = Account.objects.create(
        agency=agency, provider="welink", external_id="1", status="auth_error", status_since=timezone.now()
    )
    block_address("ann@xn--fa-hia.example", reason="No such user.")
    assert reachable_addresses(["ann@faß.example", "ann@fass.example"]) == ["ann@fass.example"]
    prompt = ask(account, by="staff", email="MAILTO:Bea@Bücher.example")
    assert prompt.recipients == ["bea@xn--bcher-kva.example"]


def test_one_person_is_invited_and_found_in_every_spelling(agency: Agency) -> None:
    first = invite_member(agency, email="Ann@faß.example", role=Role.OWNER)
    assert invite_member(agency, email="ann@xn--fa-hia.example", role=Role.OWNER) == first  # type: ignore[arg-type]
    assert invite_member(agency, email="ann@fass.example", role=Role.OWNER) != first  # type: ignore[arg-type]
    user = User.objects.create_user("ann")
    mark_email_verified(user, "ann@FAß.example")
    assert find_user_by_email("ann@xn--fa-hia.example") == user
    assert find_user_by_email("ann@fass.example") is None


def test_the_same_channel_in_another_spelling_has_not_moved(agency: Agency) -> None:
    channel, _ = create_channel(agency, kind="email", email="bea@bücher.example", verified=True)
    assert update_channel(channel, email="bea@xn--bcher-kva.example").status == ChannelStatus.ENABLED
    assert not Delivery.objects.exists()


def test_the_api_takes_an_address_in_any_spelling_and_refuses_two(agency: Agency) -> None:
    _, key = create_api_key(agency)
    client = Client(headers={"Authorization": f"Bearer {key}"})

    def post(email: str) -> tuple[int, object]:
        answer = client.post("/api/v1/channels", {"kind": "email", "email": email}, "application/json")
        return answer.status_code, answer.json().get("email")

    assert post("Bea <bea@bücher.example>") == (201, "bea@xn--bcher-kva.example")
    assert post("bea@bücher.example, ann@example.com")[0] == 400
    assert post("bea@example.com\r\nBcc: ann@example.com")[0] == 400


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://faß.example/in", "xn--fa-hia.example"),
        ("https://BÜCHER.example/in", "xn--bcher-kva.example"),
        ("https://xn--fa-hia.example/in", "xn--fa-hia.example"),
        ("https://fass.example/in", "fass.example"),
    ],
)
def test_a_webhook_goes_to_the_host_that_was_meant(url: str, host: str) -> None:
    assert check_url(url).host == host
