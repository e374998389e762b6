"""What arrives in a mailbox, and in Slack."""

import json
import re
import smtplib
from collections.abc import Callable
from email.header import decode_header, make_header
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import AGENCY_EVENTS, EventType
from accounts.core.linkedin_identity import linkedin_link
from accounts.core.text import safe_line
from accounts.events.outbox import record_event
from accounts.linkedin.incidents import ALERT_DELAY
from accounts.models import Agency, Event
from accounts.tenancy.brand import update_brand
from notifications.channels.service import create_channel
from notifications.content.catalogue import CATALOGUE
from notifications.delivery import drain_deliveries
from notifications.models import Channel, ChannelStatus, Delivery, DeliveryStatus
from tests.images import tiny_png
from tests.notifications.mails import FREE_TEXT, HOSTILE, happened, html_of, only_for
from tests.notifications.receiver import answering, receiver

Happen = Callable[..., Event]
NAMED = [EventType.LINKEDIN_AUTH_ERROR, EventType.LEAD_STATUS_CHANGED, EventType.CAMPAIGN_PAUSED]


def sent() -> list[EmailMultiAlternatives]:
    return [message for message in mail.outbox if isinstance(message, EmailMultiAlternatives)]


class Page(HTMLParser):
    """The links and the tags of a mail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


def test_a_mail_says_what_happened_and_what_to_do_next(
    agency: Agency, mailbox_channel: Channel, happen: Happen
) -> None:
    happen(EventType.LINKEDIN_AUTH_ERROR, error_detail="Token expired", provider="welink")
    drain_deliveries()
    [message] = sent()
    assert message.to == ["team@example.com"]
    assert message.subject == "John Doe has to sign in to LinkedIn again"
    assert "Reason: Token expired." in message.body
    assert "Provider: We-Link" in message.body
    assert "What to do next: The account's owner has to sign in to LinkedIn again." in message.body
    page = f"{django_settings.PUBLIC_URL}/notifications/deliveries/{Delivery.objects.get().pk}"
    assert f"Open delivery: {page}" in message.body
    unsubscribe = f"{django_settings.PUBLIC_URL}/unsubscribe/{mailbox_channel.unsubscribe_token}"
    assert unsubscribe in message.body
    assert message.extra_headers["List-Unsubscribe"] == f"<{unsubscribe}>"
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    delivery = Delivery.objects.get()
    assert message.extra_headers["Message-ID"] == f"<{delivery.pk}@example.com>"
    assert delivery.status == DeliveryStatus.DELIVERED


@pytest.mark.once
@pytest.mark.parametrize("event_type", [*map(EventType, AGENCY_EVENTS)])
def test_every_event_type_makes_a_mail_without_raw_variables(
    agency: Agency, mailbox_channel: Channel, event_type: EventType
) -> None:
    Channel.objects.update(event_types=[event_type])
    if event_type is EventType.CHANNEL_VERIFICATION:
        create_channel(agency, kind="email", email="new@example.com", name="New one")
    else:
        happened(agency, event_type, **only_for(mailbox_channel, event_type))
    with time_machine.travel(timezone.now() + ALERT_DELAY, tick=False):  # alerts of drops wait
        drain_deliveries()
    [message] = sent()
    words = html_of(message).partition("</head>")[2]
    for text in (message.subject, message.body, words):
        assert not re.search(r"\{\{|\}\}|\{%|None|linkedin_account_name| [.,]|\( ?\)", text)
    assert "\n" not in message.subject
    assert message.body.count("What to do next") == 1
    assert Page(html_of(message)).tags >= {"h1", "table", "a"}


@pytest.mark.once
@pytest.mark.parametrize("event_type", [*map(EventType, AGENCY_EVENTS)])
def test_a_mail_without_any_optional_field_still_reads_well(
    agency: Agency, mailbox_channel: Channel, event_type: EventType
) -> None:
    Channel.objects.update(event_types=[event_type])
    record_event(agency, event_type, **only_for(mailbox_channel, event_type))
    drain_deliveries()
    if event_type is EventType.CHANNEL_VERIFICATION:  # about no channel: there is nothing to confirm
        assert sent() == []
        assert Delivery.objects.get().status == DeliveryStatus.FAILED
        return
    [message] = sent()
    assert not re.search(r"None| [.,]|  ", message.subject)
    assert len(message.subject) > 10


@pytest.mark.once
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(
    "event_type", [EventType.LINKEDIN_AUTH_ERROR, EventType.LEAD_STATUS_CHANGED, EventType.CAMPAIGN_PAUSED]
)
def test_hostile_names_stay_harmless(
    agency: Agency, mailbox_channel: Channel, event_type: EventType, hostile: str
) -> None:
    text = hostile.replace("\x00", "").replace("\ud800", "")  # what a database column takes
    fields = {name: text for name in FREE_TEXT if name in CATALOGUE[event_type].schema["properties"]}
    agency.name = text[:200]
    agency.save()
    happened(agency, event_type, **fields)
    drain_deliveries()
    [message] = sent()
    assert len(message.subject) <= 150
    assert message.message()["Subject"]
    assert message.message()["Bcc"] is None
    page = Page(html_of(message))
    assert page.tags.isdisjoint({"script", "img", "iframe"})
    assert not any(name.startswith("on") for name in page.attributes)
    assert all(link.startswith(django_settings.PUBLIC_URL) for link in page.links)
    assert "https://evil.example.org" not in message.body + html_of(message)
    assert not re.search("[\u200b\u202e\u2066\ufeff\x07]", f"{message.subject}{message.body}" + html_of(message))
    assert len(message.body) < 5000


def test_only_a_secure_linkedin_address_becomes_a_link(agency: Agency, mailbox_channel: Channel) -> None:
    happened(agency, EventType.LEAD_CREATED, linkedin_url="https://www.linkedin.com/in/ada-lovelace?x=1")
    drain_deliveries()
    [message] = sent()
    assert "https://www.linkedin.com/in/ada-lovelace?x=1" in Page(html_of(message)).links
    assert ">linkedin.com/in/ada-lovelace?x=1</a>" in html_of(message)
    for url in (
        "http://www.linkedin.com/in/a",
        "https://linkedin.com.evil.example.org/in/a",
        "https://evil.example.org/linkedin.com",
        "https://linkedin.com@evil.example.org/",
        "https://www.linkedin.com:444/in/a",
        'https://www.linkedin.com/in/a"onmouseover=x',
        "javascript://www.linkedin.com/%0aalert(1)",
        "//www.linkedin.com/in/a",
        "https://[::1",
    ):
        assert linkedin_link(url) == ""


def test_cleaning_leaves_ordinary_names_as_they_are() -> None:
    for name in ("Zoë O’Brien-Łukasz", "محمد علي", "山田 太郎", "Ada 🚀", "Dr. Müller (Köln), Ph.D."):
        assert safe_line(name) == name
    assert safe_line("a" * 200) == "a" * 119 + "…"


def test_the_confirmation_mail_holds_the_link_and_the_event_does_not(agency: Agency) -> None:
    channel, _ = create_channel(agency, kind="email", email="new@example.com")
    drain_deliveries()
    [message] = sent()
    link = f"{django_settings.PUBLIC_URL}/verify/{channel.verification_token}"
    assert link in message.body
    assert link in Page(html_of(message)).links
    event = Event.objects.get(event_type="channel_verification")
    assert channel.verification_token not in json.dumps(event.payload)
    assert "List-Unsubscribe" not in message.extra_headers


def test_a_confirmation_that_is_no_longer_needed_is_not_sent(agency: Agency) -> None:
    channel, _ = create_channel(agency, kind="email", email="new@example.com")
    Channel.objects.filter(pk=channel.pk).update(status=ChannelStatus.ENABLED)
    drain_deliveries()
    assert sent() == []
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, 1)


@pytest.mark.once
@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (smtplib.SMTPRecipientsRefused({"team@example.com": (550, b"no")}), "failed", "refused the address (550)"),
        (smtplib.SMTPRecipientsRefused({"team@example.com": (450, b"later")}), "pending", "refused the address (450)"),
        (smtplib.SMTPServerDisconnected("gone"), "pending", "did not take it (SMTPServerDisconnected"),
        (ConnectionRefusedError(), "pending", "did not take it (ConnectionRefusedError"),
        (TimeoutError(), "pending", "did not take it (TimeoutError"),
    ],
)
def test_a_mail_server_that_refuses_is_tried_again_unless_the_address_is_bad(
    mailbox_channel: Channel,
    happen: Happen,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: str,
    reason: str,
) -> None:
    def refuse(self: object, messages: object) -> int:
        raise error

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    happen()
    drain_deliveries()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == (status, 1)
    assert reason in delivery.error
    mailbox_channel.refresh_from_db()
    assert mailbox_channel.consecutive_failures == (1 if status == "failed" else 0)


def test_without_a_mail_server_each_mail_is_a_file(
    mailbox_channel: Channel, happen: Happen, settings: Settings, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = "notifications.transports.mailfolder.MailFolderBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    happen()
    happen()
    drain_deliveries()
    files = sorted((tmp_path / "mail").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert b"Subject: John Doe was disconnected from LinkedIn" in files[0].read_bytes()


def test_slack_gets_blocks_in_plain_words(agency: Agency, loopback: None) -> None:
    with receiver(answering(200)) as slack:
        create_channel(agency, kind="slack", url=slack.url)
        happened(agency, EventType.LEAD_REPLIED, lead_name="<!channel> *Bold* & co")
        drain_deliveries()
    [request] = slack.requests
    body = json.loads(request.body)
    assert body["blocks"][0]["text"]["text"] == "<!channel> *Bold* & co replied"
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "section", "context"]
    marked = json.dumps([block for block in body["blocks"] if block["type"] != "header"], ensure_ascii=False)
    assert "<!channel>" not in marked
    assert "*Bold*" not in marked
    assert "webhook-signature" not in request.headers
    assert Delivery.objects.get().status == DeliveryStatus.DELIVERED


def test_a_mail_bears_the_agencys_name_logo_and_colour(
    agency: Agency, mailbox_channel: Channel, happen: Happen
) -> None:
    happen(EventType.LEAD_REPLIED)
    drain_deliveries()
    update_brand(agency, sender_name="Åse Müller", colour="#FFDD00", logo=tiny_png(400, 100))
    happen(EventType.LEAD_REPLIED)
    drain_deliveries()
    before, after = sent()
    address = "leadline@example.com"
    assert before.from_email == f"{agency.name} via Leadline <{address}>"
    assert parseaddr(str(make_header(decode_header(after.message()["From"])))) == ("Åse Müller", address)
    assert "<img" not in html_of(before)
    logo = f"{django_settings.PUBLIC_URL}{reverse('brand_logo', args=[agency.brand.logo_digest])}"
    assert f'<img src="{logo}" width="160" height="40" alt="Åse Müller">' in html_of(after)
    assert re.search(r"background: #ffdd00;\s+color: #000000; border: 1px solid #000000", html_of(after))


def test_a_mail_to_leadlines_staff_bears_no_agencys_name(agency: Agency, settings: Settings) -> None:
    settings.STAFF_ALERT_EMAILS = ["staff@example.com"]
    update_brand(agency, sender_name="Acme", colour="#ffdd00")
    happened(agency, EventType.STAFF_ALERT)
    drain_deliveries()
    [message] = sent()
    assert message.from_email == django_settings.DEFAULT_FROM_EMAIL
    assert "#ffdd00" not in html_of(message)
