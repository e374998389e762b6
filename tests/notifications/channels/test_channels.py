"""What an agency can do with its channels, and what happens to one that stays broken."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.core.errors import FieldError
from accounts.models import Agency, Event, Member
from notifications.channels.api_fields import CHANGES, SHAPES
from notifications.channels.replay import replay_deliveries, resend_delivery
from notifications.channels.service import (
    create_channel,
    disable_channel,
    enable_channel,
    rotate_secret,
    send_test_event,
    unsubscribe_address,
    update_channel,
    verify_address,
)
from notifications.delivery import drain_deliveries, fan_out_due_events
from notifications.labels import address_of
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from notifications.portal.kinds import KINDS
from notifications.transports import TRANSPORTS
from tests.notifications.receiver import answering, receiver

MakeChannel = Callable[..., Channel]
Happen = Callable[..., Event]


def test_every_kind_of_channel_has_a_transport_a_shape_in_the_api_and_a_section_in_the_portal() -> None:
    assert set(TRANSPORTS) == set(SHAPES) == set(CHANGES) == set(KINDS) == set(ChannelKind)
    assert {kind: shape.of_kind for kind, shape in SHAPES.items()} == {kind.value: kind for kind in ChannelKind}
    assert {kind: shape.of_kind for kind, shape in CHANGES.items()} == {kind.value: kind for kind in ChannelKind}


def test_of_an_address_that_may_carry_a_token_only_the_host_is_shown() -> None:
    shown = {
        kind: address_of(
            Channel(kind=kind, email="ann@example.com", url="https://hooks.example.com/in/token?key=token")
        )
        for kind in ChannelKind
    }
    assert shown.pop(ChannelKind.EMAIL) == "ann@example.com"
    assert shown.pop(ChannelKind.WEBHOOK) == "https://hooks.example.com/in/token?…"
    assert shown == dict.fromkeys(shown, "hooks.example.com/…")


def test_a_webhook_gets_a_secret_that_is_shown_once(agency: Agency) -> None:
    channel, secret = create_channel(agency, kind="webhook", url="https://example.com/hook")
    assert secret is not None
    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 44
    assert channel.status == ChannelStatus.ENABLED
    assert [row.secret for row in channel.secrets.all()] == [secret]


@pytest.mark.once
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "webhook"}, "url"),
        ({"kind": "webhook", "url": "http://127.0.0.1/"}, "url"),
        ({"kind": "webhook", "url": 7}, "url"),
        ({"kind": "webhook", "url": "https://example.com", "email": "a@example.com"}, "email"),
        ({"kind": "webhook", "url": "https://example.com", "mode": "daily"}, "mode"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {"webhook-id": "x"}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {"HOST": "x"}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {"X-A": "a\r\nX-B: b"}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {"X A": "a"}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {"X-A": "é"}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {"X-A": "a", "x-a": "b"}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {"X-A": 1}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "headers": {f"X-{n}": "" for n in range(21)}}, "headers"),
        ({"kind": "webhook", "url": "https://example.com", "rate_per_second": 0}, "rate_per_second"),
        ({"kind": "webhook", "url": "https://example.com", "rate_per_second": True}, "rate_per_second"),
        ({"kind": "webhook", "url": "https://example.com", "rate_per_second": float("nan")}, "rate_per_second"),
        ({"kind": "webhook", "url": "https://example.com", "event_types": ["nothing"]}, "event_types"),
        ({"kind": "webhook", "url": "https://example.com", "event_types": "install"}, "event_types"),
        ({"kind": "webhook", "url": "https://example.com", "locations": [1]}, "locations"),
        ({"kind": "webhook", "url": "https://example.com", "name": "a\nb"}, "name"),
        ({"kind": "email"}, "email"),
        ({"kind": "email", "email": "not an address"}, "email"),
        ({"kind": "email", "email": "a@example.com\nBcc: b@example.com"}, "email"),
        ({"kind": "email", "email": "a@example.com", "url": "https://example.com"}, "url"),
        ({"kind": "email", "email": "a@example.com", "headers": {"X-A": "a"}}, "headers"),
        ({"kind": "email", "email": "a@example.com", "mode": "weekly"}, "mode"),
        ({"kind": "email", "email": "a@example.com", "timezone": "Mars/Olympus"}, "timezone"),
        ({"kind": "email", "email": "a@example.com", "quiet_hours": {"start": "25:00", "end": "07:00"}}, "quiet_hours"),
        ({"kind": "email", "email": "a@example.com", "quiet_hours": {"start": "7:00", "end": "08:00"}}, "quiet_hours"),
        ({"kind": "email", "email": "a@example.com", "quiet_hours": {"start": "07:00", "end": "07:00"}}, "quiet_hours"),
        ({"kind": "email", "email": "a@example.com", "quiet_hours": {"start": "07:00"}}, "quiet_hours"),
        ({"kind": "email", "email": "a@example.com", "working_days": ["someday"]}, "working_days"),
        ({"kind": "email", "email": "a@example.com", "conflation_seconds": 3601}, "conflation_seconds"),
        ({"kind": "email", "email": "a@example.com", "conflation_seconds": -1}, "conflation_seconds"),
        ({"kind": "email", "email": "a@example.com", "conflation_seconds": True}, "conflation_seconds"),
        ({"kind": "email", "email": "a@example.com", "urgent_event_types": ["nothing"]}, "urgent_event_types"),
        ({"kind": "email", "email": "a@example.com", "lead_statuses": ["HOT"]}, "lead_statuses"),
        ({"kind": "email", "email": "a@example.com", "creation_locales": ["de-DE"]}, "creation_locales"),
        ({"kind": "email", "email": "a@example.com", "test_events": "yes"}, "test_events"),
        ({"kind": "webhook", "url": "https://example.com", "working_days": ["mon"]}, "working_days"),
        ({"kind": "webhook", "url": "https://example.com", "digest_at": "09:00"}, "digest_at"),
        ({"kind": "email", "email": "a@example.com", "digest_at": "nine"}, "digest_at"),
        ({"kind": "webhook", "url": "https://example.com", "conflation_seconds": 0}, "conflation_seconds"),
        ({"kind": "webhook", "url": "https://example.com", "urgent_event_types": ["install"]}, "urgent_event_types"),
    ],
)
def test_what_cannot_be_is_refused_by_name(agency: Agency, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(FieldError) as refusal:
        create_channel(agency, **fields)
    assert refusal.value.field == wrong
    assert not Channel.objects.exists()


def test_an_email_channel_waits_for_its_owner(agency: Agency, happen: Happen) -> None:
    channel, secret = create_channel(agency, kind="email", email="new@example.com", timezone="Europe/Berlin")
    assert (channel.status, secret) == (ChannelStatus.UNVERIFIED, None)
    for action in (
        send_test_event,
        lambda it: replay_deliveries(it, since=timezone.now()),
        lambda it: disable_channel(it, "x"),
    ):
        with pytest.raises(FieldError):
            action(channel)
    assert enable_channel(channel).status == ChannelStatus.UNVERIFIED
    happen()
    drain_deliveries()
    assert [message.subject for message in mail.outbox] == ["Please confirm your e-mail address"]
    assert verify_address(channel.verification_token).status == ChannelStatus.ENABLED
    assert verify_address(channel.verification_token).status == ChannelStatus.ENABLED
    happen()
    drain_deliveries()
    assert [message.to for message in mail.outbox] == [["new@example.com"]] * 2
    with pytest.raises(FieldError):
        verify_address("unknown")


def test_a_new_address_has_to_be_confirmed_and_the_old_links_end(mailbox_channel: Channel) -> None:
    changed = update_channel(mailbox_channel, email="other@example.com", name="Other")
    assert (changed.status, changed.name) == (ChannelStatus.UNVERIFIED, "Other")
    for act, token in (
        (verify_address, mailbox_channel.verification_token),
        (unsubscribe_address, mailbox_channel.unsubscribe_token),
    ):
        with pytest.raises(FieldError):
            act(token)
    drain_deliveries()
    assert [message.to for message in mail.outbox] == [["other@example.com"]]


def test_changes_are_checked_and_unknown_fields_refused(webhook: MakeChannel) -> None:
    channel = webhook("https://example.com/a")
    assert update_channel(channel, url="https://example.com/b", event_types=["install"]).url == "https://example.com/b"
    for changes, wrong in (
        ({"kind": "slack"}, "kind"),
        ({"agency_id": "x"}, "agency_id"),
        ({"verification_token": "x"}, "verification_token"),
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"status": "unverified"}, "status"),
    ):
        with pytest.raises(FieldError) as refusal:
            update_channel(channel, **changes)
        assert refusal.value.field == wrong
    assert update_channel(channel, status="disabled").status == ChannelStatus.DISABLED
    assert update_channel(channel, status="enabled").status == ChannelStatus.ENABLED


def test_a_test_goes_to_that_channel_only_whatever_it_listens_to(webhook: MakeChannel) -> None:
    with receiver() as inbox, receiver() as other:
        channel = webhook(inbox.url, event_types=["install"], locations=["berlin"])
        webhook(other.url)
        event = send_test_event(channel)
        drain_deliveries()
    assert [request.message_id for request in inbox.requests] == [event.pk]
    assert other.requests == []


def test_only_webhooks_have_a_secret_to_rotate(mailbox_channel: Channel, webhook: MakeChannel) -> None:
    with pytest.raises(FieldError):
        rotate_secret(mailbox_channel)
    channel = webhook("https://example.com/")
    first, second = rotate_secret(channel), rotate_secret(channel)
    assert first != second
    assert channel.secrets.filter(expires_at__isnull=True).count() == 1


def test_what_a_channel_missed_while_it_was_off_can_be_replayed_under_the_same_ids(
    webhook: MakeChannel, happen: Happen
) -> None:
    began = timezone.now()
    with receiver(answering(200)) as inbox:
        channel = webhook(inbox.url, event_types=["linkedin_disconnected"])
        delivered = happen()
        drain_deliveries()
        due = happen()
        fan_out_due_events()
        disable_channel(channel, "Maintenance.")
        assert channel.deliveries.get(event=due).status == DeliveryStatus.CANCELLED
        missed = happen()
        happen(EventType.LINKEDIN_BLOCKED)
        drain_deliveries()
        with pytest.raises(FieldError):
            replay_deliveries(channel, since=began)
        channel = enable_channel(channel)
        assert replay_deliveries(channel, since=began, status="cancelled") == 1
        drain_deliveries()
        assert [request.message_id for request in inbox.requests] == [delivered.pk, due.pk]
        assert replay_deliveries(channel, since=began) == 3
        drain_deliveries()
        assert sorted(request.message_id for request in inbox.requests[2:]) == sorted([delivered.pk, due.pk, missed.pk])
        assert replay_deliveries(channel, since=began, until=delivered.created_at) == 0
    for wrong in ({"until": began - timedelta(1)}, {"status": "lost"}):
        with pytest.raises(FieldError):
            replay_deliveries(channel, since=began, **wrong)


def test_one_delivery_can_be_sent_again(webhook: MakeChannel, happen: Happen) -> None:
    with receiver() as inbox:
        channel = webhook(inbox.url)
        event = happen()
        drain_deliveries()
        delivery = resend_delivery(Delivery.objects.get())
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, 0)
        drain_deliveries()
        assert [request.message_id for request in inbox.requests] == [event.pk] * 2
        disable_channel(channel, "x")
        with pytest.raises(FieldError):
            resend_delivery(Delivery.objects.get(channel=channel, event=event))


def test_five_days_of_nothing_but_failures_end_with_three_warnings_and_the_channel_off(
    agency: Agency, webhook: MakeChannel, happen: Happen
) -> None:
    create_channel(agency, kind="email", email="ops@example.com", event_types=["install"], verified=True)
    with receiver(answering(500)) as broken, time_machine.travel(timezone.now()) as clock:
        channel = webhook(broken.url, name="CRM", event_types=["linkedin_disconnected"])
        happen()
        drain_deliveries()
        warned = []
        for _ in range(5 * 24 + 1):
            clock.shift(timedelta(hours=1))
            drain_deliveries()
            warned += [(message.subject, message.to) for message in mail.outbox]
            mail.outbox.clear()
    assert warned == [
        ("CRM cannot be reached", ["ops@example.com"]),
        ("CRM cannot be reached", ["ops@example.com"]),
        ("CRM was disabled", ["ops@example.com"]),
    ]
    channel.refresh_from_db()
    assert (channel.status, channel.disabled_reason) == (
        ChannelStatus.DISABLED,
        "Nothing but failures for five days.",
    )


def test_an_agency_without_email_channels_is_warned_through_its_members(
    agency: Agency, webhook: MakeChannel, happen: Happen, django_user_model: Any
) -> None:
    owner = django_user_model.objects.create_user("owner", email="owner@example.com")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    with receiver(answering(500)) as broken, time_machine.travel(timezone.now()) as clock:
        webhook(broken.url, name="CRM")
        happen()
        drain_deliveries()
        clock.shift(timedelta(hours=61))
        drain_deliveries()
        drain_deliveries()
    assert [message.to for message in mail.outbox] == [["owner@example.com"]]
    assert "the channel is disabled" in mail.outbox[0].body


def test_opening_the_confirmation_page_changes_nothing_and_its_button_does(agency: Agency, client: Client) -> None:
    channel, _ = create_channel(agency, kind="email", email="new@example.com")
    page = client.get(f"/verify/{channel.verification_token}")
    channel.refresh_from_db()
    assert (page.status_code, channel.status) == (200, ChannelStatus.UNVERIFIED)
    assert b"Northwind Outreach" in page.content
    page = client.post(f"/verify/{channel.verification_token}")
    channel.refresh_from_db()
    assert (page.status_code, channel.status) == (200, ChannelStatus.ENABLED)
    assert b"Thank you" in page.content
    for unknown in ("/verify/unknown", "/unsubscribe/unknown", f"/unsubscribe/{channel.verification_token}"):
        assert client.get(unknown).status_code == client.post(unknown).status_code == 404


def test_one_click_unsubscribes_and_only_the_owner_can_come_back(mailbox_channel: Channel, happen: Happen) -> None:
    client = Client(enforce_csrf_checks=True)
    path = f"/unsubscribe/{mailbox_channel.unsubscribe_token}"
    assert client.get(path).status_code == 200
    mailbox_channel.refresh_from_db()
    assert mailbox_channel.status == ChannelStatus.ENABLED
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    mailbox_channel.refresh_from_db()
    assert (mailbox_channel.status, mailbox_channel.disabled_reason) == (
        ChannelStatus.DISABLED,
        "The recipient unsubscribed.",
    )
    happen()
    drain_deliveries()
    assert mail.outbox == []
    assert enable_channel(mailbox_channel).status == ChannelStatus.UNVERIFIED
