"""How often a key may ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from accounts.tenancy.api_keys import create_api_key
from tests.api.client import Api
from tests.factories import World

START = datetime(2026, 11, 21, 12, 0, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Any) -> None:
    settings.API_RATE = 3


def test_a_key_is_told_to_wait_until_the_minute_is_over(world: World, api: Api) -> None:
    with time_machine.travel(START, tick=False):
        assert [api.get("leads").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = api.get("accounts")
        assert (refused.status_code, refused["Retry-After"]) == (429, "50")
        assert refused["Content-Type"] == "application/problem+json"
        assert refused.json()["request_id"] == refused["X-Request-ID"]
    with time_machine.travel(START + timedelta(seconds=50), tick=False):
        assert api.get("leads").status_code == 200


def test_other_keys_and_other_agencies_are_not_held_up(world: World, api: Api, strange_api: Api) -> None:
    other = Api(create_api_key(world.agency)[1])
    with time_machine.travel(START, tick=False):
        assert [api.get("leads").status_code for _ in range(4)][-1] == 429
        assert (other.get("leads").status_code, strange_api.get("leads").status_code) == (200, 200)


def test_a_refused_request_has_no_effect(world: World, api: Api) -> None:
    with time_machine.travel(START, tick=False):
        for _ in range(3):
            api.get("leads")
        assert api.post("leads", {"email": "late@example.com"}, Idempotency_Key="k1").status_code == 429
    assert not world.agency.leads.filter(email="late@example.com").exists()


def test_without_a_cache_nobody_is_refused(world: World, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError("the cache is away")

    monkeypatch.setattr(cache, "add", fail)
    assert [api.get("leads").status_code for _ in range(5)] == [200] * 5
