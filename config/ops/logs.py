"""Log by structlog on top of the standard library to stderr, one readable line or one JSON object per event."""

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

from accounts.core.redaction import scrub

Entry = MutableMapping[str, Any]

#: Keys whose texts of several lines keep their layout, because the interpreter wrote them.
TRACEBACKS = ("exception", "stack")


def name_route(request: Any) -> str:
    """Return the pattern that matched a request's path, with names in place of its variable parts."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else "(none)"


class DescribeRequests(logging.Filter):
    """Replace a request's path by its route in Django's log entries, because a path may hold tokens or arbitrary text.

    Suspicious requests are logged without a traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple):
            route = name_route(request)
            record.args = tuple(route if str(arg).startswith("/") else arg for arg in record.args)
        if record.name.startswith("django.security."):
            record.exc_info = None
        return True


def redact(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Hide secrets and e-mail addresses in an entry. Only `show_unprintable` runs after this processor."""
    cleaned: Entry = scrub(dict(entry))
    return cleaned


def show_unprintable(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Replace unprintable characters (line breaks, escape sequences, direction marks) by their escapes, such as `\

    `.

    Tracebacks keep their lines, each behind a bar, so that no line looks like an entry of its own.
    """
    return {
        _printable(name): _bar_lines(value) if name in TRACEBACKS and isinstance(value, str) else _printable(value)
        for name, value in entry.items()
    }


def _bar_lines(text: str) -> str:
    return "\n".join(f"| {_printable(line)}" for line in text.split("\n"))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        if value.isprintable():
            return value
        return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in value)
    if isinstance(value, dict):
        return {_printable(name): _printable(item) for name, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list) else value


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]
#: Processors of every entry before it is written.
CLEANING: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, show_unprintable]

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "filters": {"requests": {"()": DescribeRequests}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "leadline", "filters": ["requests"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "celery": {"level": "WARNING"},  # a wake-up is no news, only its result is
    },
}


def configure_structlog(log_format: str) -> None:
    """Configure structlog and the standard library with one renderer; `log_format` is `console` or `json`."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    LOGGING["formatters"]["leadline"] = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [*CLEANING, renderer],
        "foreign_pre_chain": SHARED,
    }
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
