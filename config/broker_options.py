"""Say how each broker is connected to: Redis, RabbitMQ, and the embedded folder of files."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

EMBEDDED = "spool"
NAMES = {"redis": "Redis", "rediss": "Redis", "amqp": "RabbitMQ", "amqps": "RabbitMQ", EMBEDDED: "the embedded broker"}


def broker_name(url: str) -> str:
    """Return what people call the broker at a URL. Raises ImproperlyConfigured if Leadline cannot use it."""
    scheme = urlsplit(url).scheme
    if scheme not in NAMES:
        raise ImproperlyConfigured(
            "BROKER_URL cannot be used. It looks like amqp://user:password@host:5672/vhost or redis://host:6379/0."
        )
    return NAMES[scheme]


def broker_options(url: str, *, key_prefix: str, spool_folder: str) -> dict[str, Any]:
    """Return the options of kombu's transport. They bound how long a process waits for a broker that does not answer.

    Several installations may share a Redis, because all keys begin with `key_prefix`; of RabbitMQ each has a virtual
    host of its own.
    """
    name = broker_name(url)
    if name == "Redis":
        return {
            "global_keyprefix": f"{key_prefix}:",
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        }
    if name == "RabbitMQ":
        return {"connect_timeout": 2, "read_timeout": 5, "write_timeout": 5}
    return {"folder": spool_folder}
