"""Logging: structlog on top of the standard library, to stderr, one readable line or one JSON object per event."""

from collections.abc import MutableMapping
from typing import Any

import structlog

from accounts.core.redaction import scrub

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "leadline"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "celery": {"level": "WARNING"},  # a wake-up is no news; what it led to is
    },
}


def redact(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before the renderer: nothing secret and no e-mail address passes, whoever logged it."""
    cleaned: MutableMapping[str, Any] = scrub(dict(entry))
    return cleaned


def configure_structlog(log_format: str) -> None:
    """Point structlog and the standard library at one renderer; `log_format` is `console` or `json`."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    LOGGING["formatters"]["leadline"] = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        "foreign_pre_chain": SHARED,
    }
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
