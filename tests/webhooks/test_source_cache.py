"""What ingest remembers of sources, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import Agency, Source
from accounts.sources.service import create_source
from webhooks.ingest import source_cache
from webhooks.ingest.db import DatabaseThreads
from webhooks.ingest.source_cache import SourceCache

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
        found = [await cache.find("salesflow", source.token)]
        await asyncio.to_thread(switch_off)
        for seconds in (2.9, 0.2):
            clock.now += seconds
            found.append(await cache.find("salesflow", source.token))
        return [one is not None for one in found]

    assert with_cache(look) == [True, True, False]


def test_many_requests_for_one_source_are_one_query(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    source = create_source(agency=agency, provider="salesflow")[0]
    asked: list[str] = []
    find = source_cache.find_source

    def counting(provider: str, token: str) -> Any:
        asked.append(token)
        return find(provider, token)

    monkeypatch.setattr(source_cache, "find_source", counting)

    async def look(cache: SourceCache, clock: Clock) -> list[Any]:
        return await asyncio.gather(*(cache.find("salesflow", source.token) for _ in range(50)))

    assert {found.id for found in with_cache(look)} == {source.pk}
    assert asked == [source.token]


def test_misses_are_not_remembered_and_what_is_remembered_is_bounded(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_cache, "MAX_COUNT", 2)
    sources = [create_source(agency=agency, provider="salesflow")[0] for _ in range(5)]

    async def look(cache: SourceCache, clock: Clock) -> tuple[list[bool], int]:
        tokens = ["nobody", *(source.token for source in sources)]
        return [await cache.find("salesflow", token) is not None for token in tokens], len(cache._entries)

    found, remembered = with_cache(look)

    assert found == [False, True, True, True, True, True]
    assert remembered <= 2
