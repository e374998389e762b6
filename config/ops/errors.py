"""Errors to Sentry, where `SENTRY_DSN` names one: what went wrong and where in the code, never whose data it was.

What nobody foresaw ends in the log, whatever process it happens in. So the log is what is reported, as clean as it is
written, and nothing of Sentry's reaches into requests, tasks, calls to others or local variables.
"""

import logging
import sys
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.utils import event_from_exception

from accounts.core.redaction import scrub
from config.ops.logs import LOGGING


def report_to(dsn: str, *, release: str) -> None:
    """Raises ValueError if that is no DSN."""
    sentry_sdk.init(
        dsn,
        release=release,
        default_integrations=False,
        integrations=[AtexitIntegration(lambda *_: None), DedupeIntegration(), ExcepthookIntegration()],
        before_send=lambda event, hint: scrub(event),
        include_local_variables=False,
        max_breadcrumbs=0,
        send_default_pii=False,
        auto_session_tracking=False,
    )
    LOGGING["handlers"]["reports"] = {"class": "config.ops.errors.Reports", "level": "ERROR", "filters": ["requests"]}
    LOGGING["root"]["handlers"].append("reports")


class Reports(logging.Handler):
    """Reports what is logged as an error, with the exception that it was about."""

    def emit(self, record: logging.LogRecord) -> None:
        said: dict[str, Any] = dict(record.msg) if isinstance(record.msg, dict) else {"event": record.getMessage()}
        said.pop("exception", None)  # as text; here it is itself
        error = record.exc_info or sys.exc_info()
        event, hint = (
            event_from_exception(error, client_options=sentry_sdk.get_client().options) if error[0] else ({}, None)
        )
        event |= {
            "level": "error",
            "logger": record.name,
            "logentry": {"message": str(said.pop("event", ""))},
            "extra": said,
        }
        sentry_sdk.capture_event(event, hint)
