"""What tests of sequences are made of: a confirmed sender, a sequence, and the worker's rounds."""

from typing import Any

from django.core import mail

from accounts.events.ordering import Origin
from accounts.models import Agency
from leads.enums import LeadStatus
from leads.models import Enrolment, Lead, OutboundEmail, Sequence
from leads.pipeline import reports
from leads.pipeline.dto import Identity
from leads.sequences import outbox
from leads.sequences.advancing import advance_due
from leads.sequences.senders import set_sender, verified_sender, verify_address
from leads.sequences.service import create_sequence
from leads.sequences.templates import create_template
from tests.reactions import react

ALWAYS: dict[str, Any] = {"kind": "hand"}


def confirm_sender(agency: Agency, **more: Any) -> None:
    """Set up the agency's sender, and confirm its address."""
    sender = set_sender(agency, address="ada@northwind.example.com", name="Ada of Northwind", **more)
    verify_address(sender.verification_token)
    OutboundEmail.objects.filter(kind="verification").delete()


def make_sequence(agency: Agency, *steps: dict[str, Any], **more: Any) -> Sequence:
    """A sequence that is active. A step `{"email": "First"}` sends a template of that subject."""
    if verified_sender(agency.pk) is None:
        confirm_sender(agency)
    made = [_step(agency, step) for step in steps]
    options = {"name": "Follow-up", "trigger": ALWAYS, "active": True, **more}
    return create_sequence(agency, steps=made, **options)


def _step(agency: Agency, step: dict[str, Any]) -> dict[str, Any]:
    if "email" not in step:
        return step
    step = dict(step)
    subject = step.pop("email")
    text = step.pop("text", 'Hello {{ first_name|default:"there" }}')
    template = create_template(agency, name=f"{subject} e-mail", channel="email", subject=subject, text=text)
    return {"kind": "email", "template": template.pk, **step}


def work() -> None:
    """Let the worker do all that is due now."""
    while True:
        react()
        if not advance_due() + outbox.send_due():
            return


def sent() -> list[str]:
    """The subjects of all mails that left, in their order."""
    return [each.subject for each in mail.outbox]


def reply(lead: Lead, origin: Origin, text: str = "Yes please") -> None:
    """Report a reply of the lead as a provider does."""
    report(lead, LeadStatus.REPLY_RECEIVED, origin, text=text)


def report(lead: Lead, status: LeadStatus, origin: Origin, **more: Any) -> None:
    reports.report_status(
        lead.agency,
        provider="welink",
        identity=Identity(external_id=lead.pk),
        status=status,
        stated=False,
        origin=origin,
        lead=lead,
        **more,
    )


def only_enrolment() -> Enrolment:
    return Enrolment.objects.select_related("sequence", "version").get()
