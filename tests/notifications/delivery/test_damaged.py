"""A channel whose encrypted columns no key opens breaks nothing but itself, and can be mended."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from accounts.core.enums import Role, Scope
from accounts.models import Agency, Event, Member
from accounts.tenancy.api_keys import create_api_key
from notifications.channels.service import rotate_secret, update_channel
from notifications.delivery import drain_deliveries
from notifications.models import Channel, DeliveryStatus
from tests.notifications.receiver import receiver

MakeChannel = Callable[..., Channel]
Happen = Callable[..., Event]
COLUMNS = {
    "url": "UPDATE notifications_channel SET url = 'damaged' WHERE id = %s",
    "headers": "UPDATE notifications_channel SET headers = 'damaged' WHERE id = %s",
    "secret": "UPDATE notifications_channelsecret SET secret = 'damaged' WHERE channel_id = %s",
}


def damage(channel: Channel, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS[column], [channel.pk])


def stored(channel: Channel) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT url, headers FROM notifications_channel WHERE id = %s", [channel.pk])
        return cursor.fetchone()


@pytest.mark.parametrize("column", COLUMNS)
def test_it_fails_alone_and_nothing_is_sent_unsigned(webhook: MakeChannel, happen: Happen, column: str) -> None:
    with receiver() as inbox:
        damaged, good = webhook(inbox.url), webhook(inbox.url)
        damage(damaged, column)
        happen()
        drain_deliveries()
    assert good.deliveries.get().status == DeliveryStatus.DELIVERED
    broken = damaged.deliveries.get()
    assert (broken.status, broken.attempts) == (DeliveryStatus.PENDING, 1)
    assert "cannot be decrypted" in broken.error
    assert len(inbox.requests) == 1


@pytest.mark.parametrize("column", COLUMNS)
def test_every_page_about_it_opens_and_its_buttons_work(
    agency: Agency, webhook: MakeChannel, happen: Happen, column: str, admin_client: Client
) -> None:
    channel, good = (
        webhook("https://example.com/hook", name="Old CRM"),
        webhook("https://example.com/other", name="New"),
    )
    happen()
    drain_deliveries()
    damage(channel, column)
    owner = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    member = Client()
    member.force_login(owner)
    page = member.get("/notifications").content.decode()
    assert "Unreadable" in page
    assert "https://example.com/other" in page
    delivery = channel.deliveries.get()
    assert member.get(f"/notifications/deliveries/{delivery.pk}").status_code == 200
    assert member.get("/").status_code == 200
    for button in ("test", "off", "on"):
        assert member.post(f"/notifications/channels/{channel.pk}/{button}").status_code == 302
    assert member.post(f"/notifications/deliveries/{delivery.pk}/resend").status_code == 302
    assert b"Unreadable" in admin_client.get(f"/admin/notifications/channel/{channel.pk}/change/").content
    key = create_api_key(agency, name="all", scopes=list(Scope))[1]
    api = {"authorization": f"Bearer {key}"}
    assert {row["id"] for row in member.get("/api/v1/channels", headers=api).json()["results"]} == {channel.pk, good.pk}
    assert member.get(f"/api/v1/channels/{channel.pk}", headers=api).status_code == 200
    assert member.post(f"/notifications/channels/{channel.pk}/remove").status_code == 302
    assert list(Channel.objects.all()) == [good]


def test_what_cannot_be_read_is_not_lost_when_something_else_is_changed(webhook: MakeChannel) -> None:
    channel = webhook("https://example.com/hook")
    damage(channel, "url")
    before = stored(channel)
    update_channel(Channel.objects.get(pk=channel.pk), name="Renamed")
    assert stored(channel)[0] == before[0] == "damaged"


def test_entering_it_again_and_a_new_secret_mend_it(webhook: MakeChannel, happen: Happen) -> None:
    with receiver() as inbox:
        channel = webhook(inbox.url)
        for column in COLUMNS:
            damage(channel, column)
        channel = update_channel(Channel.objects.get(pk=channel.pk), url=inbox.url, headers={})
        rotate_secret(channel)
        happen()
        drain_deliveries()
    assert len(inbox.requests) == 1
    assert len(inbox.requests[0].headers["webhook-signature"].split()) == 1
