"""Give access to the log of sign-in requests to providers. The app that receives the results stores the log."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Account, Source


@dataclass(frozen=True, slots=True)
class RequestLog:
    """`register_sign_in` stores what a request was for; `newest_sign_in` returns its id, or an empty text."""

    register_sign_in: Callable[[Source, Account, str], None]
    newest_sign_in: Callable[[Source, Account], str]


_log: list[RequestLog] = []


def use_request_log(log: RequestLog) -> None:
    """Set the log. An app's `ready` calls this function once."""
    _log[:] = [log]


def request_log() -> RequestLog:
    """Return the log that was set."""
    return _log[0]
