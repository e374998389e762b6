"""Hand e-mails over to a mail server: the deployment's, or an agency's own.

A connection to an agency's server goes to the public internet only, or into a network that the operator allows; so the
agency cannot reach the deployment's own servers by it. The result says whether the server took the mail. Without an
answer nobody knows, and the mail must not be sent again by itself.
"""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext_noop

from accounts.core.encrypted_fields import UnreadableValue
from accounts.core.networks import is_in_networks, is_public, parse_address, parse_networks
from leads.enums import SmtpSecurity
from leads.models import EmailSender

PORTS = frozenset({25, 465, 587, 2525})
TIMEOUT = 15
BAD_ADDRESS = gettext_noop("The mail server's address is outside the public internet.")


class Answer(StrEnum):
    """List what a mail server said to a mail. `UNKNOWN`: the connection broke after the mail was offered."""

    TAKEN = "taken"
    TRY_LATER = "try_later"
    BAD_RECIPIENT = "bad_recipient"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mail that was offered. `error` is for people, and quotes no secret."""

    answer: Answer
    error: str = ""


class ServerRefused(OSError):
    """The mail server's address is none that may be reached."""


def deliver(mails: Sequence[EmailMessage], sender: EmailSender | None) -> list[Result]:
    """Offer mails to one mail server over one connection, and return what became of each."""
    try:
        connection = connection_for(sender)
        connection.open()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return [Result(Answer.TRY_LATER, _describe(error))] * len(mails)
    try:
        return [_offer(connection, mail) for mail in mails]
    finally:
        _close(connection)


def connection_for(sender: EmailSender | None) -> BaseEmailBackend:
    """Return a connection to the sender's own mail server, or to the deployment's."""
    if sender is None or not sender.host:
        return get_connection()
    password = "" if isinstance(sender.password, UnreadableValue) else sender.password or ""
    return _AgencyBackend(
        host=sender.host,
        port=sender.port,
        username=sender.username,
        password=password,
        use_tls=sender.security == SmtpSecurity.STARTTLS,
        use_ssl=sender.security == SmtpSecurity.TLS,
        timeout=TIMEOUT,
    )


def _offer(connection: BaseEmailBackend, mail: EmailMessage) -> Result:
    """Offer one mail. A connection that broke is opened anew for the next one by the backend."""
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        return Result(Answer.TRY_LATER, _describe(error))
    try:
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        permanent = bool(codes) and all(500 <= code < 600 for code in codes)
        return Result(Answer.BAD_RECIPIENT if permanent else Answer.TRY_LATER, f"SMTP {', '.join(map(str, codes))}")
    except smtplib.SMTPServerDisconnected as error:
        _close(connection)
        return Result(Answer.UNKNOWN, _describe(error))
    except smtplib.SMTPException as error:  # the server answered, and did not take it
        _close(connection)
        return Result(Answer.TRY_LATER, _describe(error))
    except OSError as error:
        _close(connection)
        return Result(Answer.UNKNOWN, _describe(error))
    return Result(Answer.TAKEN)


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        connection.connection = None  # type: ignore[attr-defined]


def _describe(error: Exception) -> str:
    if isinstance(error, ServerRefused):
        return str(error)
    code = getattr(error, "smtp_code", "")
    return f"{type(error).__name__} {code}".strip()


def _connect(host: str, port: int, timeout: float) -> socket.socket:
    """Connect to a host at an address that may be reached. Raises ServerRefused."""
    allowed = parse_networks(tuple(settings.OUTBOUND_ALLOWED_NETWORKS))
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = parse_address(str(place[0]).partition("%")[0])
        if is_in_networks(address, allowed) or (address is not None and is_public(address) and port in PORTS):
            return socket.create_connection((str(place[0]), port), timeout)
    raise ServerRefused(BAD_ADDRESS)


class _GuardedSMTP(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _connect(host, port, timeout)


class _GuardedSMTPOverTLS(smtplib.SMTP_SSL):
    context: ssl.SSLContext

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = _connect(host, port, timeout)
        return self.context.wrap_socket(plain, server_hostname=self._host)  # type: ignore[attr-defined]


class _AgencyBackend(EmailBackend):
    """Django's SMTP backend, which connects only where an agency may."""

    @property
    def connection_class(self) -> Any:
        return _GuardedSMTPOverTLS if self.use_ssl else _GuardedSMTP
