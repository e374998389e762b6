"""Which servers the suite may use: where they are, and whether they answer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg.sql import SQL, Identifier

DATABASE_URL = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"


def missing() -> str:
    """Which of the two servers does not answer, and why; empty if both do."""
    if not DATABASE_URL.startswith(("postgres://", "postgresql://")):
        return "DATABASE_URL names no PostgreSQL"
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=3).close()
    except psycopg.Error as error:
        return f"PostgreSQL does not answer at DATABASE_URL ({str(error).splitlines()[0]})"
    try:
        redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3, socket_timeout=3).ping()
    except redis.RedisError as error:
        return f"Redis does not answer at REDIS_URL ({error})"
    return ""


def forget_keys(prefix: str) -> None:
    """Remove every key of a run from Redis."""
    client = redis.Redis.from_url(REDIS_URL)
    for key in client.scan_iter(match=f"{prefix}*", count=1000):
        client.delete(key)


def url_of(name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(DATABASE_URL)._replace(path=f"/{name}"))


@contextmanager
def database(name: str) -> Iterator[str]:
    """An empty database, for a while; its URL."""
    with psycopg.connect(DATABASE_URL, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield url_of(name)
        finally:
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
