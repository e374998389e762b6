"""Look up the source of a URL off the event loop, and cache it for at most 3 seconds.

Misses are not cached, and a change to a source in this process empties the cache: a new source works at once.
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
from accounts.core.networks import Network, parse_networks
from accounts.models import Source
from webhooks.ingest.db import DatabaseThreads, StorageDown

MAX_AGE = 3.0  # seconds
LOOKUP_TIMEOUT = 1.5
MAX_CACHED_SOURCES = 10_000
MAX_UNKNOWN_LOOKUPS = 2  # concurrent look-ups of unknown tokens, fewer than there are threads
MAX_WAITING_LOOKUPS = 64
MAX_SECRETS = 16  # the newest secrets of a source; each adds an HMAC to the check of a forged request


@dataclass(frozen=True, slots=True)
class CachedSource:
    """Hold what ingest needs to know about an enabled source."""

    id: str
    agency_id: str | None
    provider: str
    secrets: tuple[tuple[str, datetime | None], ...]  # newest first, with their expiry (None: never)
    is_restricted: bool
    networks: tuple[Network, ...]
    url_expires_at: datetime | None  # None: valid while the source is enabled

    def secrets_at(self, now: datetime) -> list[str]:
        """Return the secrets that are valid at this time, newest first."""
        return [secret for secret, end in self.secrets if end is None or end > now]


@dataclass(frozen=True, slots=True)
class _Entry:
    source: CachedSource
    version: int
    until: float


class SourceCache:
    def __init__(self, threads: DatabaseThreads, clock: Callable[[], float] = monotonic) -> None:
        self._threads = threads
        self._clock = clock
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._lookups: dict[tuple[str, str, int], asyncio.Task[CachedSource | None]] = {}
        self._unknown_lookups = asyncio.Semaphore(MAX_UNKNOWN_LOOKUPS)

    async def get(self, provider: str, token: str) -> CachedSource | None:
        """Return the enabled source with this provider and URL token, or None. Raises StorageDown."""
        source = self.get_cached(provider, token) or await self._look_up(provider, token)
        if source is None or (source.url_expires_at is not None and source.url_expires_at <= timezone.now()):
            return None
        return source

    def get_cached(self, provider: str, token: str) -> CachedSource | None:
        """Return the cached source, or None. The caller checks `url_expires_at`."""
        entry = self._entries.get((provider, token))
        if entry is not None and entry.version == sources_version() and entry.until >= self._clock():
            return entry.source
        return None

    async def _look_up(self, provider: str, token: str) -> CachedSource | None:
        """Load a source from the database, once for concurrent requests with the same token.

        Look-ups of unknown tokens queue behind each other, so that invented tokens delay no source.
        """
        key = (provider, token, sources_version())
        task = self._lookups.get(key)
        if task is None:
            if len(self._lookups) >= MAX_WAITING_LOOKUPS and (provider, token) not in self._entries:
                raise StorageDown("Too many unknown sources are looked up.")
            task = self._lookups[key] = asyncio.create_task(self._load(*key))
            task.add_done_callback(lambda _: self._lookups.pop(key, None))
        try:
            return await asyncio.wait_for(asyncio.shield(task), LOOKUP_TIMEOUT)
        except TimeoutError:
            raise StorageDown("The source could not be looked up in time.") from None

    async def _load(self, provider: str, token: str, version: int) -> CachedSource | None:
        started = self._clock()
        try:
            async with nullcontext() if (provider, token) in self._entries else self._unknown_lookups:
                source = await self._threads.run(load_source, provider, token)
        except Exception as error:
            raise StorageDown(f"The source could not be looked up: {type(error).__name__}") from error
        self._entries.pop((provider, token), None)
        if source is not None:
            if len(self._entries) >= MAX_CACHED_SOURCES:
                self._entries.clear()
            self._entries[provider, token] = _Entry(source, version, started + MAX_AGE)
        return source


def load_source(provider: str, token: str) -> CachedSource | None:
    """Load the enabled source with this URL token, or with this previous token within its overlap."""
    now = timezone.now()
    enabled = Source.objects.filter(provider=provider, enabled=True)
    row = enabled.filter(token=token).first()
    url_expires_at = None
    if row is None:
        row = enabled.filter(previous_token=token, previous_token_expires_at__gt=now).exclude(previous_token="").first()
        if row is None:
            return None
        url_expires_at = row.previous_token_expires_at
    secrets = row.secrets.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now)).order_by("-created_at", "-pk")
    return CachedSource(
        id=row.pk,
        agency_id=row.agency_id,
        provider=row.provider,
        secrets=tuple((secret.secret, secret.expires_at) for secret in secrets[:MAX_SECRETS]),
        is_restricted=bool(row.allowed_networks),
        networks=parse_networks(tuple(str(network) for network in row.allowed_networks)),
        url_expires_at=url_expires_at,
    )
