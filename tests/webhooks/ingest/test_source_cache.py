"""What ingest remembers of sources, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import pytest
from django.db import connection

from accounts.models import Agency, Source
from accounts.sources.service import create_source
from webhooks.ingest import source_cache
from webhooks.ingest.db import DatabaseThreads, StorageDown
from webhooks.ingest.source_cache import SourceCache, load_source

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def with_cache(test: Callable[[SourceCache, Clock], Awaitable[Any]]) -> Any:
    threads, clock = DatabaseThreads(2, "test"), Clock()
    try:
        return asyncio.run(test(SourceCache(threads, clock), clock))
    finally:
        threads.close()


def test_a_change_by_another_process_shows_within_three_seconds(agency: Agency) -> None:
    source = create_source(agency=agency, provider="salesflow")[0]

    def switch_off() -> None:
        Source.objects.filter(pk=source.pk).update(enabled=False)  # no word to this process
        connection.close()

    async def look(cache: SourceCache, clock: Clock) -> list[bool]:
        found = [await cache.get("salesflow", source.token)]
        await asyncio.to_thread(switch_off)
        for seconds in (2.9, 0.2):
            clock.now += seconds
            found.append(await cache.get("salesflow", source.token))
        return [one is not None for one in found]

    assert with_cache(look) == [True, True, False]


def test_many_requests_for_one_source_are_one_query(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    source = create_source(agency=agency, provider="salesflow")[0]
    asked: list[str] = []
    find = source_cache.load_source

    def counting(provider: str, token: str) -> Any:
        asked.append(token)
        return find(provider, token)

    monkeypatch.setattr(source_cache, "load_source", counting)

    async def look(cache: SourceCache, clock: Clock) -> list[Any]:
        return await asyncio.gather(*(cache.get("salesflow", source.token) for _ in range(50)))

    assert {found.id for found in with_cache(look)} == {source.pk}
    assert asked == [source.token]


def test_misses_are_not_remembered_and_what_is_remembered_is_bounded(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_cache, "MAX_CACHED_SOURCES", 2)
    sources = [create_source(agency=agency, provider="salesflow")[0] for _ in range(5)]

    async def look(cache: SourceCache, clock: Clock) -> tuple[list[bool], int]:
        tokens = ["nobody", *(source.token for source in sources)]
        return [await cache.get("salesflow", token) is not None for token in tokens], len(cache._entries)

    found, remembered = with_cache(look)

    assert found == [False, True, True, True, True, True]
    assert remembered <= 2


def test_tokens_that_somebody_makes_up_delay_no_source(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    source = create_source(agency=agency, provider="salesflow")[0]
    goes_on, asked = Event(), []

    def held_up(provider: str, token: str) -> source_cache.CachedSource | None:
        asked.append(token)
        if token != source.token:
            goes_on.wait(30)
        return load_source(provider, token)

    monkeypatch.setattr(source_cache, "load_source", held_up)
    monkeypatch.setattr(source_cache, "LOOKUP_TIMEOUT", 30)
    threads, clock = DatabaseThreads(4, "test"), Clock()

    async def look() -> list[Any]:
        cache = SourceCache(threads, clock)
        assert await cache.get("salesflow", source.token) is not None
        unknown = [asyncio.ensure_future(cache.get("salesflow", f"nobody-{number}")) for number in range(100)]
        await asyncio.sleep(0)
        clock.now += 4
        assert await cache.get("salesflow", source.token) is not None
        goes_on.set()
        return await asyncio.gather(*unknown, return_exceptions=True)

    try:
        outcomes = asyncio.run(look())
    finally:
        goes_on.set()
        threads.close()

    assert asked.index(source.token, 1) <= 1 + source_cache.MAX_UNKNOWN_LOOKUPS
    assert outcomes.count(None) == source_cache.MAX_WAITING_LOOKUPS
    assert sum(isinstance(outcome, StorageDown) for outcome in outcomes) == 100 - source_cache.MAX_WAITING_LOOKUPS
