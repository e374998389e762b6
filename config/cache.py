"""Cache in Redis, and in this process's own memory while Redis does not answer.

The cache holds the counts that limit sign-ins. Without Redis people can still sign in, and each process keeps its own
limits.
"""

from functools import partialmethod
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class FallbackRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._local = LocMemCache("redis-fallback", {**params, "OPTIONS": {}})

    def _try(self, name: str, *args: Any, **options: Any) -> Any:
        try:
            return getattr(super(), name)(*args, **options)
        except RedisError as error:
            log.warning("redis_cache_unavailable", operation=name, error=type(error).__name__)
            return getattr(self._local, name)(*args, **options)

    add = partialmethod(_try, "add")
    get = partialmethod(_try, "get")
    set = partialmethod(_try, "set")
    touch = partialmethod(_try, "touch")
    delete = partialmethod(_try, "delete")
    get_many = partialmethod(_try, "get_many")
    has_key = partialmethod(_try, "has_key")
    incr = partialmethod(_try, "incr")
    set_many = partialmethod(_try, "set_many")
    delete_many = partialmethod(_try, "delete_many")
