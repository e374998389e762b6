"""E-mail: text and HTML of the event's words, through Django's backend, on a few threads of its own."""

import asyncio
import smtplib
from concurrent.futures import ThreadPoolExecutor
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from accounts.core.email_addresses import email_key, normalize_sender
from accounts.core.enums import EventType
from notifications.content.digest import message_for
from notifications.content.rendering import unsubscribe_url
from notifications.egress.session import GuardedSession
from notifications.message import Parcel
from notifications.models import ChannelKind, ChannelStatus
from notifications.transports.base import Outcome, Transport, TransportError

AT_ONCE = 8
_POSTMEN = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="mail")


class EmailTransport(Transport):
    kind = ChannelKind.EMAIL

    async def send(self, parcel: Parcel, session: GuardedSession) -> Outcome:
        _check_still_wanted(parcel)
        await asyncio.get_running_loop().run_in_executor(_POSTMEN, _send, parcel)
        return Outcome()


def compose(parcel: Parcel) -> EmailMultiAlternatives:
    words = message_for(parcel)
    mail = EmailMultiAlternatives(
        subject=words.subject,
        body=words.text,
        # In ASCII: Django would encode an internationalised domain by IDNA 2003, which is another domain.
        from_email=normalize_sender(settings.DEFAULT_FROM_EMAIL),
        to=[email_key(parcel.channel.email if parcel.channel else parcel.delivery.recipient)],
        headers={
            # The same however often it is sent, so that a mailbox can tell a repetition.
            "Message-ID": f"<{parcel.delivery.pk}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Leadline-Event": parcel.event.pk,
            **_list_headers(parcel),
        },
    )
    mail.attach_alternative(words.html, "text/html")
    return mail


def _send(parcel: Parcel) -> None:
    mail = compose(parcel)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        permanent = all(500 <= code < 600 for code in codes)
        raise TransportError(
            f"The mail server refused the address ({', '.join(map(str, codes))}).",
            permanent=permanent,
            ours=not permanent,
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        code = getattr(error, "smtp_code", "")
        raise TransportError(f"The mail server did not take it ({type(error).__name__} {code}).", ours=True) from error


def _check_still_wanted(parcel: Parcel) -> None:
    """A confirmation is for an address that still waits for one."""
    if parcel.event.event_type != EventType.CHANNEL_VERIFICATION:
        return
    about = parcel.about
    if about is None or about.status != ChannelStatus.UNVERIFIED or about.email != parcel.delivery.recipient:
        raise TransportError("No longer needed: the address was confirmed or changed.", permanent=True, ours=True)


def _list_headers(parcel: Parcel) -> dict[str, str]:
    """One-click unsubscribe (RFC 8058) for mail to a channel."""
    url = unsubscribe_url(parcel.channel)
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url else {}


def _domain() -> str:
    return parseaddr(normalize_sender(settings.DEFAULT_FROM_EMAIL))[1].rpartition("@")[2] or "leadline.invalid"
