"""Who has to go when a web process holds as many connections as it may."""

import resource
from dataclasses import dataclass
from typing import Any

import pytest

from webhooks.ingest import connection_limit as limits
from webhooks.ingest.connection_limit import connection_limit, evict_idle_connections

NOW = 100.0


@dataclass(eq=False)
class Connection:
    address: str
    idle_since: float | None
    is_closing: bool = False

    def evict(self) -> None:
        self.is_closing = True


def left(connections: list[Connection]) -> list[Connection]:
    return [connection for connection in connections if not connection.is_closing]


def test_the_oldest_idle_connection_of_the_address_with_the_most_goes_first() -> None:
    hostile = [Connection("203.0.113.9", float(number)) for number in range(5)]
    honest = [Connection("192.0.2.1", 0.0), Connection("192.0.2.2", 1.0), Connection("192.0.2.2", 2.0)]

    evict_idle_connections([*honest, *hostile], 6, NOW)

    assert left(hostile) == hostile[2:]
    assert left(honest) == honest


def test_nobody_goes_while_there_is_room_and_who_goes_already_counts_no_more() -> None:
    connections = [Connection("a", 0.0), Connection("a", 1.0), Connection("b", 2.0, is_closing=True)]

    evict_idle_connections(connections, 2, NOW)

    assert left(connections) == connections[:2]


def test_who_is_being_answered_stays() -> None:
    busy, idle = [Connection("a", None) for _ in range(4)], Connection("b", 9.0)

    evict_idle_connections([*busy, idle], 3, NOW)

    assert left([*busy, idle]) == busy


def test_who_has_just_come_stays_up_to_a_quarter_over_the_limit() -> None:
    busy, newcomers = [Connection("a", None) for _ in range(8)], [Connection("a", NOW + 0.5) for _ in range(2)]

    evict_idle_connections([*busy, *newcomers], 8, NOW)
    assert left(newcomers) == newcomers
    evict_idle_connections([*busy, Connection("b", None), *newcomers], 8, NOW)
    assert left(newcomers) == []


def test_of_one_address_the_newest_stays() -> None:
    connections = [Connection("10.0.0.1", float(number)) for number in range(10)]

    evict_idle_connections(connections, 9, NOW)

    assert left(connections) == connections[1:]


@pytest.mark.parametrize(
    ("files", "allowed", "expected"), [(256, 2000, 160), (65536, 2000, 2000), (65536, 50, 50), (4, 2000, 8)]
)
def test_there_are_never_more_connections_than_files(
    monkeypatch: pytest.MonkeyPatch, settings: Any, files: int, allowed: int, expected: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (files, files))
    settings.MAX_CONNECTIONS = allowed
    limits.connection_limit.cache_clear()
    try:
        assert connection_limit() == expected
    finally:
        limits.connection_limit.cache_clear()
