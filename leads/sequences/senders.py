"""Set up the address that an agency's e-mails to leads come from, and the mail server that sends them."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_noop

from accounts.core.email_addresses import normalize_email, normalize_host
from accounts.core.errors import FieldError
from accounts.core.ids import new_token
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.text import MAX_NAME_LENGTH, plain
from accounts.models import Agency
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from accounts.tenancy.mail_limits import TooManyMails, count_mail
from leads.enums import EmailKind, EmailState, SmtpSecurity
from leads.models import EmailSender, OutboundEmail

VERIFICATION_INTERVAL = timedelta(minutes=5)
SMTP_FIELDS = ("host", "port", "security", "username")


@transaction.atomic
def set_sender(
    agency: Agency,
    *,
    address: str,
    name: str,
    host: str = "",
    port: int = 587,
    security: str = SmtpSecurity.STARTTLS,
    username: str = "",
    password: str | None = None,
    by: Actor | None = None,
) -> EmailSender:
    """Set the sender of an agency's e-mails. A new address gets a mail by which its owner confirms it.

    `password` None leaves the stored one, unless the server changes. Raises FieldError.
    """
    Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    sender = EmailSender.objects.filter(agency=agency).first() or EmailSender(agency=agency)
    before = sender.address
    values: dict[str, Any] = {
        "address": _address(address),
        "name": _name(name),
        "host": _host(host),
        "port": port,
        "security": security,
        "username": plain(username).strip(),
    }
    if sender.host != values["host"]:
        sender.password = None  # never handed to another server
    changed = [field for field, value in values.items() if getattr(sender, field) != value]
    for field, value in values.items():
        setattr(sender, field, value)
    if password is not None:
        sender.password = password or None
    if not 0 < sender.port < 65536:
        raise FieldError("port", gettext("Use a port from 1 to 65535."))
    if sender.security not in set(SmtpSecurity):
        raise FieldError("security", gettext("Use starttls, tls or none."))
    if sender.address != before:
        sender.verified_at, sender.verification_token = None, new_token()
    sender.error = ""
    sender.save()
    audit.log_change(by, agency, gettext_noop("E-mail sender changed"), ", ".join(changed))
    if sender.verified_at is None:
        request_verification(sender)
    return sender


@transaction.atomic
def request_verification(sender: EmailSender) -> bool:
    """Mail the link that confirms the sender's address, at most once in five minutes. Return whether it is mailed.

    Raises FieldError if too many such mails were sent.
    """
    recent = OutboundEmail.objects.filter(
        agency=sender.agency_id,
        kind=EmailKind.VERIFICATION,
        recipient=sender.address,
        created_at__gt=timezone.now() - VERIFICATION_INTERVAL,
    )
    if sender.verified_at is not None or recent.exists():
        return False
    try:
        count_mail(sender.address, agency=sender.agency)
    except TooManyMails as error:
        raise FieldError("address", str(error)) from error
    with translation.override(sender.agency.locale):
        OutboundEmail.objects.create(
            agency=sender.agency,
            kind=EmailKind.VERIFICATION,
            recipient=sender.address,
            subject=gettext("Confirm this address"),
            text=gettext(
                "%(agency)s wants to send e-mails to its leads from this address. If that is right, confirm it:\n\n"
                "%(url)s\n\nIf you do not know what this is about, ignore this e-mail."
            )
            % {"agency": sender.agency.name, "url": f"{settings.PUBLIC_URL}/verify/{sender.verification_token}"},
        )
    transaction.on_commit(lambda: wake_up_jobs("deliveries"), robust=True)
    return True


def find_by_token(token: str) -> EmailSender:
    """Return the sender that a link confirms. Raises FieldError for an unknown token."""
    sender = EmailSender.objects.select_related("agency").filter(verification_token=token).first()
    if sender is None:
        raise FieldError("token", gettext("This link is not valid (any more)."))
    return sender


@transaction.atomic
def verify_address(token: str) -> EmailSender:
    """Confirm the address of a sender. Confirming twice changes nothing. Raises FieldError for an unknown token."""
    sender = find_by_token(token)
    if sender.verified_at is None:
        sender.verified_at = timezone.now()
        sender.save(update_fields=["verified_at", "updated_at"])
        OutboundEmail.objects.filter(agency=sender.agency_id, hold="no_sender", state=EmailState.HELD).update(
            state=EmailState.WAITING, hold="", next_attempt_at=timezone.now(), attempts=0, error=""
        )
    return sender


def verified_sender(agency_id: str) -> EmailSender | None:
    """Return the agency's sender, if its address is confirmed."""
    return EmailSender.objects.filter(agency=agency_id, verified_at__isnull=False).first()


def _address(text: str) -> str:
    try:
        return normalize_email(text)
    except ValidationError:
        raise FieldError("address", gettext("Enter an e-mail address.")) from None


def _name(text: str) -> str:
    name = " ".join(plain(text).split())
    if not name or len(name) > MAX_NAME_LENGTH:
        raise FieldError("name", gettext("Enter a name of at most %(n)d characters.") % {"n": MAX_NAME_LENGTH})
    return name


def _host(text: str) -> str:
    try:
        return normalize_host(text.strip().lower()) if text.strip() else ""
    except ValueError:
        raise FieldError("host", gettext("Enter the name of a mail server.")) from None
