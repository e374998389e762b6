"""`POST accounts/{id}/reauth`."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.models import Account, Event, ReauthPrompt
from notifications.delivery import drain_deliveries
from tests.api.client import Api
from tests.factories import World
from tests.reactions import react


def take_down(world: World, status: str = "disconnected") -> str:
    Account.objects.filter(pk=world.account.pk).update(status=status)
    return f"accounts/{world.account.id}/reauth"


def test_the_answer_is_a_link_for_seven_days_that_opens_the_page(world: World, api: Api) -> None:
    answer = api.post(take_down(world))
    assert answer.status_code == 200
    assert set(answer.json()) == {"url", "expires_at"}
    ends = datetime.fromisoformat(answer.json()["expires_at"]) - timezone.now()
    assert timedelta(days=6, hours=23) < ends <= timedelta(days=7)
    assert answer.json()["url"].startswith("http://127.0.0.1:8000/reauth/")
    assert Client().get(answer.json()["url"]).status_code == 200
    drain_deliveries()
    assert not [message for message in mail.outbox if answer.json()["url"] in str(message.body)]


def test_asking_again_gives_the_same_link(world: World, api: Api) -> None:
    path = take_down(world)
    assert api.post(path, {}).json()["url"] == api.post(path).json()["url"]
    assert ReauthPrompt.objects.count() == 1


def test_with_an_address_the_link_is_mailed_there_and_stands_in_no_event(world: World, api: Api) -> None:
    url = api.post(take_down(world), {"email": "owner@example.com"}).json()["url"]
    react()
    drain_deliveries()
    [message] = [message for message in mail.outbox if message.to == ["owner@example.com"]]
    assert url in message.body
    token = url.rpartition("/")[2]
    assert not [event for event in Event.objects.all() if token in str(event.payload)]
    assert token not in api.get("events").content.decode()
    assert token not in api.get("deliveries").content.decode()


@pytest.mark.parametrize("status", [AccountStatus.ACTIVE, AccountStatus.DELETED])
def test_an_account_that_works_or_is_gone_is_409(status: str, world: World, api: Api) -> None:
    answer = api.post(take_down(world, status), {"email": "owner@example.com"})
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert status in answer.json()["detail"]
    assert (ReauthPrompt.objects.count(), len(mail.outbox)) == (0, 0)


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a@example.com\nBcc: b@example.com"}, "email"),
        ({"email": 5}, "email"),
        ({"email": f"{'a' * 300}@example.com"}, "email"),
        ({"url": "https://evil.example.com"}, "url"),
    ],
)
def test_a_bad_body_is_400_and_makes_nothing(body: dict[str, object], field: str, world: World, api: Api) -> None:
    answer = api.post(take_down(world), body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert ReauthPrompt.objects.count() == 0


def test_the_event_log_has_one_event_however_many_mails_went_out(world: World, api: Api) -> None:
    path = take_down(world)
    for name in ("one", "two"):
        assert api.post(path, {"email": f"{name}@example.com"}).status_code == 200
        react()
        drain_deliveries()
    assert {"one@example.com", "two@example.com"} <= {message.to[0] for message in mail.outbox}
    results = api.get("events", {"event_type": "reauth_requested"}).json()["results"]
    assert [event["subject"] for event in results] == [world.account.id]
