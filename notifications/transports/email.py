"""Send mail as text and HTML through Django's e-mail backend, on a few threads of its own."""

import asyncio
import smtplib
from concurrent.futures import ThreadPoolExecutor
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_noop

from accounts.core.email_addresses import email_key, normalize_sender
from accounts.core.enums import STAFF_EVENTS, EventType
from notifications.content.digest import render_message
from notifications.content.rendering import look_for, unsubscribe_url
from notifications.egress.session import GuardedSession
from notifications.message import PreparedDelivery
from notifications.models import ChannelKind, ChannelStatus
from notifications.sentences import ADDRESS_REFUSED, MAIL_REFUSED
from notifications.transports.base import Outcome, Transport, TransportError

MAX_MAIL_THREADS = 8
CONFIRMED_OR_CHANGED = gettext_noop("No longer needed: the address was confirmed or changed.")
_MAIL_THREADS = ThreadPoolExecutor(max_workers=MAX_MAIL_THREADS, thread_name_prefix="mail")


class EmailTransport(Transport):
    kind = ChannelKind.EMAIL

    async def send(self, prepared: PreparedDelivery, session: GuardedSession) -> Outcome:
        _check_still_wanted(prepared)
        await asyncio.get_running_loop().run_in_executor(_MAIL_THREADS, _send, prepared)
        return Outcome()


def compose_mail(prepared: PreparedDelivery) -> EmailMultiAlternatives:
    words = render_message(prepared)
    mail = EmailMultiAlternatives(
        subject=words.subject,
        body=words.text,
        from_email=_sender(prepared),
        to=[email_key(prepared.channel.email if prepared.channel else prepared.delivery.recipient)],
        headers={
            # The same for every attempt, so that a mailbox recognizes a repetition.
            "Message-ID": f"<{prepared.delivery.pk}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Leadline-Event": prepared.event.pk,
            **_list_headers(prepared),
        },
    )
    mail.attach_alternative(words.html, "text/html")
    return mail


def _send(prepared: PreparedDelivery) -> None:
    mail = compose_mail(prepared)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        permanent = all(500 <= code < 600 for code in codes)
        raise TransportError(
            ADDRESS_REFUSED(codes=", ".join(map(str, codes))),
            permanent=permanent,
            ours=not permanent,
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        code = getattr(error, "smtp_code", "")
        raise TransportError(MAIL_REFUSED(error=f"{type(error).__name__} {code}".strip()), ours=True) from error


def _check_still_wanted(prepared: PreparedDelivery) -> None:
    """Refuse a confirmation for an address that no longer waits for one."""
    if prepared.event.event_type != EventType.CHANNEL_VERIFICATION:
        return
    subject_channel = prepared.subject_channel
    if (
        subject_channel is None
        or subject_channel.status != ChannelStatus.UNVERIFIED
        or subject_channel.email != prepared.delivery.recipient
    ):
        raise TransportError(CONFIRMED_OR_CHANGED, permanent=True, ours=True)


def _sender(prepared: PreparedDelivery) -> str:
    """Return the sender: our address under the agency's name. Its domain is in ASCII, because Django would encode it by
    IDNA 2003, which may be another domain."""
    ours = normalize_sender(settings.DEFAULT_FROM_EMAIL)
    address = parseaddr(ours)[1]
    if not address or prepared.event.event_type in STAFF_EVENTS:
        return ours
    return formataddr((look_for(prepared).sender, address))


def _list_headers(prepared: PreparedDelivery) -> dict[str, str]:
    """Return the headers for one-click unsubscribe (RFC 8058) of a channel's mail."""
    url = unsubscribe_url(prepared.channel)
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url else {}


def _domain() -> str:
    return parseaddr(normalize_sender(settings.DEFAULT_FROM_EMAIL))[1].rpartition("@")[2] or "leadline.invalid"
