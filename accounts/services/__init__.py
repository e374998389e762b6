"""Change accounts, whoever asks for it: reports of providers, staff, the API, installs."""

from accounts.services.reports import (
    EVENTS,
    STATUS_SUBSCRIBER,
    add_history_note,
    disconnect_for_uninstall,
    record_account_event,
    report_problem,
    report_rate_limit,
    report_status,
    update_account,
)

__all__ = [
    "EVENTS",
    "STATUS_SUBSCRIBER",
    "add_history_note",
    "disconnect_for_uninstall",
    "record_account_event",
    "report_problem",
    "report_rate_limit",
    "report_status",
    "update_account",
]
