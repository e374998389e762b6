"""Report errors to Sentry, if `SENTRY_DSN` is set: what failed and where in the code, without anybody's data.

Every unforeseen error ends in the log, in any process. So the redacted log is what is reported. Sentry's own hooks into
requests, tasks, outgoing calls and local variables are off.
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


def report_errors_to(dsn: str, *, release: str) -> None:
    """Report logged errors to a DSN. Raises ValueError if the DSN is invalid."""
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
    """Log handler that reports errors with their exception."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = dict(record.msg) if isinstance(record.msg, dict) else {"event": record.getMessage()}
        fields.pop("exception", None)  # the text of the exception, which is reported as such
        error = record.exc_info or sys.exc_info()
        event, hint = (
            event_from_exception(error, client_options=sentry_sdk.get_client().options) if error[0] else ({}, None)
        )
        event |= {
            "level": "error",
            "logger": record.name,
            "logentry": {"message": str(fields.pop("event", ""))},
            "extra": fields,
        }
        sentry_sdk.capture_event(event, hint)
