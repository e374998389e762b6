"""Which source a URL names: looked up off the event loop, remembered for at most 3 seconds.

A miss is never remembered, and nothing is once this process has changed a source: a new source works at once.
"""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from django.db.models import Q
from django.utils import timezone

from accounts.core.cache_version import sources_version
from accounts.models import Source
from webhooks.ingest.client_ip import Network, parse_networks
from webhooks.ingest.db import DatabaseThreads, StorageDown

LIFETIME = 3.0  # seconds
LOOKUP_SECONDS = 1.5
MAX_COUNT = 10_000  # sources remembered
MAX_UNKNOWN_LOOKUPS = 2  # at once, of tokens that no source has had; fewer than there are threads
MAX_WAITING_LOOKUPS = 64
MAX_SECRETS = 16  # of a source, the newest ones: each costs a forged request an HMAC over its body


@dataclass(frozen=True, slots=True)
class KnownSource:
    """What ingest needs to know of an enabled source."""

    id: str
    agency_id: str | None
    provider: str
    secrets: tuple[tuple[str, datetime | None], ...]  # newest first, with their ends (None: none)
    restricted: bool
    networks: tuple[Network, ...]
    ends: datetime | None  # when the URL stops being valid; None: while the source is enabled

    def secrets_at(self, now: datetime) -> list[str]:
        """Those that are valid then, newest first."""
        return [secret for secret, end in self.secrets if end is None or end > now]


@dataclass(frozen=True, slots=True)
class _Entry:
    source: KnownSource
    version: int
    until: float


class SourceCache:
    def __init__(self, threads: DatabaseThreads, clock: Callable[[], float] = monotonic) -> None:
        self._threads = threads
        self._clock = clock
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._lookups: dict[tuple[str, str, int], asyncio.Task[KnownSource | None]] = {}
        self._unknown = asyncio.Semaphore(MAX_UNKNOWN_LOOKUPS)

    async def find(self, provider: str, token: str) -> KnownSource | None:
        """The enabled source with this provider and URL token, or None. Raises StorageDown."""
        source = self.known(provider, token) or await self._look_up(provider, token)
        if source is None or (source.ends is not None and source.ends <= timezone.now()):
            return None
        return source

    def known(self, provider: str, token: str) -> KnownSource | None:
        """The same as far as it is remembered; its end is not looked at."""
        entry = self._entries.get((provider, token))
        if entry is not None and entry.version == sources_version() and entry.until >= self._clock():
            return entry.source
        return None

    async def _look_up(self, provider: str, token: str) -> KnownSource | None:
        """Ask the database; many requests that ask the same at once are one query.

        Tokens that were never a source's wait behind each other, so that whoever makes them up delays no source.
        """
        key = (provider, token, sources_version())
        task = self._lookups.get(key)
        if task is None:
            if len(self._lookups) >= MAX_WAITING_LOOKUPS and (provider, token) not in self._entries:
                raise StorageDown("Too many unknown sources are looked up.")
            task = self._lookups[key] = asyncio.create_task(self._ask(*key))
            task.add_done_callback(lambda _: self._lookups.pop(key, None))
        try:
            return await asyncio.wait_for(asyncio.shield(task), LOOKUP_SECONDS)
        except TimeoutError:
            raise StorageDown("The source could not be looked up in time.") from None

    async def _ask(self, provider: str, token: str, version: int) -> KnownSource | None:
        asked = self._clock()
        try:
            async with nullcontext() if (provider, token) in self._entries else self._unknown:
                source = await self._threads.run(find_source, provider, token)
        except Exception as error:
            raise StorageDown(f"The source could not be looked up: {type(error).__name__}") from error
        self._entries.pop((provider, token), None)
        if source is not None:
            if len(self._entries) >= MAX_COUNT:
                self._entries.clear()
            self._entries[provider, token] = _Entry(source, version, asked + LIFETIME)
        return source


def find_source(provider: str, token: str) -> KnownSource | None:
    """The enabled source with this URL token, or with this earlier one whose overlap has not ended."""
    now = timezone.now()
    enabled = Source.objects.filter(provider=provider, enabled=True)
    row = enabled.filter(token=token).first()
    ends = None
    if row is None:
        row = enabled.filter(previous_token=token, previous_token_expires_at__gt=now).exclude(previous_token="").first()
        if row is None:
            return None
        ends = row.previous_token_expires_at
    secrets = row.secrets.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now)).order_by("-created_at", "-pk")
    return KnownSource(
        id=row.pk,
        agency_id=row.agency_id,
        provider=row.provider,
        secrets=tuple((secret.secret, secret.expires_at) for secret in secrets[:MAX_SECRETS]),
        restricted=bool(row.allowed_networks),
        networks=parse_networks(tuple(str(network) for network in row.allowed_networks)),
        ends=ends,
    )
